#include "hub/mcp/context_desk_work.hpp"

#include <algorithm>

#include "clock.hpp"
#include "hub/mcp/fleet_answers.hpp"
#include "hub/mcp/task_desk.hpp"
#include "context/path.hpp"
#include "mcp/content.hpp"

namespace tideline::hub {
namespace {

constexpr size_t read_at_once = 64;  // devices, before the store thread looks at commits

}  // namespace

bool is_context_uri(std::string_view uri) {
  return uri.starts_with(context_uri::of_device) && (uri.size() == context_uri::of_device.size() || uri[context_uri::of_device.size()] == '/');
}

std::vector<mcp::ResourceTemplate> context_templates() {
  mcp::ResourceTemplate all;
  all.uri_template = std::string(fleet_uri::device_prefix) + "{device}/context";
  all.name = "device_context";
  all.title = "Context of a device";
  all.description = "Every entry of one device's context, as the hub holds it.";
  all.mime_type = "application/json";
  mcp::ResourceTemplate one = all;
  one.uri_template = std::string(fleet_uri::device_prefix) + "{device}/context/{+path}";
  one.name = "device_context_entry";
  one.title = "Entry of a device's context";
  one.description = "One entry with who wrote it, as the hub holds it. Subscribe to hear of changes on either side.";
  return {all, one};
}

ContextDesk::ContextDesk(Parts parts) : parts_(std::move(parts)) { parts_.syncs.set_listener(this); }
ContextDesk::~ContextDesk() { parts_.syncs.set_listener(nullptr); }

void ContextDesk::refuse(const CallRef& ref, const std::string& text) { parts_.router.refuse(ref, text, platform::now()); }

// ---- Calls

bool ContextDesk::on_call(const CallRef& ref, const Principal& principal, const mcp::Call& call) {
  if (call.method == mcp::Method::read_resource) return on_resource(ref, principal, std::string(call.target));
  if (call.method != mcp::Method::call_tool || !is_context_tool(call.target)) return false;
  const mcp::Slice named = mcp::find_member(call.arguments, "device");
  NamedDevices devices;
  if (std::string problem = find_named(parts_.registry, principal.devices, named.is_present() ? named.text() : "*", devices); !problem.empty()) {
    return refuse(ref, problem), true;
  }
  if (devices.is_one) parts_.router.about(ref, devices.devices.front()->record.id);
  if (call.target == context_tool::set || call.target == context_tool::erase) return set(ref, principal, call, std::move(devices), ""), true;
  if (call.target == context_tool::get) {
    ContextGetRequest request;
    std::string problem = read_context_get(call.arguments, request);
    if (problem.empty() && !devices.is_one) problem = "device: name one by its id; context_list takes several";
    return problem.empty() ? get(ref, *devices.devices.front(), request, "") : refuse(ref, problem), true;
  }
  ContextListRequest request;
  if (std::string problem = read_context_list(call.arguments, request); !problem.empty()) return refuse(ref, problem), true;
  std::vector<ContextTarget> targets;
  for (const DeviceEntry* device : devices.devices) targets.push_back(target_of(*device));
  read(ref, call.target == context_tool::diff ? ContextReading::Kind::diff : ContextReading::Kind::list, request, std::move(targets));
  return true;
}

bool ContextDesk::on_offline_call(const CallRef& ref, const Principal& principal, const mcp::Call& call, const DeviceEntry& device) {
  const std::string absence = "The device " + absence_text(device, platform::wall_clock()) + ". ";
  if (call.method == mcp::Method::read_resource && is_context_uri(call.target)) {
    const std::string uri(call.target);
    const std::string path = uri.size() <= context_uri::of_device.size() + 1 ? "" : uri.substr(context_uri::of_device.size() + 1);
    return get_resource(ref, device, uri, path), true;
  }
  if (call.method != mcp::Method::call_tool || !is_context_tool(call.target) || call.target == context_tool::diff) return false;
  if (call.target == context_tool::get) {
    ContextGetRequest request;
    const std::string problem = read_context_get(call.arguments, request);
    return problem.empty() ? get(ref, device, request, absence + "This is what its hub holds; what was written there since is not in it.") : refuse(ref, problem), true;
  }
  if (call.target == context_tool::list) {
    ContextListRequest request;
    const std::string problem = read_context_list(call.arguments, request);
    return problem.empty() ? read(ref, ContextReading::Kind::list, request, {target_of(device)}) : refuse(ref, problem), true;
  }
  set(ref, principal, call, {{&device}, true}, absence + "The hub wrote this, and the device will get it when it is back.");
  return true;
}

// ---- Reading

void ContextDesk::get(const CallRef& ref, const DeviceEntry& device, const ContextGetRequest& request, const std::string& note) {
  struct Found {
    ContextRow row;
    std::vector<context::Register> history;
  };
  parts_.desk.fetch<Found>(
      [target = target_of(device), request](Archive& archive) -> Result<Found> {
        Found found;
        ASSIGN_OR_RETURN(found.row, read_context_row(archive.context(), target, request.path));
        if (request.history == 0) return found;
        ASSIGN_OR_RETURN(found.history, archive.context().history(target.key, request.path));
        if (found.history.size() > request.history + 1) found.history.resize(request.history + 1);
        return found;
      },
      [this, ref, note, with_history = request.history != 0](Result<Found> found) {
        if (!found) return refuse(ref, archive_problem(found.error()));
        parts_.router.reply_own(ref, context_get_answer(found->row, with_history ? &found->history : nullptr, note, platform::wall_clock()), "ok", platform::now());
      });
}

void ContextDesk::get_resource(const CallRef& ref, const DeviceEntry& device, const std::string& uri, const std::string& path) {
  if (path.empty()) {
    ContextListRequest request;
    request.limit = context_rows_most;
    const uint64_t id = next_++;
    readings_[id] = std::make_unique<Reading>(Reading{ref, ContextReading::Kind::list, ContextReading(ContextReading::Kind::list, request, {target_of(device)}, platform::wall_clock()), uri});
    return read_on(id);
  }
  if (!context::is_path(path)) return parts_.router.fail_not_found(ref, uri, platform::now());
  parts_.desk.fetch<ContextRow>(
      [target = target_of(device), path](Archive& archive) { return read_context_row(archive.context(), target, path); },
      [this, ref, uri](Result<ContextRow> row) {
        if (!row) return refuse(ref, archive_problem(row.error()));
        const UtcNanos now = platform::wall_clock();
        const bool is_written = row->held.entry.of(context::Side::device).stamp != 0 || row->held.entry.of(context::Side::hub).stamp != 0;
        if (!is_written) return parts_.router.fail_not_found(ref, uri, platform::now());
        parts_.router.reply_own(ref, mcp::read_result({mcp::text_resource(uri, "application/json", context_row_json(*row, nullptr, now))}), "ok", platform::now());
      });
}

bool ContextDesk::on_resource(const CallRef& ref, const Principal& principal, const std::string& uri) {
  if (!uri.starts_with(fleet_uri::device_prefix)) return false;
  const std::string rest = uri.substr(fleet_uri::device_prefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string::npos || !std::string_view(rest).substr(slash).starts_with(context_uri::in_fleet)) return false;
  const std::string path = rest.substr(slash + context_uri::in_fleet.size());
  const DeviceEntry* device = parts_.registry.find(rest.substr(0, slash));
  if (device == nullptr || !principal.sees(device->record) || (!path.empty() && path[0] != '/')) return parts_.router.fail_not_found(ref, uri, platform::now()), true;
  parts_.router.about(ref, device->record.id);
  get_resource(ref, *device, uri, path.empty() ? "" : path.substr(1));
  return true;
}

void ContextDesk::read(const CallRef& ref, ContextReading::Kind kind, const ContextListRequest& request, std::vector<ContextTarget> targets) {
  const uint64_t id = next_++;
  readings_[id] = std::make_unique<Reading>(Reading{ref, kind, ContextReading(kind, request, std::move(targets), platform::wall_clock()), ""});
  read_on(id);
}

void ContextDesk::read_on(uint64_t id) {
  Reading* const one = readings_.at(id).get();
  parts_.desk.fetch<bool>([one](Archive& archive) { return one->reading.advance(archive.context(), read_at_once); },
                          [this, id, one](Result<bool> is_done) {
                            if (is_done && !*is_done && parts_.router.is_open(one->ref)) return read_on(id);
                            const std::unique_ptr<Reading> over = std::move(readings_.at(id));
                            readings_.erase(id);
                            if (!is_done) return refuse(over->ref, archive_problem(is_done.error()));
                            const UtcNanos now = platform::wall_clock();
                            const ContextAnswer answer = over->reading.take();
                            std::string text;
                            if (!over->uri.empty()) {
                              text = mcp::read_result({mcp::text_resource(over->uri, "application/json", context_rows_json(answer, now))});
                            } else {
                              text = over->kind == ContextReading::Kind::diff ? context_diff_answer(answer, now) : context_list_answer(answer, now);
                            }
                            parts_.router.reply_own(over->ref, text, "ok", platform::now());
                          });
}

// ---- Writing

void ContextDesk::set(const CallRef& ref, const Principal& principal, const mcp::Call& call, NamedDevices named, const std::string& note) {
  ContextSetRequest request;
  const bool is_delete = call.target == context_tool::erase;
  if (std::string problem = is_delete ? read_context_delete(call.arguments, request) : read_context_set(call.arguments, request); !problem.empty()) return refuse(ref, problem);
  if (writes_.size() >= writes_waiting) return refuse(ref, "as many writes are under way as the hub does at once: try again later");
  request.change.author = principal.id + " (" + std::string(call.target) + ")";
  auto write = std::make_unique<Write>();
  write->ref = ref;
  write->path = request.change.path;
  write->is_one = named.is_one;
  write->note = note;
  write->shows_entry = !note.empty();
  write->wait = request.wait;
  for (const DeviceEntry* device : named.devices) write->targets.push_back(target_of(*device));
  const uint64_t id = next_++;
  writes_[id] = std::move(write);
  if (!named.is_one && call.capabilities.tasks) return start_task(id, principal, call, std::move(request.change));
  begin(id, std::move(request.change));
}

}  // namespace tideline::hub
