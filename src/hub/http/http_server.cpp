#include "hub/http/http_server.hpp"

#include "base/limits.hpp"
#include "hub/http/http_routes.hpp"

namespace tideline::hub {

void HttpServer::accept(std::unique_ptr<net::Connection> connection) {
  if (connections_.size() >= limits::http_connections) return loop_.retire(std::move(connection));
  const uint64_t id = next_id_++;
  HttpConnection::Handler& handler = *this;
  connections_.emplace(id, std::make_unique<HttpConnection>(id, std::move(connection), handler));
}

void HttpServer::on_tick(Instant now) {
  for (auto& [id, connection] : connections_) connection->on_tick(now);
}

HttpConnection* HttpServer::find(uint64_t connection) {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? nullptr : found->second.get();
}

void HttpServer::close_all() {
  for (auto& [id, connection] : connections_) connection->close();
}

net::Traffic HttpServer::traffic() const {
  net::Traffic sum = past_;
  for (const auto& [id, connection] : connections_) {
    sum.received_bytes += connection->traffic().received_bytes;
    sum.sent_bytes += connection->traffic().sent_bytes;
  }
  return sum;
}

void HttpServer::on_http_request(HttpConnection& connection, const http::Request& request) {
  ++requests_;
  switch (route_of(request)) {
    case Route::health: return connection.respond(health_page(source_.health()));
    case Route::metrics: return connection.respond(metrics_page(source_.metrics()));
    case Route::mcp: return source_.on_mcp_request(connection, request);
    case Route::wrong_method: return connection.respond(wrong_method_page());
    case Route::unknown: return connection.respond(unknown_page());
  }
}

void HttpServer::on_http_closed(HttpConnection& connection) {
  const auto found = connections_.find(connection.id());
  if (found == connections_.end()) return;
  source_.on_http_gone(connection.id());
  past_.received_bytes += connection.traffic().received_bytes;
  past_.sent_bytes += connection.traffic().sent_bytes;
  loop_.retire(std::move(found->second));
  connections_.erase(found);
}

}  // namespace tideline::hub
