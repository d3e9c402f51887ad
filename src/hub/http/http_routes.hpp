// Which page of the hub an HTTP request asks for, and the short answers that need nothing but the request. Pure.
#pragma once

#include <cstdint>

#include "hub/http/health.hpp"
#include "hub/http/metrics.hpp"
#include "wrap/http/message.hpp"

namespace tideline::hub {

enum class Route : uint8_t { health, metrics, mcp, wrong_method, unknown };

Route route_of(const http::Request& request);

/// 200 when the store works, else 503, so that a load balancer needs no JSON.
http::Response health_page(const Health& health);
http::Response metrics_page(const Metrics& metrics);
http::Response wrong_method_page();
http::Response unknown_page();

}  // namespace tideline::hub
