// The hub that serves: every part a member, in the order of dependency; events of one part are passed to those that need them.
//
// Owned by `tideline-hub serve`. Thread: loop; the store has its own. After a crash everything durable is the archive's and the
// state directory's.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "hub/admin_server.hpp"
#include "hub/config.hpp"
#include "hub/context/context_syncs.hpp"
#include "hub/context/context_writes.hpp"
#include "hub/fleet/enrolment.hpp"
#include "hub/fleet/fleet.hpp"
#include "hub/http/http_server.hpp"
#include "hub/mcp/mcp_service.hpp"
#include "hub/state_directory.hpp"
#include "hub/store/store_thread.hpp"
#include "net/acceptor.hpp"
#include "notify.hpp"
#include "wrap/tls/server.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

class Hub final : private net::Acceptor::Listener,
                  private net::CertificateClock,
                  private StoreListener,
                  private HttpServer::Source,
                  private AdminServer::Listener,
                  private uv::Timer::Listener,
                  private uv::SignalWatch::Listener {
 public:
  Hub(const Config& config, const StateDirectory& state, HubKeys keys, Log& log);
  ~Hub() override;

  /// Opens the archive and the sockets. `problem` is for people.
  Status start(std::string& problem);
  /// Until SIGTERM or SIGINT.
  void run();

 private:
  /// Work on the store thread for a command; the result is read here when its answer comes.
  struct Command {
    uint64_t connection = 0;
    bool is_done = false;
    AdminAnswer answer;
    Result<DeviceRecord> record = Error{};
    Result<std::vector<ApiKey>> keys = Error{};  ///< all, when they changed
  };

  Status open_archive(std::string& problem);
  Status listen(std::string& problem);
  Status listen_on(net::Acceptor& acceptor, const HostPort& place, std::string& problem);
  Status make_server(std::string& problem);
  SessionOptions session_options() const;
  McpService::Options mcp_options() const;
  void announce();
  void look_after_keys();
  void write_context(uint64_t connection, const AdminRequest& request);
  void begin_stop();
  void end_when_empty();
  std::string status_line() const;

  void on_connection(std::unique_ptr<net::Connection> connection) override;
  void on_refused(const std::string& peer_address, const net::CloseReason& reason) override;
  tls::CertificateTime certificate_time() override;
  Health health() override;
  Metrics metrics() override;
  void on_mcp_request(HttpConnection& connection, const http::Request& request) override;
  void on_http_gone(uint64_t connection) override;
  void on_admin_request(uint64_t connection, const AdminRequest& request) override;
  void on_timer(uv::Timer& timer) override;
  void on_signal(int number) override;

  void on_state_loaded(StoreToken token, Result<DeviceState> state) override;
  void on_applied(StoreToken token, Verdicts verdicts, Duration took) override;
  void on_device(StoreToken token, Result<DeviceRecord> record) override;
  void on_token_used(StoreToken token, Result<Token> used) override;
  void on_done(StoreToken token, Status status) override;
  void on_answer(StoreToken token, Result<model::QueryAnswer> answer) override;
  void on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values) override;
  void on_gaps(StoreToken token, Result<std::vector<std::pair<std::string, model::Gap>>> gaps) override;
  void on_command(StoreToken token, std::string answer) override;
  void on_store_health(Status health) override;

  const Config& config_;
  StateDirectory state_;
  HubKeys keys_;
  Log& log_;
  platform::Notifier notifier_;
  uv::Loop loop_;
  tls::TicketKeys tickets_;
  std::vector<std::unique_ptr<tls::Server>> servers_;     ///< the last is for new connections; older ones serve theirs
  Enrolment enrolment_;
  std::unordered_map<StoreToken, std::unique_ptr<Command>> commands_;
  std::unique_ptr<StoreThread> store_;
  std::unique_ptr<net::Acceptor> acceptor_;
  std::unique_ptr<net::Acceptor> loopback_;
  std::unique_ptr<StoreDesk> desk_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<ContextSyncs> context_syncs_;
  std::unique_ptr<ContextWrites> context_writes_;
  HttpServer http_;
  std::unique_ptr<McpService> mcp_;
  AdminServer admin_;
  uv::SignalWatch terminate_;
  uv::SignalWatch interrupt_;
  uv::Timer tick_;
  uv::Timer stop_deadline_;

  StoreToken next_command_ = StoreToken{1} << 63;  ///< apart from the fleet's numbers
  Instant started_;
  Instant last_commit_ = never;
  Instant keys_checked_{};
  Status store_health_;
  SecondsHistogram commit_seconds_;
  uint64_t commits_failed_ = 0;
  bool is_stopping_ = false;
};

}  // namespace tideline::hub
