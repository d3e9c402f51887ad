#include "hub/admin_context.hpp"

#include <charconv>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"
#include "model/query.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr int failed = 1;
constexpr size_t refusals_shown = 20;
constexpr size_t digest_digits = 32;

}  // namespace

bool is_context_write(const AdminRequest& request) { return request.command == "context set" || request.command == "context delete"; }

context::Change context_change(const AdminRequest& request) {
  context::Change change;
  change.path = request.argument("path");
  change.value = request.argument("value");
  change.operation = request.command == "context delete" ? context::Operation::erase
                     : request.argument("merge") == "1"  ? context::Operation::patch
                                                         : context::Operation::set;
  if (request.arguments.contains("if_version")) change.if_version = request.argument("if_version");
  const std::string life = request.argument("ttl_ms");
  (void)std::from_chars(life.data(), life.data() + life.size(), change.time_to_live_ms);
  change.author = "operator (tideline-hub " + request.command + ")";
  return change;
}

std::vector<const DeviceRecord*> context_devices(const AdminRequest& request, const std::vector<DeviceRecord>& all, std::string& problem) {
  const std::string text = request.argument("devices");
  for (const DeviceRecord& device : all) {
    if (device.id == text) return {&device};
  }
  const auto selector = model::parse_device_selector(text);
  std::vector<const DeviceRecord*> chosen;
  if (!selector) {
    problem = "'" + text + "' is no device, glob or selector: " + selector.error().context;
    return chosen;
  }
  for (const DeviceRecord& device : all) {
    if (selector->matches(device.id, device.labels)) chosen.push_back(&device);
  }
  if (chosen.empty()) problem = "no device matches '" + text + "'; see 'tideline-hub devices'";
  return chosen;
}

AdminAnswer context_answer(const AdminRequest& request, const std::vector<std::string>& ids, const std::vector<ContextOutcome>& outcomes) {
  size_t written = 0;
  size_t shown = 0;
  std::string refusals = "[";
  std::string why;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    written += outcomes[i].is_written ? 1 : 0;
    if (outcomes[i].is_written) continue;
    if (why.empty()) why = outcomes[i].refusal.what;
    if (++shown > refusals_shown) continue;
    if (refusals.size() > 1) refusals += ',';
    mcp::ObjectWriter(refusals).text("device", ids[i]).text("reason", outcomes[i].refusal.what).end();
  }
  AdminAnswer answer;
  answer.result.clear();
  mcp::ObjectWriter object(answer.result);
  object.text("path", request.argument("path")).integer("devices", static_cast<int64_t>(ids.size())).integer("written", static_cast<int64_t>(written));
  object.integer("refused", static_cast<int64_t>(ids.size() - written));
  if (ids.size() == 1) object.text("device", ids.front());
  if (ids.size() == 1 && written == 1) object.text("version", context::format_version(context::Side::hub, outcomes.front().stamp));
  object.raw("refusals", refusals + "]").end();
  if (written > 0) return answer;
  answer.exit_code = failed;
  answer.error = ids.size() == 1 ? why : format("refused for all %zu devices: ", ids.size()) + why;
  return answer;
}

AuditRow context_audit(const AdminRequest& request, const AdminAnswer& answer, size_t devices, UtcNanos now) {
  AuditRow row;
  row.time_ns = now.nanos;
  row.principal = "operator";
  row.device = devices == 1 ? mcp::find_member(mcp::Slice(answer.result), "device").text() : "";
  row.method = "command";
  row.target = request.command + " " + request.argument("path");
  row.arguments_digest = tls::sha256_hex(as_bytes(encode_admin(request))).substr(0, digest_digits);
  row.outcome = answer.exit_code == 0 ? "ok" : "tool_error";
  return row;
}

AdminAnswer context_write(Archive& archive, const AdminRequest& request, UtcNanos now) {
  const auto all = archive.devices();
  if (!all) return archive_failed(all.error());
  std::string problem;
  const std::vector<const DeviceRecord*> devices = context_devices(request, *all, problem);
  if (!problem.empty()) return refuse_admin(failed, problem);
  const context::Change change = context_change(request);
  std::vector<ContextWrite> writes;
  std::vector<std::string> ids;
  for (const DeviceRecord* device : devices) {
    writes.push_back({device->key, &change});
    ids.push_back(device->id);
  }
  const auto outcomes = archive.context().change(writes, now);
  if (!outcomes) return archive_failed(outcomes.error());
  AdminAnswer answer = context_answer(request, ids, *outcomes);
  if (const Status kept = archive.add_audit({context_audit(request, answer, ids.size(), now)}); !kept) return archive_failed(kept.error());
  return answer;
}

}  // namespace tideline::hub
