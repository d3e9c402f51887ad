#include "hub/admin_keys.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "hub/mcp/access.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr int failed = 1;
constexpr int usage_error = 2;
constexpr size_t name_bytes = 128;

/// "" when all is well, else what is wrong.
std::string read_key(const AdminRequest& request, UtcNanos now, ApiKey& key) {
  const std::string role = request.argument("role");
  if (role.empty()) return "--role is missing: viewer, operator or admin";
  if (!parse_role(role, key.role)) return "--role '" + role + "' is none of viewer, operator and admin";
  key.devices = request.argument("devices");
  if (const auto selector = model::parse_device_selector(key.devices); !key.devices.empty() && !selector) {
    return "--devices '" + key.devices + "': " + selector.error().context;
  }
  key.name = request.argument("name");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (key.name.size() > name_bytes || !is_utf8(key.name) || std::any_of(key.name.begin(), key.name.end(), is_control)) {
    return "--name has at most 128 bytes of text without control characters";
  }
  key.created_ns = now.nanos;
  const std::string ttl_text = request.argument("ttl");
  if (ttl_text.empty()) return "";
  Duration ttl;
  if (!parse_duration(ttl_text, ttl) || ttl < limits::key_life_least || __builtin_add_overflow(now.nanos, ttl.nanos, &key.expires_ns)) {
    return "--ttl '" + ttl_text + "' is not a time of at least 1m, such as 90d";
  }
  return "";
}

}  // namespace

AdminAnswer key_create(Archive& archive, const AdminRequest& request, UtcNanos now) {
  NewKey made = make_api_key();
  if (std::string problem = read_key(request, now, made.record); !problem.empty()) return refuse_admin(usage_error, std::move(problem));
  const auto before = archive.keys();
  if (!before) return archive_failed(before.error());
  const Status put = archive.put_key(made.record);
  if (!put && put.error().code == ErrorCode::limit) {
    return refuse_admin(failed, format("this hub has %zu API keys already, the most it can; revoked ones count, so that the audit can name them", limits::hub_keys));
  }
  if (!put) return archive_failed(put.error());
  AdminAnswer answer;
  answer.keys_changed = true;
  answer.result.clear();
  mcp::ObjectWriter object(answer.result);
  object.text("id", made.record.id).text("key", made.text).text("role", role_name(made.record.role)).text("devices", made.record.devices);
  object.text("name", made.record.name);
  made.record.expires_ns == 0 ? object.raw("expires", "null") : object.text("expires", format_utc({made.record.expires_ns}));
  object.boolean("is_first", before->empty());
  object.end();
  return answer;
}

AdminAnswer key_revoke(Archive& archive, const AdminRequest& request, UtcNanos now) {
  const std::string id = request.argument("id");
  auto keys = archive.keys();
  if (!keys) return archive_failed(keys.error());
  const auto found = std::find_if(keys->begin(), keys->end(), [&id](const ApiKey& key) { return key.id == id; });
  if (found == keys->end()) return refuse_admin(failed, "there is no API key '" + id + "'; see 'tideline-hub key list'");
  if (found->revoked_ns == 0) {
    found->revoked_ns = now.nanos;
    if (const Status put = archive.put_key(*found); !put) return archive_failed(put.error());
  }
  AdminAnswer answer;
  answer.keys_changed = true;
  answer.result.clear();
  mcp::ObjectWriter object(answer.result);
  object.text("id", id).text("name", found->name);
  object.end();
  return answer;
}

}  // namespace tideline::hub
