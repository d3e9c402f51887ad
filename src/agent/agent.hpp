// The daemon: every part a member, in the order of dependency; events of one part are passed to those that need them.
//
// Thread: loop; the outbox has its store thread, sampling its own. After a crash everything durable is the outbox's and the
// identity's.
#pragma once

#include <memory>
#include <string>

#include "agent/agent_clock.hpp"
#include "agent/collector.hpp"
#include "agent/config.hpp"
#include "agent/control.hpp"
#include "agent/control_server.hpp"
#include "agent/hub_link.hpp"
#include "agent/ingest_server.hpp"
#include "agent/inputs/inputs.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/reporter.hpp"
#include "agent/store/outbox.hpp"
#include "base/log.hpp"
#include "notify.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class Agent final : private Outbox::Listener,
                    private Collector::Listener,
                    private Control::Host,
                    private uv::SignalWatch::Listener,
                    private uv::Timer::Listener {
 public:
  Agent(const Config& config, Log& log);
  ~Agent() override;

  /// Opens the store and the sockets. The text of a failure is for people.
  Status start(std::string& problem);
  /// Until SIGTERM or SIGINT.
  void run();

 private:
  Status open_store(std::string& problem);
  Status open_sockets(std::string& problem);
  void begin_stop();
  void finish_stop();

  void on_appended(Outbox::Token token, Status status) override;
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to) override;
  void on_answer(Outbox::Token token, Result<model::QueryAnswer> answer) override;
  void on_committed(model::Stream stream, model::Seq next) override;
  void on_rebased(model::Stream stream, Status status) override;
  void on_synced(Collector::Ticket ticket, const Status& status) override;
  void on_room() override;
  StatusReport report() override;
  void sync_now() override;
  void on_signal(int number) override;
  void on_timer(uv::Timer& timer) override;

  const Config& config_;
  Log& log_;
  platform::Notifier notifier_;
  uv::Loop loop_;
  SeriesRules rules_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<AgentClock> clock_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Inputs> inputs_;
  std::unique_ptr<HubLink> link_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<IngestServer> ingest_;
  std::unique_ptr<ControlServer> control_server_;
  uv::SignalWatch terminate_;
  uv::SignalWatch interrupt_;
  uv::Timer housekeeping_;
  uv::Timer stop_deadline_;
  bool stopping_ = false;
};

}  // namespace tideline::agent
