#include "hub/hub.hpp"

#include <algorithm>
#include <csignal>

#include "base/limits.hpp"
#include "clock.hpp"
#include "files.hpp"
#include "hub/admin_context.hpp"
#include "hub/tls_engine.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "hub";
constexpr Duration key_check_interval = hours(1);
/// Devices wait at least this long after a stop: longer than a restart takes.
constexpr Duration restart_pause = seconds(1);

std::string host_port_text(const std::string& host, uint16_t port) {
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

Hub::Hub(const Config& config, const StateDirectory& state, HubKeys keys, Log& log)
    : config_(config), state_(state), keys_(std::move(keys)), log_(log), tickets_(load_ticket_keys(state, platform::wall_clock())),
      enrolment_(keys_.authority, config.certificates.device_life), http_(loop_, *this), admin_(loop_, *this),
      terminate_(loop_, *this, SIGTERM), interrupt_(loop_, *this, SIGINT), tick_(loop_, *this), stop_deadline_(loop_, *this),
      started_(platform::now()) {}

/// The store's thread writes into decisions of the fleet and commands of ours: it ends first.
Hub::~Hub() {
  if (store_ != nullptr) store_->close();
  if (fleet_ != nullptr) fleet_->set_context_events(nullptr);
}

Status Hub::start(std::string& problem) {
  RETURN_IF_ERROR(open_archive(problem));
  RETURN_IF_ERROR(make_server(problem));
  RETURN_IF_ERROR(listen(problem));
  if (const Status saved = save_ticket_keys(state_, tickets_); !saved) {
    log_warning(log_, area, "%s cannot be written (%s): devices need full handshakes after a restart", state_.ticket_keys().c_str(), error_name(saved.error().code));
  }
  tick_.start_repeating(std::min(limits::hub_tick, notifier_.watchdog_interval()));
  announce();
  return {};
}

Status Hub::open_archive(std::string& problem) {
  const std::string path = state_.archive();
  auto archive = open_sqlite_archive(path, ArchiveMode::write, log_);
  if (!archive) {
    const Error error = archive.error();
    problem = path + ": " + error.context + ": " + error_name(error.code);
    if (error.code == ErrorCode::busy) problem = format("%s is in use by process %d; stop that hub first", state_.path.c_str(), error.native);
    return error;
  }
  const auto records = (*archive)->devices();
  if (!records) {
    problem = path + ": " + records.error().context + ": " + error_name(records.error().code);
    return records.error();
  }
  const auto kept = McpService::read(**archive);
  if (!kept) {
    problem = path + ": " + kept.error().context + ": " + error_name(kept.error().code);
    return kept.error();
  }
  StoreListener& listener = *this;
  store_ = std::make_unique<StoreThread>(loop_, listener, log_, std::move(*archive),
                                         [path, &log = log_] { return open_sqlite_archive(path, ArchiveMode::write, log); });
  fleet_ = std::make_unique<Fleet>(loop_, *store_, enrolment_, session_options(), log_);
  fleet_->registry().load(*records);
  desk_ = std::make_unique<StoreDesk>(*store_);
  context_syncs_ = std::make_unique<ContextSyncs>(loop_, *desk_, *fleet_, log_);
  context_writes_ = std::make_unique<ContextWrites>(*desk_, *context_syncs_);
  fleet_->set_context_events(context_syncs_.get());
  mcp_ = std::make_unique<McpService>(mcp_options(), loop_, McpService::Parts{*fleet_, *desk_, *context_syncs_, *context_writes_, http_}, log_);
  mcp_->load(*kept);
  return {};
}

McpService::Options Hub::mcp_options() const {
  McpService::Options options;
  options.endpoint.name = "tideline-hub";
  options.endpoint.version = TIDELINE_VERSION;
  options.endpoint.hosts = keys_.server_info.names;
  options.endpoint.hosts.insert(options.endpoint.hosts.end(), config_.http.hosts.begin(), config_.http.hosts.end());
  options.endpoint.origins = config_.http.origins;
  return options;
}

SessionOptions Hub::session_options() const {
  SessionOptions options;
  options.hub = !config_.hub.name.empty() ? config_.hub.name : keys_.server_info.names.empty() ? "hub" : keys_.server_info.names.front();
  options.credit_bytes = config_.link.credit;
  options.reconnect_least = config_.link.reconnect_least;
  options.reconnect_spread = config_.link.reconnect_spread;
  options.ping_interval = config_.link.ping_interval;
  return options;
}

Status Hub::make_server(std::string& problem) {
  tls::ServerOptions options;
  options.identity = keys_.server;
  options.client_ca_pem = keys_.authority.certificate_pem;
  options.alpn = {net::link_protocol, net::http_protocol};
  auto server = make_tls_server(options, &tickets_);
  if (!server) {
    problem = state_.server_certificate() + ": " + server.error().context + ": " + error_name(server.error().code);
    return server.error();
  }
  servers_.push_back(std::move(*server));
  if (acceptor_ != nullptr) acceptor_->set_server(*servers_.back());
  return {};
}

Status Hub::listen(std::string& problem) {
  net::AcceptorBounds bounds;
  bounds.connections = static_cast<size_t>(config_.link.connections);
  bounds.steps_per_turn = handshake_steps_per_turn();
  net::CertificateClock& clock = *this;
  net::Acceptor::Listener& listener = *this;
  acceptor_ = std::make_unique<net::Acceptor>(loop_, servers_.back().get(), clock, listener, bounds);
  HostPort place;
  if (!parse_host_port(config_.hub.listen, place)) {
    problem = "[hub] listen: '" + config_.hub.listen + "' is not an address with a port";
    return Error{ErrorCode::invalid, 0, "listen address"};
  }
  RETURN_IF_ERROR(listen_on(*acceptor_, place, problem));
  if (config_.http.loopback_port != 0) {
    bounds.connections = limits::http_connections;
    loopback_ = std::make_unique<net::Acceptor>(loop_, nullptr, clock, listener, bounds);
    RETURN_IF_ERROR(listen_on(*loopback_, {"127.0.0.1", static_cast<uint16_t>(config_.http.loopback_port)}, problem));
  }
  const Status listening = admin_.listen(state_.admin_socket());
  if (!listening) problem = state_.admin_socket() + ": " + listening.error().context + ": " + error_name(listening.error().code);
  return listening;
}

Status Hub::listen_on(net::Acceptor& acceptor, const HostPort& place, std::string& problem) {
  const std::string text = host_port_text(place.host, place.port);
  const auto address = uv::Address::parse(place.host, place.port);
  const Status listening = address ? acceptor.listen(*address) : Status(address.error());
  if (listening) return {};
  switch (listening.error().code) {
    case ErrorCode::busy: problem = text + " is in use by another program; stop it, or set another [hub] listen"; break;
    case ErrorCode::denied: problem = text + ": not allowed; ports below 1024 need a privilege"; break;
    case ErrorCode::invalid: problem = text + " is not an address of this machine, written as numbers"; break;
    default: problem = text + ": " + listening.error().context + ": " + error_name(listening.error().code); break;
  }
  return listening.error();
}

void Hub::announce() {
  const uv::Address bound = acceptor_->address();
  const std::string name = keys_.server_info.names.empty() ? bound.host() : keys_.server_info.names.front();
  (void)store_->set_setting(0, "address", host_port_text(name, bound.port()));
  log_info(log_, area, "tideline-hub %s serves on %s, TLS by %s, authority %s, state in %s: %s", TIDELINE_VERSION, bound.text().c_str(), tls_library().c_str(),
           keys_.authority_info.fingerprint.c_str(), state_.path.c_str(), status_line().c_str());
  if (!mcp_->access().has_keys()) {
    log_warning(log_, area, "no API key was made: MCP is served to programs on this machine only, with all rights; 'tideline-hub key create --role admin' makes one");
  }
  notifier_.ready(status_line());
}

void Hub::run() { loop_.run(); }

std::string Hub::status_line() const {
  return format("%zu of %zu devices online%s", fleet_->registry().online(), fleet_->registry().size(), store_health_ ? "" : ", the archive has FAILED");
}

// ---- Events

void Hub::on_connection(std::unique_ptr<net::Connection> connection) {
  if (is_stopping_) return loop_.retire(std::move(connection));
  connection->speaks_link() ? fleet_->accept(std::move(connection)) : http_.accept(std::move(connection));
}

void Hub::on_refused(const std::string& peer_address, const net::CloseReason& reason) { fleet_->on_refused(peer_address, reason); }

tls::CertificateTime Hub::certificate_time() { return {platform::wall_clock(), false}; }

void Hub::on_timer(uv::Timer& timer) {
  if (&timer == &stop_deadline_) return loop_.stop();
  const Instant now = platform::now();
  fleet_->on_tick(now);
  http_.on_tick(now);
  mcp_->on_tick(now);
  context_syncs_->on_tick(now);
  context_writes_->on_tick(now);
  if (is_stopping_) return end_when_empty();
  look_after_keys();
  notifier_.status(status_line());
  // Fed only from here and only while the store thread makes progress. An archive that failed is opened again by itself.
  const Instant busy_since = store_->busy_since();
  if (busy_since > now || now - busy_since < notifier_.watchdog_interval()) notifier_.alive(now);
}

/// Ticket keys change every limits::ticket_life, the server certificate at two thirds of its life.
void Hub::look_after_keys() {
  const Instant now = platform::now();
  if (now - keys_checked_ < key_check_interval) return;
  keys_checked_ = now;
  const UtcNanos wall = platform::wall_clock();
  if (tickets_.rotate(wall)) (void)save_ticket_keys(state_, tickets_);  // only costs full handshakes after a restart
  const auto renewed = renew_server_certificate(state_, config_.hub.names, config_.certificates.server_life, wall, keys_);
  if (!renewed) return log_error(log_, area, "the server certificate cannot be renewed: %s: %s", renewed.error().context, error_name(renewed.error().code));
  if (!*renewed) return;
  std::string problem;
  if (!make_server(problem)) return log_error(log_, area, "%s", problem.c_str());
  log_info(log_, area, "new server certificate, valid until %s", format_utc(keys_.server_info.validity.not_after).c_str());
}

void Hub::on_signal(int number) {
  log_info(log_, area, "%s: %s", number == SIGTERM ? "SIGTERM" : "SIGINT", is_stopping_ ? "ending at once" : "stopping");
  if (is_stopping_) return loop_.stop();
  begin_stop();
}

/// No new work, a goodbye to everybody; what is under way in the store is finished when it closes.
void Hub::begin_stop() {
  is_stopping_ = true;
  notifier_.stopping();
  acceptor_->stop_listening();
  if (loopback_ != nullptr) loopback_->stop_listening();
  admin_.stop();
  fleet_->dismiss_all("the hub is stopping", restart_pause);
  mcp_->close();
  http_.close_all();
  stop_deadline_.start(limits::stop_deadline);
  tick_.start_repeating(milliseconds(20));
}

void Hub::end_when_empty() {
  if (fleet_->links() == 0 && http_.open() == 0) loop_.stop();
}

// ---- Store

void Hub::on_state_loaded(StoreToken token, Result<DeviceState> state) { fleet_->on_state_loaded(token, std::move(state)); }

void Hub::on_applied(StoreToken, Verdicts verdicts, Duration took) {
  if (verdicts) {
    last_commit_ = platform::now();
    commit_seconds_.add(took);
  } else {
    ++commits_failed_;
  }
  fleet_->on_applied(std::move(verdicts));
}

void Hub::on_command(StoreToken token, std::string answer) {
  if (fleet_->on_command(token) || desk_->on_command(token, answer)) return;
  const auto found = commands_.find(token);
  if (found == commands_.end()) return;
  const std::unique_ptr<Command> command = std::move(found->second);
  commands_.erase(found);
  if (!command->is_done) {
    command->answer.exit_code = 1;
    command->answer.error = "the hub's archive is not available; see its log";
  }
  if (command->record) fleet_->on_record_changed(*command->record);
  // Before the answer: who has read it finds the new key, or the end of the old one, in force.
  if (command->keys) mcp_->set_keys(*command->keys);
  admin_.respond(command->connection, command->answer);
}

void Hub::on_store_health(Status health) { store_health_ = health; }

void Hub::on_done(StoreToken, Status status) {
  if (!status) log_warning(log_, area, "the archive could not note something: %s: %s", status.error().context, error_name(status.error().code));
}

void Hub::on_answer(StoreToken token, Result<model::QueryAnswer> answer) { (void)desk_->on_answer(token, answer); }
void Hub::on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values) { (void)desk_->on_latest(token, values); }
void Hub::on_gaps(StoreToken token, Result<std::vector<std::pair<std::string, model::Gap>>> gaps) { (void)desk_->on_gaps(token, gaps); }

