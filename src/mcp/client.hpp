// The client side of MCP towards a third-party stdio server: finds the era, keeps the lists, makes calls. A pure state machine: lines and
// time go in, lines and events come out. The owner starts, stops and restarts the process.
//
// Owner: the child's supervisor. Thread: its owner's. After on_exit() it is ready for the next start; what was under way has failed.
// Bounds: limits::mcp_*. The listener outlives the client and does not destroy it from an event.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "mcp/catalog.hpp"
#include "mcp/message.hpp"

namespace tideline::mcp {

enum class EraChoice : uint8_t { automatic, modern, legacy };

struct ClientOptions {
  std::string name;
  std::string version;
  EraChoice era = EraChoice::automatic;
  /// What is declared to the server; only what the listener can really relay (ClientListener::on_request).
  std::string capabilities_json = "{}";
  Duration probe_timeout = limits::mcp_probe_timeout;
  Duration start_timeout = limits::mcp_start_timeout;
  Duration request_timeout = limits::mcp_request_timeout;  ///< without progress
  Duration call_timeout = limits::mcp_call_timeout;        ///< with progress
};

/// A request to make. Raw members without braces.
struct ClientRequest {
  Method method = Method::call_tool;
  std::string_view members{};            ///< of params
  std::string_view meta{};               ///< of params._meta, for passing on: trace context, vendor keys
  std::string_view capabilities_json{};  ///< in place of those of the options, modern only
  bool wants_progress = false;
};

/// How a request ended. Exactly one of result and error is present when the server answered; otherwise `failure` tells why not.
struct Outcome {
  uint64_t tag = 0;
  Slice result;
  Slice error;
  std::optional<Error> failure;  ///< timeout, closed, corrupt (an answer that its revision does not allow)
};

class ClientListener {
 public:
  virtual ~ClientListener() = default;
  virtual void on_line_out(std::string line) = 0;
  /// Requests may be made. The lists that the server offers are being read.
  virtual void on_ready() = 0;
  /// The server left because of the probe: start it again; it will be greeted the old way.
  virtual void on_respawn_wanted() = 0;
  /// No agreement is possible: stop the process. `why` is for people.
  virtual void on_unusable(std::string_view why) = 0;
  virtual void on_outcome(const Outcome& outcome) = 0;
  virtual void on_progress(uint64_t tag, Slice params) = 0;
  /// A list was read, raw items; called again after each change. `is_cut`: a bound was reached.
  virtual void on_list(ListKind kind, const std::vector<std::string>& items, bool is_cut) = 0;
  virtual void on_list_failed(ListKind kind, std::string_view why) = 0;
  virtual void on_resource_updated(std::string_view uri) = 0;
  virtual void on_log(Slice params) = 0;
  /// A legacy server asks for something the capabilities declare: answer() it. `id` is raw JSON.
  virtual void on_request(std::string_view id, Method method, Slice params) = 0;
};

class Client {
 public:
  struct Counters {
    uint64_t bad_lines = 0;  ///< not JSON-RPC: many servers print such things
    uint64_t stray = 0;      ///< answers nobody waits for
  };

  Client(ClientOptions options, ClientListener& listener);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The process
  void on_started(Instant now);
  void on_line(std::string_view line, Instant now);
  void on_exit(Instant now);
  void on_timer(Instant now);
  Instant next_deadline() const;

  /// The tag names the request in events. Errors: closed (not ready), limit (in flight, line length), unsupported (not in this era).
  Result<uint64_t> request(const ClientRequest& request, Instant now);
  Result<uint64_t> call_tool(std::string_view name, Slice arguments, Instant now);
  /// No event comes for this tag any more.
  void cancel(uint64_t tag, std::string_view reason);
  /// Answers on_request(). Exactly one of the two is given.
  void answer(std::string_view id, std::string_view result_json, const RpcError* error);
  /// Reads a list again.
  void refresh(ListKind kind, Instant now);
  /// The URIs to hear updates of, replacing those before; the first limits::mcp_watched_uris are taken.
  void watch(std::vector<std::string> uris, Instant now);

  bool is_ready() const { return state_ == State::ready; }
  /// Known when ready; worth keeping with the command, to spare the next start a probe.
  Revision revision() const { return revision_; }
  /// Raw JSON as the server gave them; empty when it gave none.
  const std::string& server_info_json() const { return server_info_; }
  const std::string& capabilities_json() const { return capabilities_; }
  const std::string& instructions() const { return instructions_; }
  const Counters& counters() const { return counters_; }

 private:
  enum class State : uint8_t { idle, probing, greeting, ready, unusable };
  enum class Purpose : uint8_t { discover, initialize, list, listen, watch, call };
  struct Pending {
    uint64_t id = 0;
    Purpose purpose = Purpose::call;
    Method method = Method::unknown;
    bool wants_progress = false;
    Instant deadline = never;       ///< moves with progress
    Instant last_deadline = never;  ///< does not
  };
  struct ListState {
    bool is_loading = false;
    bool is_dirty = false;  ///< changed while loading
    size_t pages = 0;
    size_t bytes = 0;
    std::vector<std::string> items;
  };

  // client.cpp: era and lifecycle
  void probe(Instant now);
  void greet(Instant now);
  void on_discovered(const Message& message, Instant now);
  void on_greeted(const Message& message, Instant now);
  void become_ready(Revision revision, Slice capabilities, Instant now);
  void give_up(std::string_view why);
  void forget_all(const Error& why);

  // client_requests.cpp: messages both ways
  uint64_t send_request(Purpose purpose, Method method, std::string_view members, const ClientRequest& extra, Instant now, Duration timeout);
  std::string params_json(uint64_t id, std::string_view members, const ClientRequest& extra, bool is_modern) const;
  void on_message(const Message& message, Instant now);
  void on_response(const Message& message, Instant now);
  void on_call_response(const Pending& pending, const Message& message);
  void on_server_request(const Message& message);
  void on_notification(const Message& message, Instant now);
  void on_server_progress(const Message& message, Instant now);
  void expire(const Pending& pending, Instant now);
  void send_cancel(uint64_t id, std::string_view reason);
  Pending* find(uint64_t id);
  bool is_declared(Method method) const;

  // client_lists.cpp: lists and watching
  void request_page(ListKind kind, Slice cursor, Instant now);
  void on_page(ListKind kind, const Message& message, Instant now);
  void finish_list(ListKind kind, bool is_cut, Instant now);
  void fail_list(ListKind kind, std::string_view why, Instant now);
  bool offers(ListKind kind) const;
  void listen(Instant now);
  void on_listen_end(const Pending& pending, const Message& message, Instant now);
  void watch_legacy(const std::vector<std::string>& before, Instant now);
  ListState& list(ListKind kind) { return lists_[static_cast<size_t>(kind)]; }

  ClientOptions options_;
  ClientListener& listener_;
  State state_ = State::idle;
  bool skips_probe_ = false;       ///< the server is known to be legacy, or to die of probes
  bool probed_this_process_ = false;
  Revision revision_ = newest_legacy;
  std::string capabilities_;
  std::string server_info_;
  std::string instructions_;
  uint64_t last_id_ = 0;
  std::vector<Pending> pending_;
  std::array<ListState, list_kinds> lists_;
  std::vector<std::string> watched_;
  uint64_t listen_id_ = 0;
  Instant listen_at_ = never;      ///< when to listen again
  Counters counters_;
};

}  // namespace tideline::mcp
