// `tideline-hub key create`, `key list`, `key revoke`.
#include <cstdio>

#include "base/table.hpp"
#include "clock.hpp"
#include "hub/admin_client.hpp"
#include "hub/cli.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub::cli {
namespace {

const char* key_state(const ApiKey& key, UtcNanos now) {
  if (key.revoked_ns != 0) return "revoked";
  return key.expires_ns != 0 && key.expires_ns <= now.nanos ? "expired" : "works";
}

std::string whole_seconds(int64_t time_ns) { return format_utc({time_ns / 1'000'000'000 * 1'000'000'000}); }

void print_key(const mcp::Slice& result) {
  const std::string devices = mcp::find_member(result, "devices").text();
  const mcp::Slice expires = mcp::find_member(result, "expires");
  std::printf("API key %s, role %s, devices %s, works until %s. It is shown only now:\n\n  %s\n\n", mcp::find_member(result, "id").text().c_str(),
              mcp::find_member(result, "role").text().c_str(), devices.empty() ? "all" : devices.c_str(),
              expires.is(mcp::JsonKind::string) ? expires.text().c_str() : "it is revoked", mcp::find_member(result, "key").text().c_str());
  std::printf("MCP clients send it as the header 'Authorization: Bearer <key>' to /mcp or /mcp/device/<id>.\n");
  if (mcp::find_member(result, "is_first").is_true()) std::printf("It is the first key: from now on callers on this machine need one too.\n");
}

}  // namespace

int key_create(const Arguments& arguments) {
  auto site = load(arguments, "key create");
  if (!site || !check_initialised(*site, "key create")) return usage_error;
  AdminRequest request{"key create", {}};
  for (const char* name : {"role", "devices", "name", "ttl"}) request.arguments[name] = arguments.get(name);
  const AdminAnswer answer = run_admin(site->state, request, platform::wall_clock(), site->log);
  if (answer.exit_code != 0) return fail(answer.exit_code, "key create", answer.error);
  if (arguments.has("json")) {
    std::printf("%s\n", answer.result.c_str());
  } else {
    print_key(mcp::Slice(answer.result));
  }
  return done;
}

int key_list(const Arguments& arguments) {
  auto site = load(arguments, "key list");
  if (!site) return usage_error;
  int code = done;
  const auto archive = open_for_reading(*site, "key list", code);
  if (archive == nullptr) return code;
  const auto keys = archive->keys();
  if (!keys) return fail(failed, "key list", describe(keys.error()));
  const UtcNanos now = platform::wall_clock();
  Table table;
  for (const char* title : {"id", "state", "role", "devices", "name", "created", "expires"}) table.add_column(title);
  std::string items;
  for (const ApiKey& key : *keys) {
    const std::string expires = key.expires_ns == 0 ? "" : whole_seconds(key.expires_ns);
    table.add_row({key.id, key_state(key, now), role_name(key.role), key.devices.empty() ? "all" : key.devices, key.name, whole_seconds(key.created_ns), expires});
    if (!items.empty()) items += ",";
    mcp::ObjectWriter object(items);
    object.text("id", key.id).text("state", key_state(key, now)).text("role", role_name(key.role)).text("devices", key.devices).text("name", key.name);
    object.text("created", whole_seconds(key.created_ns));
    expires.empty() ? object.raw("expires", "null") : object.text("expires", expires);
    key.revoked_ns == 0 ? object.raw("revoked", "null") : object.text("revoked", whole_seconds(key.revoked_ns));
    object.end();
  }
  if (arguments.has("json")) {
    std::printf("{\"keys\":[%s]}\n", items.c_str());
  } else {
    std::fputs(table.text().c_str(), stdout);
  }
  return done;
}

int key_revoke(const Arguments& arguments) {
  auto site = load(arguments, "key revoke");
  if (!site || !check_initialised(*site, "key revoke")) return usage_error;
  if (arguments.words().size() != 1) return fail(usage_error, "key revoke", "name one key by its id; see 'tideline-hub key list'");
  const AdminAnswer answer = run_admin(site->state, {"key revoke", {{"id", arguments.words().front()}}}, platform::wall_clock(), site->log);
  if (answer.exit_code != 0) return fail(answer.exit_code, "key revoke", answer.error);
  std::printf("API key %s is revoked\n", arguments.words().front().c_str());
  return done;
}

}  // namespace tideline::hub::cli
