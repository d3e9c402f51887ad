// One stream of MCP messages at the Gateway: a program on agent.sock, a stdio client, or one call that came over the hub link. Lines go
// in, lines come out at the Output it was opened with.
//
// Made by Gateway::open_stream(), owned by whoever owns the stream; the gateway and the output outlive it. Thread: loop. Destroying it
// cancels what it had under way and its watches; that must not happen inside one of its own events or inside its Output. Bounds:
// limits::mcp_*.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/gateway/provider.hpp"
#include "mcp/server.hpp"

namespace tideline::agent {

class Gateway;

struct StreamOptions {
  std::string principal = "local";  ///< who calls: state sealed for one is refused from another
  /// A stream that ends by being closed, as a POST does: no unsolicited notifications, and the end of a listen is its result alone.
  bool is_http = false;
  Duration call_timeout = limits::mcp_call_timeout;
};

class Desk final : private mcp::Handler {
 public:
  ~Desk() override;
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void on_line(std::string_view line);
  /// For an owner that looked into the line already.
  void on_message(const mcp::Message& message);
  /// A line over the bound was passed over.
  void on_long_line() { server_.on_long_line(); }
  /// The stream is closing down in order: listens get their last message. Destroy the desk afterwards.
  void end_listens() { server_.end_listens(); }

  /// Calls run out of time. Gateway::on_timer() does this for every desk.
  void on_timer(Instant now) { server_.on_timer(now); }
  Instant next_deadline() const { return server_.next_deadline(); }

  uint64_t stream() const { return stream_; }
  size_t open_calls() const { return server_.open_calls(); }
  const mcp::Server::Counters& counters() const { return server_.counters(); }

 private:
  friend class Gateway;

  Desk(Gateway& gateway, uint64_t stream, mcp::ServerOptions options, mcp::Output& output);
  void on_call(const mcp::Call& call) override;
  void on_cancel(mcp::CallToken token) override;
  void on_watch(std::string_view uri, bool is_watched) override;

  Gateway& gateway_;
  uint64_t stream_;
  std::map<mcp::CallToken, Provider*> work_;  // who answers what
  mcp::Server server_;
};

}  // namespace tideline::agent
