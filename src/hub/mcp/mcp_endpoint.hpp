// MCP over Streamable HTTP: requests of /mcp and /mcp/device/<id> become messages of conversations, and what these say becomes JSON
// bodies or event streams. The order of checks is that of the specification (mcp/http_rules.hpp): host and origin, then who calls, then
// what is asked.
//
// Owned by McpService. Thread: loop. Memory only: legacy sessions end with the hub. Bounds: limits::http_connections exchanges,
// hub_sessions, hub_sessions_per_principal, hub_session_idle; a client that does not read is given up by its connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/fleet/registry.hpp"
#include "hub/http/http_connection.hpp"
#include "hub/mcp/access.hpp"
#include "hub/mcp/conversation.hpp"
#include "mcp/http_rules.hpp"
#include "mcp/message.hpp"

namespace tideline::hub {

class McpEndpoint final : private Conversation::Owner {
 public:
  /// What stands behind the endpoint.
  class Backend {
   public:
    virtual ~Backend() = default;
    virtual HttpConnection* find_connection(uint64_t id) = 0;
    /// What the caller may see there.
    virtual std::unique_ptr<mcp::Catalog> view(const Principal& principal, const Target& target) = 0;
    virtual void on_call(Conversation& conversation, const mcp::Call& call) = 0;
    virtual void on_cancel(const CallRef& call) = 0;
    virtual void on_watch(Conversation& conversation, const std::string& uri, bool is_watched) = 0;
    virtual std::string random_id() = 0;  ///< 128 bits or more, visible ASCII
  };
  struct Options {
    std::string name;
    std::string version;
    std::vector<std::string> hosts;    ///< names of this hub
    std::vector<std::string> origins;  ///< browsers' origins that are let in
  };

  McpEndpoint(Options options, Backend& backend, const Access& access, const Registry& registry);
  ~McpEndpoint() override;

  void on_request(HttpConnection& connection, const http::Request& request, Instant now, UtcNanos wall);
  void on_connection_gone(uint64_t connection);
  /// About once a second: deadlines of calls, keep-alive comments, idle sessions.
  void on_tick(Instant now);
  /// Frees conversations that ended; outside their events.
  void collect();
  /// Ends the conversations of those who may not stay.
  void end_unless(const std::function<bool(const Principal&)>& may_stay);
  /// The hub is stopping: ends all listens, so that their clients know.
  void end_listens();

  /// Null when it has ended.
  Conversation* find(uint64_t conversation);
  /// All that are open.
  void for_each(const std::function<void(Conversation&)>& visit);
  size_t conversations() const { return conversations_.size(); }
  size_t sessions() const { return sessions_.size(); }

 private:
  /// What is under way on one HTTP connection.
  struct Exchange {
    uint64_t conversation = 0;
    mcp::Era era = mcp::Era::modern;
    bool accepts_stream = false;
    bool is_session_stream = false;  ///< the GET of a legacy session
    bool shows_session = false;      ///< the answer carries the id of a new session
    bool wants_stream = false;       ///< quiet time is filled with comments
    Instant quiet_since;
  };
  struct Session {
    uint64_t conversation = 0;
    uint64_t stream = 0;  ///< connection of its GET, 0 for none
    Instant used;
  };

  void on_post(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target, Instant now);
  void on_get(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target, Instant now);
  void on_delete(HttpConnection& connection, const http::Request& request, const Principal& principal, const Target& target);
  bool find_principal(HttpConnection& connection, const http::Request& request, UtcNanos wall, Principal& out);
  bool find_target(const http::Request& request, const Principal& principal, Target& out) const;
  Session* find_session(const http::Request& request, const Principal& principal, const Target& target);
  Conversation* open(const Principal& principal, const Target& target, std::unique_ptr<mcp::Catalog> view, std::string session,
                     const mcp::HttpDecision& decision, Instant now);
  mcp::ServerOptions server_options(const Target& target) const;
  void make_room(const Principal& principal);
  void end_session(const std::string& id);
  void retire(uint64_t conversation);

  void on_call(Conversation& conversation, const mcp::Call& call) override { backend_.on_call(conversation, call); }
  void on_cancel(Conversation& conversation, mcp::CallToken token) override { backend_.on_cancel({conversation.id(), token}); }
  void on_watch(Conversation& conversation, const std::string& uri, bool is_watched) override { backend_.on_watch(conversation, uri, is_watched); }
  void on_message_out(Conversation& conversation, uint64_t connection, mcp::Outgoing&& message) override;
  void keep_alive(uint64_t connection);
  void begin_stream(HttpConnection& connection, Exchange& exchange, const Conversation& conversation);

  Options options_;
  Backend& backend_;
  const Access& access_;
  const Registry& registry_;
  std::unordered_map<uint64_t, std::unique_ptr<Conversation>> conversations_;
  std::unordered_map<uint64_t, Exchange> exchanges_;  // by connection
  std::map<std::string, Session, std::less<>> sessions_;
  std::vector<uint64_t> ended_;
  Instant now_;
  uint64_t next_ = 1;
};

}  // namespace tideline::hub
