#include "hub/admin.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "hub/admin_context.hpp"
#include "hub/admin_keys.hpp"
#include "hub/fleet/enrolment.hpp"
#include "link/message.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr int failed = 1;
constexpr int usage_error = 2;

AdminAnswer token_create(Archive& archive, const AdminRequest& request, UtcNanos now) {
  const std::string device = request.argument("device");
  if (!link::is_device_id(device)) {
    return refuse_admin(usage_error, "'" + device + "' is no device id: use letters a-z, digits, '.', '_' or '-', at most 64, beginning with a letter or digit");
  }
  Duration ttl = limits::token_life;
  const std::string ttl_text = request.argument("ttl");
  if (!ttl_text.empty() && (!parse_duration(ttl_text, ttl) || ttl < limits::token_life_least || ttl > limits::token_life_most)) {
    return refuse_admin(usage_error, "--ttl '" + ttl_text + "' is not a time from 1m to 30d, such as 24h");
  }
  auto known = archive.device(device);
  if (!known && known.error().code != ErrorCode::not_found) return archive_failed(known.error());
  const std::string labels_text = request.argument("labels");
  if (!known || !labels_text.empty()) {
    DeviceRecord record;
    if (known) record = *known;
    record.id = device;
    auto labels = parse_labels(labels_text);
    if (!labels) return refuse_admin(usage_error, "--labels '" + labels_text + "': " + labels.error().context);
    record.labels = std::move(*labels);
    const auto stored = archive.put_device(record);
    if (!stored && stored.error().code == ErrorCode::limit) return refuse_admin(failed, format("this hub knows %zu devices already, the most it can", limits::hub_devices));
    if (!stored) return archive_failed(stored.error());
  }
  const std::string secret = make_token_secret();
  const UtcNanos expires = now + ttl;
  if (const Status put = archive.put_token({token_hash(secret), device, expires.nanos, 0}); !put) return archive_failed(put.error());
  const auto address = archive.setting("address");
  AdminAnswer answer;
  answer.result.clear();
  mcp::ObjectWriter object(answer.result);
  object.text("device", device).text("token", secret).text("expires", format_utc(expires));
  object.text("address", address ? *address : "");
  object.boolean("replaces", known && !known->certificate_fingerprint.empty());
  object.end();
  return answer;
}

AdminAnswer device_revoke(Archive& archive, const AdminRequest& request, UtcNanos now) {
  const std::string device = request.argument("device");
  auto record = archive.device(device);
  if (!record && record.error().code == ErrorCode::not_found) return refuse_admin(failed, "there is no device '" + device + "'; see 'tideline-hub devices'");
  if (!record) return archive_failed(record.error());
  if (const Status withdrawn = withdraw_tokens(archive, device, now); !withdrawn) return archive_failed(withdrawn.error());
  record->revoked = true;
  if (const auto stored = archive.put_device(*record); !stored) return archive_failed(stored.error());
  AdminAnswer answer;
  answer.result.clear();
  mcp::ObjectWriter object(answer.result);
  object.text("device", device).boolean("revoked", true);
  object.end();
  return answer;
}

struct Entry {
  std::string_view command;
  AdminAnswer (*function)(Archive&, const AdminRequest&, UtcNanos);
};
constexpr Entry entries[] = {{"token create", token_create}, {"device revoke", device_revoke}, {"key create", key_create}, {"key revoke", key_revoke},
                             {"context set", context_write},   {"context delete", context_write}};

}  // namespace

AdminAnswer refuse_admin(int exit_code, std::string text) {
  AdminAnswer answer;
  answer.exit_code = exit_code;
  answer.error = std::move(text);
  return answer;
}

AdminAnswer archive_failed(const Error& error) { return refuse_admin(failed, format("the archive failed: %s: %s", error.context, error_name(error.code))); }

std::string AdminRequest::argument(const std::string& name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? "" : found->second;
}

std::string encode_admin(const AdminRequest& request) {
  std::string text;
  mcp::ObjectWriter object(text);
  object.text("command", request.command);
  std::string arguments;
  mcp::ObjectWriter members(arguments);
  for (const auto& [name, value] : request.arguments) members.text(name, value);
  members.end();
  object.raw("arguments", arguments);
  object.end();
  return text;
}

std::string encode_admin(const AdminAnswer& answer) {
  std::string text;
  mcp::ObjectWriter object(text);
  object.integer("exit_code", answer.exit_code).text("error", answer.error).raw("result", answer.result);
  object.end();
  return text;
}

Result<AdminRequest> decode_admin_request(std::string_view line) {
  ASSIGN_OR_RETURN(const mcp::Slice json, mcp::check_json(line));
  mcp::Slice command;
  mcp::Slice arguments;
  RETURN_IF_ERROR(mcp::read_members(json, {{"command", &command}, {"arguments", &arguments}}));
  if (!command.is(mcp::JsonKind::string)) return Error{ErrorCode::invalid, 0, "command"};
  AdminRequest request;
  request.command = command.text();
  for (mcp::Walk walk(arguments); walk.next();) request.arguments[walk.key().text()] = walk.value().text();
  return request;
}

Result<AdminAnswer> decode_admin_answer(std::string_view line) {
  ASSIGN_OR_RETURN(const mcp::Slice json, mcp::check_json(line));
  mcp::Slice exit_code;
  mcp::Slice error;
  mcp::Slice result;
  RETURN_IF_ERROR(mcp::read_members(json, {{"exit_code", &exit_code}, {"error", &error}, {"result", &result}}));
  if (!exit_code.integer() || !result.is(mcp::JsonKind::object)) return Error{ErrorCode::invalid, 0, "answer"};
  AdminAnswer answer;
  answer.exit_code = static_cast<int>(*exit_code.integer());
  answer.error = error.text();
  answer.result = std::string(result.raw());
  return answer;
}

AdminAnswer execute_admin(Archive& archive, const AdminRequest& request, UtcNanos now) {
  for (const Entry& entry : entries) {
    if (entry.command == request.command) return entry.function(archive, request, now);
  }
  return refuse_admin(usage_error, "this hub does not know the command '" + request.command + "'");
}

Result<std::vector<std::pair<std::string, std::string>>> parse_labels(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> labels;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) return Error{ErrorCode::invalid, 0, "a label is written name=value, several with commas between"};
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = pair.substr(equals + 1);
    if (name.size() > limits::label_bytes || value.size() > limits::label_bytes) return Error{ErrorCode::limit, 0, "a label is at most 128 bytes"};
    const auto is_bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '{' || c == '}' || c == '"'; };
    if (std::any_of(pair.begin(), pair.end(), is_bad) || !is_utf8(pair)) return Error{ErrorCode::invalid, 0, "a label may not hold braces, quotes or control characters"};
    labels.emplace_back(name, value);
  }
  std::sort(labels.begin(), labels.end());
  const auto is_same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(labels.begin(), labels.end(), is_same_name) != labels.end()) return Error{ErrorCode::invalid, 0, "a label is named twice"};
  if (labels.size() > limits::labels) return Error{ErrorCode::limit, 0, "at most 16 labels"};
  return labels;
}

}  // namespace tideline::hub
