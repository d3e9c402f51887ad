#include "agent/agent.hpp"

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "agent/gateway/builtin_offer.hpp"
#include "agent/local_daemon.hpp"
#include "agent/options.hpp"
#include "base/limits.hpp"
#include "clock.hpp"
#include "small_file.hpp"

namespace tideline::agent {
namespace {

constexpr Duration housekeeping_interval = seconds(1);
constexpr Duration children_patience = seconds(2);  // for the notes of their lists, on a slow disk
constexpr Duration children_look = milliseconds(20);
// They are asked, then told, then killed.
constexpr Duration children_grace = limits::child_stop_wait + limits::child_stop_wait + seconds(1);

GatewayOptions gateway_options(const Config& config) {
  GatewayOptions options;
  options.version = TIDELINE_VERSION;
  options.title = "Tideline on " + device_id(config);
  options.instructions = builtin_instructions();
  return options;
}

}  // namespace

Agent::Agent(const Config& config, Log& log)
    : config_(config), log_(log), rules_(config.series), sealer_(mcp::random_seal_key(), [] { return platform::now().nanos; }),
      terminate_(loop_, *this, SIGTERM), interrupt_(loop_, *this, SIGINT), housekeeping_(loop_, *this), gateway_due_(loop_, *this),
      stop_deadline_(loop_, *this) {}

Agent::~Agent() = default;

void Agent::reload_on_hangup(ConfigLoader load) {
  reload_ = std::make_unique<Reload>(std::move(load), config_, log_);
  hangup_ = std::make_unique<uv::SignalWatch>(loop_, static_cast<uv::SignalWatch::Listener&>(*this), SIGHUP);
}

void Agent::follow_hub(RemoteConfigState state, ConfigLoader load) {
  remote_state_ = std::move(state);
  remote_load_ = std::move(load);
}

Status Agent::start(std::string& problem) {
  RETURN_IF_ERROR(open_store(problem));
  clock_ = std::make_unique<AgentClock>(*outbox_);
  collector_ = std::make_unique<Collector>(*outbox_, loop_, static_cast<Collector::Listener&>(*this));
  services_ = std::make_unique<LocalServices>(config_, *outbox_, *collector_, rules_, *clock_, static_cast<Control::Host&>(*this));
  gateway_ = std::make_unique<Gateway>(gateway_options(config_), &sealer_, static_cast<Gateway::Listener&>(*this), log_);
  notebook_ = std::make_unique<OutboxNotebook>(*outbox_);
  add_providers();
  ledger_ = std::make_unique<CallLedger>(*notebook_);
  link_calls_ = std::make_unique<LinkCalls>(*gateway_, *ledger_, &platform::wall_clock, log_);
  inputs_ = std::make_unique<Inputs>(config_.inputs, rules_, *collector_, *clock_, loop_, log_);
  link_ = std::make_unique<HubLink>(link_options(config_), *outbox_, loop_, *clock_, log_);
  link_->set_calls(*link_calls_);
  if (context_link_ != nullptr) link_->set_context(*context_link_);
  reporter_ = std::make_unique<Reporter>(config_, *outbox_, *clock_, link_.get(), inputs_.get());
  control_ = std::make_unique<Control>(*outbox_, static_cast<Control::Host&>(*this));
  if (context_ != nullptr) control_->set_context(*context_, *context_commands_);
  ingest_ = std::make_unique<IngestServer>(rules_, line_options(config_), *collector_, *clock_, loop_, log_);
  local_socket_ = std::make_unique<LocalSocket>(*gateway_, *control_, loop_, log_);
  RETURN_IF_ERROR(begin_providers(problem));
  RETURN_IF_ERROR(open_sockets(problem));
  inputs_->start();
  link_->start();
  if (config_from_hub_ != nullptr) config_from_hub_->start(platform::now());
  housekeeping_.start_repeating(std::min(housekeeping_interval, notifier_.watchdog_interval()));
  const std::string line = status_line(report());
  notifier_.ready(line);
  log_info(log_, "agent", "tideline %s, device %s, state in %s: %s", TIDELINE_VERSION, device_id(config_).c_str(), state_directory(config_).c_str(),
           line.c_str());
  return {};
}

/// In the order in which they are asked; of two that offer one name the first is served.
void Agent::add_providers() {
  if (config_.context.enabled) add_context();
  builtin_ = std::make_unique<BuiltinProvider>(*services_, *gateway_);
  services_->set_listener(*builtin_);
  gateway_->add(*builtin_);
  action_processes_ = std::make_unique<ActionProcesses>(loop_);
  actions_ = std::make_unique<ActionProvider>(config_.actions, *gateway_, *action_processes_, *notebook_, *clock_, log_, &platform::now);
  action_processes_->set_listener(*actions_);
  gateway_->add(*actions_);
  children_ = std::make_unique<Children>(config_.children, TIDELINE_VERSION, *gateway_, *notebook_, loop_, log_);
}

void Agent::add_context() {
  context_ = std::make_unique<ContextKeeper>(*outbox_, config_.context.declarations, [this] { return clock_->stamp(); }, log_);
  context_commands_ = std::make_unique<ContextCommands>(*context_);
  context_provider_ = std::make_unique<ContextProvider>(*context_, *context_commands_, *gateway_);
  context_link_ = std::make_unique<ContextLink>(*context_, log_);
  if (remote_load_ != nullptr) {
    config_from_hub_ = std::make_unique<ConfigFromHub>(std::move(remote_state_), config_, state_directory(config_), remote_load_, *context_,
                                                       static_cast<ConfigFromHub::Owner&>(*this), log_);
  }
  gateway_->add(*context_provider_);
}

/// What sleeping children offer is read back before anybody can ask: a client lists the tools once, right at its start.
Status Agent::begin_providers(std::string& problem) {
  is_starting_ = true;
  actions_->begin();
  children_->begin();
  const Instant patience = platform::now() + children_patience;
  while (!children_->are_known() && !stopping_ && platform::now() < patience) {
    (void)loop_.run_once();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  is_starting_ = false;
  if (!stopping_) return {};
  problem = "told to stop while it started";
  return Error{ErrorCode::closed, 0, "start"};
}

Status Agent::serve_stdio() {
  stdio_ = std::make_unique<StdioStream>(*gateway_, *control_, static_cast<StdioStream::Listener&>(*this));
  return stdio_->open(loop_);
}

Status Agent::open_store(std::string& problem) {
  const std::string directory = state_directory(config_);
  if (const Status made = platform::make_directories(directory); !made) {
    problem = "state directory " + directory + ": " + made.error().context + ", " + error_name(made.error().code) + "; create it or name another with --state";
    return made;
  }
  const auto open = [&] { return Outbox::open(store_options(config_), first_anchor(), loop_, static_cast<Outbox::Listener&>(*this), log_); };
  auto opened = open();
  // A command may hold the store for a moment; another daemon, which answers on its socket, holds it for good.
  const Instant patience = platform::now() + limits::lock_patience;
  while (!opened && opened.error().code == ErrorCode::busy && platform::now() < patience && !daemon_answers(loop_, control_socket(config_))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    opened = open();
  }
  if (!opened) {
    problem = store_problem(directory, opened.error());
    return opened.error();
  }
  outbox_ = std::move(*opened);
  return {};
}

Status Agent::open_sockets(std::string& problem) {
  const auto listen = [&](auto& server, const std::string& path) -> Status {
    const Status done = server.listen(path);
    if (!done) problem = "socket " + path + ": " + error_name(done.error().code);
    return done;
  };
  if (config_.ingest.enabled) RETURN_IF_ERROR(listen(*ingest_, ingest_socket(config_)));
  return listen(*local_socket_, control_socket(config_));
}

Agent::Ending Agent::run() {
  loop_.run();
  return begins_anew_ ? Ending::begins_anew : Ending::for_good;
}

void Agent::on_signal(int number) {
  if (is_starting_) {
    stopping_ |= number != SIGHUP;
    return;
  }
  if (number == SIGHUP) return reload();
  log_info(log_, "agent", "%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
  if (stopping_) {
    loop_.stop();
    return;
  }
  begin_stop();
}

void Agent::on_stdio_end() {
  log_info(log_, "agent", "the application left: stopping");
  if (!stopping_) begin_stop();
}

void Agent::reload() {
  if (stopping_) return;
  notifier_.reloading();
  if (retired_inputs_ != nullptr && !retired_inputs_->is_finished()) {
    log_warning(log_, "reload", "nothing was read: a sensor of before the last reload still holds its read; send SIGHUP again later");
  } else if (reload_->run(config_from_hub_ == nullptr ? std::string_view() : config_from_hub_->overlay())) {
    take_over();
  }
  notifier_.ready(supervisor_line());
}

void Agent::take_over() {
  replace_inputs();
  if (context_ == nullptr || context_->declarations() == config_.context.declarations) return;
  context_->set_declarations(config_.context.declarations);
  context_link_->on_declarations_changed();
}

bool Agent::take_config(const ConfigResult& fresh) {
  const bool has_sensor_at_work = retired_inputs_ != nullptr && !retired_inputs_->is_finished();
  if (reload_ == nullptr || has_sensor_at_work || !keys_for_restart(config_, fresh.config).empty() || !reload_->take(fresh)) return false;
  take_over();
  return true;
}

void Agent::restart() {
  if (stopping_) return;
  log_info(log_, "agent", "beginning anew with the hub's configuration");
  begins_anew_ = true;
  begin_stop();
}

/// The new ones start at once; the old ones end without anybody waiting for their sensors.
void Agent::replace_inputs() {
  rules_ = SeriesRules(config_.series);
  inputs_->begin_stop();
  retired_inputs_ = std::exchange(inputs_, std::make_unique<Inputs>(config_.inputs, rules_, *collector_, *clock_, loop_, log_));
  reporter_->set_inputs(*inputs_);
  inputs_->start();
}

std::string Agent::supervisor_line() {
  const std::string line = status_line(report());
  return reload_ == nullptr || reload_->note().empty() ? line : line + "; " + reload_->note();
}

/// The watchdog is fed only from here and only while the store thread makes progress: a loop that stands still, or a call into
/// the disk that does not return, brings the supervisor. A store that fails and is tried again is no reason: a restart would
/// lose what waits in memory and heal no disk.
void Agent::report_to_supervisor() {
  const Instant now = platform::now();
  notifier_.status(supervisor_line());
  const Instant busy_since = outbox_->busy_since();
  if (busy_since > now || now - busy_since < notifier_.watchdog_interval()) notifier_.alive(now);
}

/// Producers and sensors first, then what they left is committed, then the hub hears goodbye.
void Agent::begin_stop() {
  stopping_ = true;
  // The same process goes on: to the supervisor that is a reload.
  if (begins_anew_) notifier_.reloading();
  else notifier_.stopping();
  housekeeping_.stop();
  ingest_->close();
  local_socket_->stop();
  if (stdio_ != nullptr) stdio_->stop();
  inputs_->stop();
  children_->stop();
  stop_by_ = platform::now() + children_grace;
  outbox_->flush();
  link_->stop();
  // Nobody to say goodbye to: no reason to wait.
  const bool has_listeners = local_socket_->connections() > 0 || link_->status().state == UplinkState::online || (stdio_ != nullptr && stdio_->has_unsent());
  stop_deadline_.start(has_listeners ? limits::stop_grace : milliseconds(1));
}

void Agent::finish_stop() {
  outbox_->close();
  loop_.stop();
}

void Agent::on_timer(uv::Timer& timer) {
  if (&timer == &stop_deadline_) {
    if (children_->are_running() && platform::now() < stop_by_) return stop_deadline_.start(children_look);
    return finish_stop();
  }
  gateway_->on_timer(platform::now());
  if (&timer == &gateway_due_) return;
  builtin_->on_tick(platform::now());
  if (context_ != nullptr) context_->on_tick();
  if (config_from_hub_ != nullptr) config_from_hub_->on_tick(platform::now());
  if (clock_->refresh()) link_->on_anchor(outbox_->status().anchor);
  if (retired_inputs_ != nullptr && retired_inputs_->is_finished()) retired_inputs_.reset();
  report_to_supervisor();
}

void Agent::on_gateway_due(Instant at) { gateway_due_.start(at - platform::now()); }
void Agent::on_catalog_changed() { link_->on_catalog_changed(); }

StatusReport Agent::report() {
  StatusReport report = reporter_->report();
  report.ingest = ingest_->totals();
  report.children = children_->status();
  if (context_ == nullptr) return report;
  report.context = context_report(*context_);
  if (report.context.last_failure.empty()) report.context.last_failure = context_link_->status().last_failure;
  return report;
}

void Agent::sync_now() {
  outbox_->flush();
  link_->sync_now();
}

void Agent::on_appended(Outbox::Token token, Status status) {
  if (!stopping_) collector_->on_appended(token, status);
}
void Agent::on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                       model::Seq covered_to) {
  link_->on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to);
}
void Agent::on_answer(Outbox::Token token, Result<model::QueryAnswer> answer) {
  if (!services_->on_answer(token, answer)) control_->on_answer(token, answer);
}
void Agent::on_committed(model::Stream stream, model::Seq next) {
  link_->on_committed(stream, next);
  builtin_->on_committed(stream);
}
void Agent::on_rebased(model::Stream stream, Status status) { link_->on_rebased(stream, status); }
void Agent::on_synced(Collector::Ticket ticket, const Status& status) {
  if (!services_->on_synced(ticket, status)) (void)ingest_->on_synced(ticket, status);
}
void Agent::on_noted(Outbox::Token token, Status status) { notebook_->on_noted(token, status); }
void Agent::on_note(Outbox::Token token, Result<std::string> text) { notebook_->on_note(token, text); }
void Agent::on_context_put(Outbox::Token token, Status status) {
  if (context_ != nullptr) context_->on_context_put(token, status);
}
void Agent::on_context_history(Outbox::Token token, Result<std::vector<context::Register>> writes) {
  if (context_ != nullptr) context_->on_context_history(token, writes);
}
void Agent::on_room() {
  ingest_->on_room();
  inputs_->on_room();
}

}  // namespace tideline::agent
