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
#include "agent/context_link.hpp"
#include "agent/config_from_hub.hpp"
#include "agent/control.hpp"
#include "agent/gateway/action_provider.hpp"
#include "agent/gateway/builtin_provider.hpp"
#include "agent/gateway/children.hpp"
#include "agent/gateway/context_provider.hpp"
#include "agent/gateway/gateway.hpp"
#include "agent/gateway/notebook.hpp"
#include "agent/hub_link.hpp"
#include "agent/ingest_server.hpp"
#include "agent/inputs/inputs.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/link_calls.hpp"
#include "agent/local_services.hpp"
#include "agent/local_socket.hpp"
#include "agent/reload.hpp"
#include "agent/reporter.hpp"
#include "agent/stdio_stream.hpp"
#include "agent/store/outbox.hpp"
#include "base/log.hpp"
#include "mcp/hmac_sealer.hpp"
#include "notify.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

class Agent final : private Outbox::Listener,
                    private Collector::Listener,
                    private Control::Host,
                    private Gateway::Listener,
                    private StdioStream::Listener,
                    private ConfigFromHub::Owner,
                    private uv::SignalWatch::Listener,
                    private uv::Timer::Listener {
 public:
  Agent(const Config& config, Log& log);
  ~Agent() override;

  /// SIGHUP reads the configuration again by `load`: inputs and series rules change without a restart. Before start().
  void reload_on_hangup(ConfigLoader load);
  /// The hub may change the configuration, which `load` reads again; `state` is what begin_remote_config() gave. Before start().
  void follow_hub(RemoteConfigState state, ConfigLoader load);
  /// Opens the store and the sockets. The text of a failure is for people.
  Status start(std::string& problem);
  /// Serves an AI application on standard input and output as well, and ends with it. After start().
  Status serve_stdio();
  enum class Ending : unsigned char { for_good, begins_anew };
  /// Until SIGTERM or SIGINT, or until the hub's configuration needs the process to begin anew.
  Ending run();

 private:
  Status open_store(std::string& problem);
  Status open_sockets(std::string& problem);
  void add_providers();
  void add_context();
  Status begin_providers(std::string& problem);
  void reload();
  void take_over();
  void replace_inputs();
  void report_to_supervisor();
  std::string supervisor_line();
  void begin_stop();
  void finish_stop();

  void on_appended(Outbox::Token token, Status status) override;
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to) override;
  void on_answer(Outbox::Token token, Result<model::QueryAnswer> answer) override;
  void on_committed(model::Stream stream, model::Seq next) override;
  void on_rebased(model::Stream stream, Status status) override;
  void on_synced(Collector::Ticket ticket, const Status& status) override;
  void on_noted(Outbox::Token token, Status status) override;
  void on_note(Outbox::Token token, Result<std::string> text) override;
  void on_context_put(Outbox::Token token, Status status) override;
  void on_context_history(Outbox::Token token, Result<std::vector<context::Register>> writes) override;
  void on_room() override;
  void on_batch(model::Stream stream, const model::ReadingBatch& batch) override { builtin_->on_readings(stream, batch); }
  void on_gateway_due(Instant at) override;
  void on_catalog_changed() override;
  void on_stdio_end() override;
  bool take_config(const ConfigResult& fresh) override;
  void restart() override;
  StatusReport report() override;
  void sync_now() override;
  void on_signal(int number) override;
  void on_timer(uv::Timer& timer) override;

  Config config_;
  Log& log_;
  platform::Notifier notifier_;
  uv::Loop loop_;
  SeriesRules rules_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<AgentClock> clock_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<LocalServices> services_;
  mcp::HmacSealer sealer_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<ContextKeeper> context_;             ///< this and the next three: null when [context] enabled = false
  std::unique_ptr<ContextCommands> context_commands_;
  std::unique_ptr<ContextProvider> context_provider_;
  std::unique_ptr<ContextLink> context_link_;
  std::unique_ptr<BuiltinProvider> builtin_;
  std::unique_ptr<OutboxNotebook> notebook_;
  std::unique_ptr<ActionProcesses> action_processes_;
  std::unique_ptr<ActionProvider> actions_;
  std::unique_ptr<Children> children_;
  std::unique_ptr<CallLedger> ledger_;
  std::unique_ptr<LinkCalls> link_calls_;
  std::unique_ptr<Inputs> inputs_;
  std::unique_ptr<Inputs> retired_inputs_;  ///< of before the last reload, while a sensor of theirs holds a read
  std::unique_ptr<Reload> reload_;
  RemoteConfigState remote_state_;          ///< until start()
  ConfigLoader remote_load_;                ///< null: the hub does not configure this process
  std::unique_ptr<ConfigFromHub> config_from_hub_;
  std::unique_ptr<HubLink> link_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<IngestServer> ingest_;
  std::unique_ptr<LocalSocket> local_socket_;
  std::unique_ptr<StdioStream> stdio_;
  uv::SignalWatch terminate_;
  uv::SignalWatch interrupt_;
  std::unique_ptr<uv::SignalWatch> hangup_;
  uv::Timer housekeeping_;
  uv::Timer gateway_due_;
  uv::Timer stop_deadline_;
  Instant stop_by_ = never;
  bool is_starting_ = false;  ///< the loop runs for the notes alone
  bool stopping_ = false;
  bool begins_anew_ = false;
};

}  // namespace tideline::agent
