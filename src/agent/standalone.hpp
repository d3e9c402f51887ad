// The agent for as long as one command lives: opens the store itself when no daemon runs, and answers the same requests and takes
// the same lines as the daemon's sockets do.
//
// Owned by a command. Thread: the caller's, which runs the loop. One process owns a store at any time: with a daemon open()
// fails with busy.
#pragma once

#include <memory>
#include <string>

#include "agent/agent_clock.hpp"
#include "agent/collector.hpp"
#include "agent/config.hpp"
#include "agent/control.hpp"
#include "agent/gateway/context_commands.hpp"
#include "agent/inputs/ingest_session.hpp"
#include "agent/reporter.hpp"
#include "base/log.hpp"

namespace tideline::agent {

class Standalone final : private Outbox::Listener, private Collector::Listener, private Control::Host {
 public:
  /// Whoever feeds lines hears when there is room again.
  class Feeder {
   public:
    virtual ~Feeder() = default;
    virtual void on_room() = 0;
    virtual void on_durable(Collector::Ticket ticket, const Status& status) = 0;
  };

  Standalone(const Config& config, uv::Loop& loop, Log& log);
  ~Standalone() override;

  /// Errors: as of Outbox::open; `problem` is for people.
  Status open(std::string& problem);
  Control& control() { return *control_; }
  Collector& collector() { return *collector_; }
  const SeriesRules& rules() const { return rules_; }
  UtcNanos stamp() { return clock_->stamp(); }
  void set_feeder(Feeder* feeder) { feeder_ = feeder; }

 private:
  void on_appended(Outbox::Token token, Status status) override { collector_->on_appended(token, status); }
  void on_fetched(model::Stream, model::Seq, std::vector<model::StoredBlock>, std::vector<model::Gap>, model::Seq) override {}
  void on_answer(Outbox::Token token, Result<model::QueryAnswer> answer) override { control_->on_answer(token, answer); }
  void on_context_put(Outbox::Token token, Status status) override { keeper_->on_context_put(token, status); }
  void on_context_history(Outbox::Token token, Result<std::vector<context::Register>> writes) override { keeper_->on_context_history(token, writes); }
  void on_committed(model::Stream, model::Seq) override {}
  void on_rebased(model::Stream, Status) override {}
  void on_synced(Collector::Ticket ticket, const Status& status) override {
    if (feeder_ != nullptr) feeder_->on_durable(ticket, status);
  }
  void on_room() override {
    if (feeder_ != nullptr) feeder_->on_room();
  }
  StatusReport report() override;
  void sync_now() override {}

  const Config& config_;
  uv::Loop& loop_;
  Log& log_;
  SeriesRules rules_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<AgentClock> clock_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<ContextKeeper> keeper_;
  std::unique_ptr<ContextCommands> context_;
  std::unique_ptr<Control> control_;
  Feeder* feeder_ = nullptr;
};

}  // namespace tideline::agent