// Enrolment runs as commands of the fleet.
void Hub::on_device(StoreToken, Result<DeviceRecord>) {}
void Hub::on_token_used(StoreToken, Result<Token>) {}

// ---- Pages and commands

void Hub::on_mcp_request(HttpConnection& connection, const http::Request& request) { mcp_->on_http_request(connection, request); }
void Hub::on_http_gone(uint64_t connection) {
  if (mcp_ != nullptr) mcp_->on_http_gone(connection);
}

Health Hub::health() {
  Health health;
  health.store_ok = store_health_.has_value();
  if (!health.store_ok) health.store_error = store_health_.error().context;
  const Instant now = platform::now();
  if (last_commit_ != never) health.last_commit_age = now - last_commit_;
  health.devices_online = fleet_->registry().online();
  health.uptime = now - started_;
  return health;
}

Metrics Hub::metrics() {
  Metrics metrics;
  fleet_->add_to(metrics);
  metrics.bytes_in += http_.traffic().received_bytes;
  metrics.bytes_out += http_.traffic().sent_bytes;
  metrics.http_connections = http_.open();
  metrics.http_requests = http_.requests();
  const net::AcceptorCounts& counts = acceptor_->counts();
  metrics.handshakes_resumed = counts.resumed;
  metrics.handshakes_failed = counts.failed;
  metrics.handshakes_full = counts.accepted - counts.resumed - counts.failed - counts.opening;
  metrics.commits = commit_seconds_.count();
  metrics.commits_failed = commits_failed_;
  metrics.commit_seconds = commit_seconds_;
  metrics.resident_bytes = read_resident_bytes();
  metrics.uptime = platform::now() - started_;
  return metrics;
}

