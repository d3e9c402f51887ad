#include "hub/mcp/task_desk.hpp"

#include "base/log.hpp"
#include "clock.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"
#include "mcp/schema_check.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr size_t task_id_bytes = 16;

constexpr const char* queue_schema = R"json({"type":"object","additionalProperties":false,"properties":{
"device":{"type":"string","description":"Id of one device, such as \"pump-7\"."},
"tool":{"type":"string","description":"Name of the tool as the device calls it, such as \"record\"; find_tools and describe_device show them."},
"arguments":{"type":"object","description":"Arguments of that tool, without the device."},
"expires_in_s":{"type":"integer","minimum":60,"maximum":604800,"default":86400,"description":"Seconds until a call that was not sent yet is given up."}},
"required":["device","tool"]})json";
constexpr const char* list_schema = R"json({"type":"object","additionalProperties":false,"properties":{
"id":{"type":"string","description":"Only this call, such as \"t.604bbdc5...\", with its whole result."}}})json";
constexpr const char* cancel_schema = R"json({"type":"object","additionalProperties":false,"properties":{
"id":{"type":"string","description":"The call, as queue_call or a task named it."}},"required":["id"]})json";
constexpr const char* call_schema = R"json({"type":"object","properties":{
"id":{"type":"string"},"device":{"type":"string"},"tool":{"type":"string"},
"state":{"type":"string","enum":["queued","sent","done","failed","cancelled","expired","unknown"],"description":"unknown: nobody can tell whether it ran."},
"message":{"type":"string"},"created":{"type":"string","description":"RFC 3339"},"updated":{"type":"string","description":"RFC 3339"},
"expires":{"type":"string","description":"RFC 3339"},"result":{"type":"object","description":"Of a call that is done: the tool's own result."},
"error":{"type":"object"}},"required":["id","device","tool","state"]})json";
constexpr const char* calls_schema = R"json({"type":"object","properties":{"calls":{"type":"array","items":{"type":"object"}}},"required":["calls"]})json";

const char* state_name(TaskState state) {
  static constexpr const char* names[] = {"queued", "sent", "done", "failed", "cancelled", "expired", "unknown"};
  return names[static_cast<size_t>(state)];
}

std::string compact(const char* json) {
  std::string out;
  mcp::append_compact(out, mcp::Slice(json));
  return out;
}

mcp::Tool tool(const char* name, const char* title, const char* description, const char* input, const char* output, const mcp::ToolHints& hints) {
  mcp::Tool made;
  made.name = name;
  made.title = title;
  made.description = description;
  made.input_schema_json = compact(input);
  made.output_schema_json = compact(output);
  made.annotations_json = mcp::hints_json(hints);
  return made;
}

std::string call_json(const TaskRecord& record, bool with_result) {
  std::string out;
  mcp::ObjectWriter writer(out);
  writer.text("id", record.id).text("device", record.device).text("tool", record.tool).text("state", state_name(record.state));
  if (!record.status_message.empty()) writer.text("message", record.status_message);
  writer.text("created", format_utc(UtcNanos{record.created_ns})).text("updated", format_utc(UtcNanos{record.updated_ns}));
  writer.text("expires", format_utc(UtcNanos{record.expires_ns}));
  if (with_result && !record.result_json.empty()) writer.raw("result", record.result_json);
  if (!record.error_json.empty()) writer.raw("error", record.error_json);
  writer.end();
  return out;
}

std::string call_text(const TaskRecord& record) {
  return format("%s on device '%s', call %s: %s%s%s", record.tool.c_str(), record.device.c_str(), record.id.c_str(), state_name(record.state),
                record.status_message.empty() ? "" : ", ", record.status_message.c_str());
}

}  // namespace

