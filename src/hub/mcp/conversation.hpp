// One MCP client at one endpoint of the hub: a single POST (newest revision), or the session of a legacy client over many POSTs and a
// stream of its own. Holds the protocol's Server and knows which HTTP connection hears what.
//
// Owned by McpEndpoint, given up outside its own events. Thread: loop. Memory only. Bounds: those of mcp::Server.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "hub/mcp/access.hpp"
#include "mcp/server.hpp"

namespace tideline::hub {

/// What an endpoint is about: one device, or (0) the fleet.
struct Target {
  DeviceKey device = 0;
  std::string device_id;
  bool is_fleet() const { return device == 0; }
  bool operator==(const Target&) const = default;
};

/// One call at the hub: the conversation and its name there.
struct CallRef {
  uint64_t conversation = 0;
  mcp::CallToken token = 0;
  auto operator<=>(const CallRef&) const = default;
};

class Conversation final : private mcp::Handler, private mcp::Output {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_call(Conversation& conversation, const mcp::Call& call) = 0;
    virtual void on_cancel(Conversation& conversation, mcp::CallToken token) = 0;
    virtual void on_watch(Conversation& conversation, const std::string& uri, bool is_watched) = 0;
    /// A message for an HTTP connection; 0 is the session's own stream.
    virtual void on_message_out(Conversation& conversation, uint64_t connection, mcp::Outgoing&& message) = 0;
  };
  struct Identity {
    uint64_t id = 0;
    Principal principal;
    Target target;
    std::string session;  ///< "" for a single POST
  };

  Conversation(Identity identity, std::unique_ptr<mcp::Catalog> view, mcp::ServerOptions options, Owner& owner)
      : identity_(std::move(identity)), view_(std::move(view)), owner_(owner),
        server_(std::move(options), *view_, static_cast<mcp::Handler&>(*this), static_cast<mcp::Output&>(*this), nullptr) {}

  uint64_t id() const { return identity_.id; }
  const Principal& principal() const { return identity_.principal; }
  const Target& target() const { return identity_.target; }
  const std::string& session() const { return identity_.session; }
  bool is_session() const { return !identity_.session.empty(); }
  mcp::Server& server() { return server_; }
  const std::set<std::string>& watched() const { return watched_; }

  /// A message that came on `connection`, which hears its answers.
  void on_message(const mcp::Message& message, uint64_t connection, Instant now);
  /// Of a single POST the end of its connection cancels; of a session it does not.
  void on_connection_gone(uint64_t connection);
  /// Ends everything; nothing is sent.
  void close() { server_.on_close(); }

 private:
  void on_call(const mcp::Call& call) override;
  void on_cancel(mcp::CallToken token) override;
  void on_watch(std::string_view uri, bool is_watched) override;
  void on_outgoing(mcp::Outgoing message) override;

  Identity identity_;
  std::unique_ptr<mcp::Catalog> view_;
  Owner& owner_;
  mcp::Server server_;
  uint64_t current_ = 0;                        ///< the connection whose message is being handled, or of the only POST
  std::map<mcp::CallToken, uint64_t> hearers_;  ///< of a session: who hears the answer to a call
  std::set<std::string> watched_;               ///< URIs
};

}  // namespace tideline::hub
