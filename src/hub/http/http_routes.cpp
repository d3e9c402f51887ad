#include "hub/http/http_routes.hpp"

#include <algorithm>

namespace tideline::hub {
namespace {

struct Page {
  std::string_view path;
  Route route;
};
constexpr Page pages[] = {
    {"/healthz", Route::health},
    {"/metrics", Route::metrics},
};

}  // namespace

Route route_of(const http::Request& request) {
  if (request.path() == "/mcp" || request.path().starts_with("/mcp/")) return Route::mcp;
  const auto page = std::find_if(std::begin(pages), std::end(pages), [&](const Page& p) { return p.path == request.path(); });
  if (page == std::end(pages)) return Route::unknown;
  return request.method == "GET" || request.method == "HEAD" ? page->route : Route::wrong_method;
}

http::Response health_page(const Health& health) {
  http::Response response = http::json_response(health.store_ok ? 200 : 503, health_json(health) + "\n");
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

http::Response metrics_page(const Metrics& metrics) {
  return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, prometheus_text(metrics)};
}

http::Response wrong_method_page() {
  http::Response response = http::text_response(405, "This page is only read: use GET.");
  response.headers.push_back({"Allow", "GET, HEAD"});
  return response;
}

http::Response unknown_page() { return http::text_response(404, "No such page. This hub serves /mcp, /mcp/device/<id>, /healthz and /metrics."); }

}  // namespace tideline::hub
