#include "mcp/message.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

Message invalid(RpcCode code, std::string text, std::string_view id = {}) {
  Message message;
  message.id = id;
  message.problem = {code, std::move(text), {}};
  return message;
}

std::string begin_line(std::string_view id, size_t room) {
  std::string line;
  line.reserve(room + id.size() + 64);
  line = R"({"jsonrpc":"2.0")";
  if (!id.empty()) {
    line += R"(,"id":)";
    line += id;
  }
  return line;
}

/// A response is lenient about a null id: legacy peers answer unreadable requests so.
Message read_response(Slice id, Slice result, Slice error) {
  if (id.is_present() && !is_token(id) && !id.is(JsonKind::null)) return invalid(RpcCode::invalid_request, "id must be a string or an integer");
  Message message;
  if (is_token(id)) message.id = id.raw();
  if (result.is_present() == error.is_present()) {
    return invalid(RpcCode::invalid_request, "a message has a method, a result or an error", message.id);
  }
  if (result.is_present() ? !result.is(JsonKind::object) : !error.is(JsonKind::object)) {
    return invalid(RpcCode::invalid_request, "result and error must be objects", message.id);
  }
  message.kind = MessageKind::response;
  message.result = result;
  message.error = error;
  return message;
}

}  // namespace

bool is_token(Slice value) {
  return value.raw().size() <= limits::mcp_id_bytes && (value.is(JsonKind::string) || value.is_integer());
}

Message read_message(Slice value) {
  Slice version, id, method, params, result, error;
  if (!value.is(JsonKind::object)) return invalid(RpcCode::invalid_request, "a message must be a JSON object");
  const Status read = read_members(value, {{"jsonrpc", &version}, {"id", &id}, {"method", &method}, {"params", &params},
                                           {"result", &result}, {"error", &error}});
  if (!read) return invalid(RpcCode::invalid_request, format("malformed message: %s", read.error().context));
  const std::string_view readable_id = is_token(id) ? id.raw() : std::string_view();
  if (!version.equals("2.0")) return invalid(RpcCode::invalid_request, "jsonrpc must be \"2.0\"", readable_id);
  if (!method.is_present()) return read_response(id, result, error);
  if (!method.is(JsonKind::string)) return invalid(RpcCode::invalid_request, "method must be a string", readable_id);
  if (id.is_present() && readable_id.empty()) {
    return invalid(RpcCode::invalid_request, "id must be a string or an integer, of at most 256 bytes");
  }
  if (params.is_present() && !params.is(JsonKind::object)) {
    return invalid(RpcCode::invalid_params, "params must be an object", readable_id);
  }
  Message message;
  message.kind = id.is_present() ? MessageKind::request : MessageKind::notification;
  message.id = readable_id;
  message.method = find_method(method);
  message.method_name = method;
  message.params = params;
  return message;
}

Message parse_message(std::string_view line) {
  const Result<Slice> value = check_json(line);
  if (!value) {
    const Error& error = value.error();
    const RpcCode code = error.code == ErrorCode::limit ? RpcCode::invalid_request : RpcCode::parse_error;
    return invalid(code, format("not JSON: %s at byte %d", error.context, error.native));
  }
  if (!value->is(JsonKind::array)) return read_message(*value);
  Message message;
  message.kind = MessageKind::batch;
  message.array = *value;
  return message;
}

std::string error_line(std::string_view id, const RpcError& error) {
  std::string line = begin_line(id, error.text.size() + error.data.size());
  line += R"(,"error":)";
  ObjectWriter body(line);
  body.integer("code", static_cast<int>(error.code)).text("message", error.text);
  if (!error.data.empty()) body.raw("data", error.data);
  body.end();
  line.push_back('}');
  return line;
}

std::string begin_result_line(std::string_view id, size_t room) {
  std::string line = begin_line(id, room);
  line += R"(,"result":)";
  return line;
}

std::string result_line(std::string_view id, std::string_view result) {
  std::string line = begin_result_line(id, result.size());
  line += result;
  line.push_back('}');
  return line;
}

std::string notification_line(std::string_view method, std::string_view params) { return request_line({}, method, params); }

std::string request_line(std::string_view id, std::string_view method, std::string_view params) {
  std::string line = begin_line(id, method.size() + params.size());
  line += R"(,"method":)";
  append_string(line, method);
  if (!params.empty()) {
    line += R"(,"params":)";
    line += params;
  }
  line.push_back('}');
  return line;
}

}  // namespace tideline::mcp
