#include "hub/http/http_routes.hpp"

#include <gtest/gtest.h>

namespace tideline::hub {
namespace {

Route route(std::string method, std::string target) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  return route_of(request);
}

TEST(HttpRoutes, the_query_does_not_change_the_page) {
  EXPECT_EQ(route("GET", "/healthz"), Route::health);
  EXPECT_EQ(route("GET", "/healthz?verbose=1"), Route::health);
  EXPECT_EQ(route("HEAD", "/metrics"), Route::metrics);
}

TEST(HttpRoutes, pages_are_only_read) {
  EXPECT_EQ(route("POST", "/metrics"), Route::wrong_method);
  EXPECT_EQ(route("DELETE", "/healthz"), Route::wrong_method);
}

TEST(HttpRoutes, other_paths_are_unknown_whatever_the_method) {
  EXPECT_EQ(route("GET", "/"), Route::unknown);
  EXPECT_EQ(route("POST", "/healthz/"), Route::unknown);
  EXPECT_EQ(route("GET", "/healthz%2f"), Route::unknown);
  EXPECT_EQ(route("OPTIONS", "*"), Route::unknown);
}

TEST(HttpRoutes, a_failed_store_makes_the_hub_unhealthy) {
  Health health;
  EXPECT_EQ(health_page(health).status, 200);
  health.store_ok = false;
  health.store_error = "disk says \"no\"";
  const http::Response response = health_page(health);
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find(R"("error":"disk says \"no\"")"), std::string::npos);
}

}  // namespace
}  // namespace tideline::hub
