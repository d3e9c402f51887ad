#include "hub/http/health.hpp"

#include "mcp/json_write.hpp"

namespace tideline::hub {

std::string health_json(const Health& health) {
  std::string text;
  mcp::ObjectWriter object(text);
  object.text("status", health.store_ok ? "ok" : "failed");
  object.text("version", TIDELINE_VERSION);
  object.real("uptime_seconds", health.uptime.seconds());
  object.integer("devices_online", static_cast<int64_t>(health.devices_online));
  std::string store;
  mcp::ObjectWriter store_object(store);
  store_object.boolean("writable", health.store_ok);
  if (!health.store_error.empty()) store_object.text("error", health.store_error);
  if (health.last_commit_age) store_object.real("last_commit_age_seconds", health.last_commit_age->seconds());
  store_object.end();
  object.raw("store", store);
  object.end();
  return text;
}

}  // namespace tideline::hub
