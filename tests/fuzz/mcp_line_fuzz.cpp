// One line of any bytes: what is accepted must hold together when it is read, un-escaped, judged and written again.
#include <cassert>
#include <cstdint>
#include <string>

#include "base/text.hpp"
#include "mcp/definition.hpp"
#include "mcp/envelope.hpp"
#include "mcp/header_params.hpp"
#include "mcp/json_write.hpp"
#include "mcp/message.hpp"
#include "mcp/result_shape.hpp"
#include "mcp/schema_check.hpp"

using namespace tideline;
using namespace tideline::mcp;

namespace {

/// Walking must see exactly the values a checker sees; un-escaping must give UTF-8 that writes back to the same text.
size_t visit(Slice value, size_t depth) {
  assert(depth <= 64);
  const Result<Slice> again = check_json(value.raw());
  assert(again.has_value() && again->raw() == value.raw());
  size_t count = 1;
  if (value.is(JsonKind::string)) {
    const std::string text = value.text();
    assert(is_utf8(text));
    const std::string written = json_string(text);
    assert(Slice(written).text() == text && value.equals(text) == (Slice(written).equals(text)));
  }
  for (Walk walk(value); walk.next() && count < 200;) {
    if (walk.key().is_present()) assert(walk.key().is(JsonKind::string));
    count += visit(walk.value(), depth + 1);
  }
  return count;
}

void check_written(const std::string& json) { assert(check_json(json).has_value()); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  decode_header_value(line);
  const auto decoded = decode_header_value(encode_header_value(line));
  assert(!is_utf8(line) || decoded == line);
  check_written(json_string(line));
  const Message message = parse_message(line);
  if (message.kind == MessageKind::invalid) check_written(error_line(message.id, message.problem));
  const Result<Slice> json = check_json(line);
  if (!json) return 0;
  visit(*json, 0);
  std::string compact;
  append_compact(compact, *json);
  check_written(compact);
  if (const Result<Envelope> envelope = read_envelope(message.params)) {
    check_written("{" + passing_meta(envelope->meta) + "}");
    if (auto problem = check_envelope(*envelope)) check_written(error_line({}, *problem));
  }
  if (const auto tool = judge_tool(*json); tool.value) {
    std::string out;
    append_tool(out, *tool.value, newest_legacy);
    check_written(out);
    check_arguments(Slice(tool.value->input_schema_json), message.params);
  }
  check_arguments(*json, *json);
  for (const Revision revision : {Revision::r2024_11_05, newest_modern}) {
    if (const auto out = shape_result(*json, {revision, Method::call_tool, {}, R"({"name":"x"})"})) check_written(*out);
  }
  return 0;
}