TaskRecord make_task(const std::string& principal, const std::string& device, const mcp::Tool& tool, std::string arguments_json, std::string meta_json) {
  const mcp::ToolHints hints = mcp::read_hints(mcp::Slice(tool.annotations_json));
  const UtcNanos now = platform::wall_clock();
  TaskRecord record;
  record.id = std::string(own_task) + tls::random_hex(task_id_bytes);
  record.principal = principal;
  record.device = device;
  record.tool = tool.name;
  record.arguments_json = std::move(arguments_json);
  record.meta_json = std::move(meta_json);
  record.capabilities_json = "{}";
  record.status_message = "waits for device '" + device + "' to come online";
  record.is_idempotent = hints.is_idempotent || hints.is_read_only;
  record.created_ns = now.nanos;
  record.updated_ns = now.nanos;
  record.expires_ns = (now + limits::hub_task_life).nanos;
  record.keep_until_ns = (now + limits::hub_task_life + limits::hub_task_keep).nanos;
  return record;
}

void TaskDesk::on_offline_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call, const Target& device, const RelayChange& change) {
  const Instant now = platform::now();
  const DeviceEntry* entry = registry_.find(device.device);
  if (entry == nullptr) return router_.refuse(ref, "device '" + device.device_id + "' is not known any more", now);
  const std::string absence = "device '" + device.device_id + "' " + absence_text(*entry, platform::wall_clock());
  if (call.method != mcp::Method::call_tool) return router_.refuse(ref, absence, now);
  const std::string name(change.name.empty() ? call.target : change.name);
  const mcp::Tool* tool = catalogs_.of(device.device).all.find_tool(name);
  if (tool == nullptr) return router_.fail_not_found(ref, name, now);
  if (!call.capabilities.tasks) {
    return router_.refuse(ref, absence + ", so '" + name + "' was not run. To have it run when the device comes back, use queue_call at this hub's /mcp, or a client "
                               "that declares the extension io.modelcontextprotocol/tasks; otherwise try again later", now);
  }
  std::string arguments;
  if (call.arguments.is_present()) arguments = change.drop_argument.empty() ? std::string(call.arguments.raw()) : without_member(call.arguments, change.drop_argument);
  book_.add(make_task(conversation.principal().id, device.device_id, *tool, std::move(arguments), mcp::passing_meta(call.meta)), [this, ref](Result<TaskRecord> kept) {
    if (kept) return router_.reply_task(ref, shown_task(*kept), platform::now());
    router_.refuse(ref, std::string("the call was not queued: ") + kept.error().context, platform::now());
  });
}

// ---- Tools

std::vector<mcp::Tool> queue_tools() {
  return {
      tool("queue_call", "Queue a call for a device",
           "Has a tool run on one device, also while that is offline: the call is kept durably, sent when the device is next in contact, and runs at most "
           "once. Answers at once with the id of the call; queued_calls tells how it went.",
           queue_schema, call_schema, {.is_read_only = false, .is_destructive = true, .is_idempotent = false, .is_open_world = false}),
      tool("queued_calls", "Calls that wait or waited", "Your queued calls, the newest first, with their states; with an id that one and its whole result.", list_schema,
           calls_schema, {.is_read_only = true, .is_destructive = false, .is_idempotent = true, .is_open_world = false}),
      tool("cancel_queued_call", "Cancel a queued call",
           "Takes back a call that was not sent yet. One that was sent already may have run; the answer says so.", cancel_schema, call_schema,
           {.is_read_only = false, .is_destructive = false, .is_idempotent = true, .is_open_world = false}),
  };
}

bool TaskDesk::on_tool(const CallRef& ref, const Conversation& conversation, const mcp::Call& call) {
  if (call.target == "queue_call") return queue_call(ref, conversation, call), true;
  if (call.target == "queued_calls") return queued_calls(ref, conversation, call), true;
  if (call.target == "cancel_queued_call") return cancel_queued_call(ref, conversation, call), true;
  return false;
}

