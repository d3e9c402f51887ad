// The hub's HTTP side: connections that did not ask for the link's protocol, and what they ask for: pages here, /mcp at its source.
//
// Owned by Hub. Thread: loop. Bounds: limits::http_connections; beyond them a client is closed at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "hub/http/health.hpp"
#include "hub/http/http_connection.hpp"
#include "hub/http/metrics.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

class HttpServer final : private HttpConnection::Handler {
 public:
  /// What the pages show.
  class Source {
   public:
    virtual ~Source() = default;
    virtual Health health() = 0;
    virtual Metrics metrics() = 0;
    /// Everything below /mcp and /.well-known: answer through the connection, now or later; it is found again by its id.
    virtual void on_mcp_request(HttpConnection& connection, const http::Request& request) = 0;
    virtual void on_http_gone(uint64_t connection) = 0;
  };
  HttpServer(uv::Loop& loop, Source& source) : loop_(loop), source_(source) {}
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void accept(std::unique_ptr<net::Connection> connection);
  void on_tick(Instant now);
  void close_all();
  /// Null when it has gone.
  HttpConnection* find(uint64_t connection);

  size_t open() const { return connections_.size(); }
  uint64_t requests() const { return requests_; }
  /// Of connections open and past.
  net::Traffic traffic() const;

 private:
  void on_http_request(HttpConnection& connection, const http::Request& request) override;
  void on_http_closed(HttpConnection& connection) override;

  uv::Loop& loop_;
  Source& source_;
  std::map<uint64_t, std::unique_ptr<HttpConnection>> connections_;
  uint64_t next_id_ = 1;
  uint64_t requests_ = 0;
  net::Traffic past_;
};

}  // namespace tideline::hub
