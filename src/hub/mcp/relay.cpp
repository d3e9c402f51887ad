#include "hub/mcp/relay.hpp"

#include "mcp/json_write.hpp"

namespace tideline::hub {

std::string without_member(mcp::Slice object, std::string_view name) {
  std::string out;
  mcp::ObjectWriter writer(out);
  for (mcp::Walk walk(object); walk.next();) {
    if (!walk.key().equals(name)) writer.raw_key(walk.key(), walk.value());
  }
  writer.end();
  return out;
}

std::string relay_members(const mcp::Call& call, const RelayChange& change) {
  std::string out;
  mcp::ObjectWriter writer(out);
  for (mcp::Walk walk(call.params); walk.next();) {
    const mcp::Slice key = walk.key();
    if (key.equals("_meta") || key.equals("inputResponses") || key.equals("requestState") || key.equals("task")) continue;
    if (key.equals("name") && !change.name.empty()) {
      writer.text("name", change.name);
    } else if (key.equals("taskId") && !change.task_id.empty()) {
      writer.text("taskId", change.task_id);
    } else if (key.equals("arguments") && !change.drop_argument.empty()) {
      writer.raw("arguments", without_member(walk.value(), change.drop_argument));
    } else {
      writer.raw_key(key, walk.value());
    }
  }
  if (call.input_responses.is_present()) writer.raw("inputResponses", call.input_responses.raw());
  if (!call.state.empty()) writer.text("requestState", call.state);
  return out.substr(1);
}

std::string relay_capabilities(const mcp::Call& call) {
  if (!call.capabilities_json.empty()) return std::string(call.capabilities_json);
  std::string out;
  mcp::ObjectWriter writer(out);
  if (call.capabilities.sampling) writer.raw("sampling", "{}");
  if (call.capabilities.roots) writer.raw("roots", "{}");
  if (call.capabilities.elicitation_form || call.capabilities.elicitation_url) {
    std::string modes;
    mcp::ObjectWriter kinds(modes);
    if (call.capabilities.elicitation_form) kinds.raw("form", "{}");
    if (call.capabilities.elicitation_url) kinds.raw("url", "{}");
    kinds.end();
    writer.raw("elicitation", modes);
  }
  writer.end();
  return out;
}

mcp::RpcError relayed_error(mcp::Slice error) {
  const auto code = mcp::find_member(error, "code").integer();
  mcp::RpcError out;
  out.code = static_cast<mcp::RpcCode>(code && *code >= INT32_MIN && *code <= INT32_MAX ? static_cast<int>(*code) : static_cast<int>(mcp::RpcCode::internal_error));
  out.text = mcp::find_member(error, "message").text();
  out.data = mcp::find_member(error, "data").raw();
  return out;
}

std::string with_task_prefix(mcp::Slice result, std::string_view prefix) {
  std::string out;
  mcp::ObjectWriter writer(out);
  for (mcp::Walk walk(result); walk.next();) {
    if (walk.key().equals("taskId")) {
      writer.text("taskId", std::string(prefix) + walk.value().text());
    } else {
      writer.raw_key(walk.key(), walk.value());
    }
  }
  writer.end();
  return out;
}

}  // namespace tideline::hub