void TaskDesk::queue_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call) {
  const Instant now = platform::now();
  const std::string device = mcp::find_member(call.arguments, "device").text();
  const std::string name = mcp::find_member(call.arguments, "tool").text();
  const mcp::Slice arguments = mcp::find_member(call.arguments, "arguments");
  const DeviceEntry* entry = registry_.find(device);
  if (entry == nullptr || !conversation.principal().sees(entry->record)) {
    return router_.refuse(ref, "there is no device '" + device + "'; list_devices shows what there is", now);
  }
  const mcp::Tool* wanted = catalogs_.of(entry->record.key).all.find_tool(name);
  if (wanted == nullptr) return router_.refuse(ref, "device '" + device + "' has no tool '" + name + "'; describe_device shows what it has", now);
  if (const std::string wrong = mcp::check_arguments(mcp::Slice(wanted->input_schema_json), arguments); !wrong.empty()) return router_.refuse(ref, wrong, now);
  TaskRecord record = make_task(conversation.principal().id, device, *wanted, std::string(arguments.raw()), mcp::passing_meta(call.meta));
  if (const auto life = mcp::find_member(call.arguments, "expires_in_s").integer()) {
    record.expires_ns = record.created_ns + *life * 1'000'000'000;
    record.keep_until_ns = record.expires_ns + limits::hub_task_keep.nanos;
  }
  book_.add(std::move(record), [this, ref](Result<TaskRecord> kept) {
    if (kept) return router_.reply_own(ref, mcp::tool_answer(call_text(*kept), call_json(*kept, false)), "queued", platform::now());
    router_.refuse(ref, std::string("the call was not queued: ") + kept.error().context, platform::now());
  });
}

void TaskDesk::queued_calls(const CallRef& ref, const Conversation& conversation, const mcp::Call& call) {
  const auto answer = [this, ref](const std::vector<TaskRecord>& records, bool with_result) {
    std::string text = records.empty() ? "You have no queued calls." : "";
    std::string list = "[";
    for (const TaskRecord& record : records) {
      text += call_text(record) + "\n";
      if (list.size() > 1) list += ',';
      list += call_json(record, with_result);
    }
    router_.reply_own(ref, mcp::tool_answer(text, "{\"calls\":" + list + "]}"), "ok", platform::now());
  };
  const mcp::Slice id = mcp::find_member(call.arguments, "id");
  const auto refuse = [this, ref](const Error& error) {
    router_.refuse(ref, error.code == ErrorCode::not_found ? "there is no such call of yours" : std::string("the calls cannot be read: ") + error.context, platform::now());
  };
  if (id.is_present()) {
    return book_.find(id.text(), conversation.principal().id, [answer, refuse](Result<TaskRecord> record) {
      record ? answer({std::move(*record)}, true) : refuse(record.error());
    });
  }
  book_.list(conversation.principal().id, [answer, refuse](Result<std::vector<TaskRecord>> records) {
    records ? answer(*records, false) : refuse(records.error());
  });
}

void TaskDesk::cancel_queued_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call) {
  book_.cancel(mcp::find_member(call.arguments, "id").text(), conversation.principal().id, [this, ref](Result<TaskRecord> record) {
    if (record) return router_.reply_own(ref, mcp::tool_answer(call_text(*record), call_json(*record, false)), "ok", platform::now());
    router_.refuse(ref, record.error().code == ErrorCode::not_found ? "there is no such call of yours" : record.error().context, platform::now());
  });
}

// ---- Tasks

void TaskDesk::on_task_call(const CallRef& ref, const Conversation& conversation, const mcp::Call& call) {
  const std::string id(call.target);
  const std::string& principal = conversation.principal().id;
  const auto answer = [this, ref, id](bool is_get) {
    return [this, ref, id, is_get](Result<TaskRecord> record) {
      const Instant now = platform::now();
      if (record) return router_.reply(ref, is_get ? mcp::task_state(shown_task(*record)) : "{}", "ok", now);
      if (record.error().code == ErrorCode::not_found) return router_.fail_not_found(ref, id, now);
      router_.refuse(ref, std::string("the task cannot be read: ") + record.error().context, now);
    };
  };
  // Queued calls ask for nothing, so an update has nothing to do.
  if (call.method == mcp::Method::cancel_task) return book_.cancel(id, principal, answer(false));
  book_.find(id, principal, answer(call.method == mcp::Method::get_task));
}

}  // namespace tideline::hub
