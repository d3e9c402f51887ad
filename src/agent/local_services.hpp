// The agent behind its built-in tools (gateway/agent_services.hpp): store, clock, collector and status put together.
//
// Owned by Agent. Thread: loop. Nothing durable. Its tokens and tickets are told apart from those of others: see own_token and the
// tickets below 2^32.
#pragma once

#include "agent/agent_clock.hpp"
#include "agent/collector.hpp"
#include "agent/config.hpp"
#include "agent/control.hpp"
#include "agent/gateway/agent_services.hpp"
#include "agent/inputs/series_rules.hpp"

namespace tideline::agent {

class LocalServices final : public AgentServices {
 public:
  LocalServices(const Config& config, Outbox& outbox, Collector& collector, const SeriesRules& rules, AgentClock& clock, Control::Host& host);

  /// Who hears the answers; before the first question.
  void set_listener(AgentServices::Listener& listener) { listener_ = &listener; }
  /// Events of the outbox and the collector. False when they answer somebody else.
  bool on_answer(Outbox::Token token, const Result<model::QueryAnswer>& answer);
  bool on_synced(Collector::Ticket ticket, const Status& status);

  std::string device() const override;
  Moment moment() const override;
  const model::SeriesDictionary& dictionary() const override { return outbox_.dictionary(); }
  const StoreStatus& store() const override { return outbox_.status(); }
  std::vector<model::Gap> gaps(model::Stream stream) const override { return outbox_.gaps(stream, 1); }
  SyncView sync() const override;
  std::string status_json() const override;
  std::vector<Finding> diagnose() const override;
  void sync_now() override { host_.sync_now(); }
  void ask(model::Query query, Token token) override;
  Status record(const std::vector<NewReading>& readings, Token token) override;

 private:
  /// Control counts its questions from 1.
  static constexpr Outbox::Token own_token = Outbox::Token{1} << 63;
  /// The ingest server's tickets carry a connection number above this; ours have none.
  static constexpr unsigned ticket_bits = 32;

  const Config& config_;
  Outbox& outbox_;
  Collector& collector_;
  const SeriesRules& rules_;
  AgentClock& clock_;
  Control::Host& host_;
  AgentServices::Listener* listener_ = nullptr;
  Instant started_;
};

}  // namespace tideline::agent