void Hub::write_context(uint64_t connection, const AdminRequest& request) {
  std::vector<DeviceRecord> all;
  for (const DeviceEntry* device : fleet_->registry().select({})) all.push_back(device->record);
  std::string problem;
  std::vector<DeviceKey> devices;
  std::vector<std::string> ids;
  for (const DeviceRecord* device : context_devices(request, all, problem)) {
    devices.push_back(device->key);
    ids.push_back(device->id);
  }
  if (!problem.empty()) return admin_.respond(connection, refuse_admin(1, problem));
  context_writes_->write(std::move(devices), context_change(request), {}, [this, connection, request, ids = std::move(ids)](std::vector<ContextOutcome> outcomes) {
    const AdminAnswer answer = context_answer(request, ids, outcomes);
    desk_->fetch<bool>(
        [row = context_audit(request, answer, ids.size(), platform::wall_clock())](Archive& archive) -> Result<bool> {
          RETURN_IF_ERROR(archive.add_audit({row}));
          return true;
        },
        [this, connection, answer](Result<bool> kept) { admin_.respond(connection, kept ? answer : archive_failed(kept.error())); });
  });
}

void Hub::on_admin_request(uint64_t connection, const AdminRequest& request) {
  if (request.command == "online") {
    AdminAnswer answer;
    answer.result = fleet_->online_json();
    return admin_.respond(connection, answer);
  }
  if (is_context_write(request)) return write_context(connection, request);
  const StoreToken token = next_command_++;
  auto command = std::make_unique<Command>();
  command->connection = connection;
  Command* const out = command.get();
  commands_[token] = std::move(command);
  const UtcNanos now = platform::wall_clock();
  const Status taken = store_->run(token, [out, request, now](Archive& archive) {
    out->answer = execute_admin(archive, request, now);
    out->record = archive.device(request.argument("device"));
    if (out->answer.keys_changed) {
      out->keys = archive.keys();
      if (!out->keys) out->answer = archive_failed(out->keys.error());
    }
    out->is_done = true;
    return std::string();
  });
  if (!taken) on_command(token, "");
}

}  // namespace tideline::hub
