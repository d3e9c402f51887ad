// MCP at the hub, every part a member in the order of dependency; events of one part are passed to those that need them.
//
// Owned by Hub. Thread: loop. Durable: catalogs, tasks, keys and audit, in the archive. Bounds: those of its parts.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "hub/context/context_syncs.hpp"
#include "hub/context/context_writes.hpp"
#include "hub/fleet/fleet.hpp"
#include "hub/http/http_server.hpp"
#include "hub/mcp/access.hpp"
#include "hub/mcp/audit.hpp"
#include "hub/mcp/catalogs.hpp"
#include "hub/mcp/context_desk.hpp"
#include "hub/mcp/device_calls.hpp"
#include "hub/mcp/device_watches.hpp"
#include "hub/mcp/fleet_answers.hpp"
#include "hub/mcp/fleet_desk.hpp"
#include "hub/mcp/mcp_endpoint.hpp"
#include "hub/mcp/router.hpp"
#include "hub/mcp/task_desk.hpp"
#include "hub/store/store_desk.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

class McpService final : public CallEvents,
                         private DeviceCalls::Links,
                         private McpEndpoint::Backend,
                         private Router::Host,
                         private TaskBook::Listener,
                         private uv::TurnEnd::Listener,
                         private uv::Timer::Listener {
 public:
  struct Options {
    McpEndpoint::Options endpoint;
  };
  /// What it stands on; all outlive it.
  struct Parts {
    Fleet& fleet;
    StoreDesk& desk;
    ContextSyncs& context_syncs;
    ContextWrites& context_writes;
    HttpServer& http;
  };
  McpService(Options options, uv::Loop& loop, const Parts& parts, Log& log);
  ~McpService() override;

  /// What the archive holds for this, read before the store thread has it.
  struct State {
    struct Catalog {
      std::vector<DeviceKey> devices;
      std::string json;
    };
    std::vector<ApiKey> keys;
    std::vector<TaskRecord> tasks;
    std::vector<Catalog> catalogs;
  };
  static Result<State> read(Archive& archive);
  void load(const State& state);
  const Access& access() const { return access_; }
  /// All keys of the archive, in force at once.
  void set_keys(const std::vector<ApiKey>& keys);

  void on_http_request(HttpConnection& connection, const http::Request& request);
  void on_http_gone(uint64_t connection) { endpoint_.on_connection_gone(connection); }
  void on_tick(Instant now);
  /// The hub is stopping.
  void close();

 private:
  // CallEvents
  void on_device_up(DeviceKey device, const link::Hello& hello) override;
  void on_device_down(DeviceKey device) override;
  void on_reply(DeviceKey device, const link::ReplyFrame& frame) override;
  void on_notify(DeviceKey device, const link::NotifyFrame& frame) override;
  uint64_t catalog_hash(DeviceKey device) const override { return catalogs_.hash(device); }
  // Links
  size_t call_room(DeviceKey device) override { return fleet_.call_room(device); }
  Status send(DeviceKey device, const link::CallFrame& frame) override { return fleet_.send(device, frame); }
  Status send(DeviceKey device, const link::CancelFrame& frame) override { return fleet_.send(device, frame); }
  // Backend
  HttpConnection* find_connection(uint64_t id) override { return http_.find(id); }
  std::unique_ptr<mcp::Catalog> view(const Principal& principal, const Target& target) override;
  void on_call(Conversation& conversation, const mcp::Call& call) override;
  void on_cancel(const CallRef& call) override;
  void on_watch(Conversation& conversation, const std::string& uri, bool is_watched) override;
  std::string random_id() override;
  // Router::Host
  Conversation* find_conversation(uint64_t id) override { return endpoint_.find(id); }
  void on_fleet_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) override;
  void on_offline_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call, const Target& device, const RelayChange& change) override;
  void on_task_call(const CallRef& ref, Conversation& conversation, const mcp::Call& call) override;
  void on_call_cancelled(const CallRef& ref) override;
  void on_task_changed(const TaskRecord& record) override;
  void on_audit() override;
  void on_turn_end() override;
  void on_timer(uv::Timer& timer) override;

  void write_audit();
  void take_catalog(DeviceKey device, const std::string& text);
  void announce(DeviceKey device, const Catalogs::Change& change);
  void on_updated(DeviceKey device, const std::string& uri);

  Fleet& fleet_;
  HttpServer& http_;
  Log& log_;
  Access access_;
  Catalogs catalogs_;
  Audit audit_;
  StoreDesk& desk_;
  DeviceCalls calls_;
  DeviceWatches watches_;
  Router router_;
  FleetCatalogs fleet_catalogs_;
  FleetDesk fleet_desk_;
  TaskBook book_;
  TaskDesk task_desk_;
  FleetAnswers fleet_answers_;
  ContextDesk context_desk_;
  McpEndpoint endpoint_;
  std::map<DeviceKey, std::string> notices_;           ///< pieces of a notice that is coming in
  std::map<DeviceKey, Catalogs::Change> changes_;      ///< not yet announced
  uv::TurnEnd turn_end_;
  uv::Timer announce_;
  uv::Timer audit_due_;
  bool has_presence_changed_ = false;
  bool is_announcing_ = false;
  bool is_closing_ = false;
};

}  // namespace tideline::hub
