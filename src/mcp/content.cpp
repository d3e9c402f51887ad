#include "mcp/content.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "mcp/json_write.hpp"

namespace tideline::mcp {
namespace {

std::string joined(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const std::string& element : elements) {
    if (out.size() > 1) out.push_back(',');
    out += element;
  }
  return out + "]";
}

std::string data_content(std::string_view type, std::string_view base64, std::string_view mime_type) {
  std::string out;
  ObjectWriter(out).text("type", type).text("data", base64).text("mimeType", mime_type).end();
  return out;
}

std::string resource_contents(std::string_view uri, std::string_view mime_type, std::string_view key, std::string_view value) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("uri", uri);
  if (!mime_type.empty()) writer.text("mimeType", mime_type);
  writer.text(key, value).end();
  return out;
}

}  // namespace

std::string text_content(std::string_view text) {
  std::string out;
  ObjectWriter(out).text("type", "text").text("text", text).end();
  return out;
}

std::string image_content(std::string_view base64, std::string_view mime_type) { return data_content("image", base64, mime_type); }

std::string audio_content(std::string_view base64, std::string_view mime_type) { return data_content("audio", base64, mime_type); }

std::string link_content(std::string_view uri, std::string_view name, std::string_view mime_type) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("type", "resource_link").text("uri", uri).text("name", name);
  if (!mime_type.empty()) writer.text("mimeType", mime_type);
  writer.end();
  return out;
}

std::string embedded_content(std::string_view contents) {
  std::string out;
  ObjectWriter(out).text("type", "resource").raw("resource", contents).end();
  return out;
}

std::string text_resource(std::string_view uri, std::string_view mime_type, std::string_view text) {
  return resource_contents(uri, mime_type, "text", text);
}

std::string blob_resource(std::string_view uri, std::string_view mime_type, std::string_view base64) {
  return resource_contents(uri, mime_type, "blob", base64);
}

std::string ToolResult::to_json() const {
  std::string out;
  ObjectWriter writer(out);
  writer.raw("content", joined(content));
  if (!structured_json.empty()) writer.raw("structuredContent", structured_json);
  if (is_error) writer.boolean("isError", true);
  writer.end();
  return out;
}

std::string tool_error(std::string_view text) { return ToolResult{{text_content(text)}, {}, true}.to_json(); }

std::string tool_answer(std::string_view text, std::string_view structured_json) {
  std::string out;
  out.reserve(text.size() + structured_json.size() + 96);
  out = R"({"content":[{"type":"text","text":)";
  append_string(out, text);
  out += "}]";
  if (!structured_json.empty()) {
    out += R"(,"structuredContent":)";
    out += structured_json;
  }
  out.push_back('}');
  return out;
}

std::string read_result(const std::vector<std::string>& contents) {
  std::string out;
  ObjectWriter(out).raw("contents", joined(contents)).end();
  return out;
}

std::string prompt_result(std::string_view description, const std::vector<std::string>& contents) {
  std::vector<std::string> messages;
  for (const std::string& content : contents) {
    ObjectWriter(messages.emplace_back()).text("role", "user").raw("content", content).end();
  }
  std::string out;
  ObjectWriter writer(out);
  if (!description.empty()) writer.text("description", description);
  writer.raw("messages", joined(messages)).end();
  return out;
}

std::string completion_result(const std::vector<std::string>& values) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(values.size(), limits::mcp_completions); ++i) shown.push_back(json_string(values[i]));
  std::string completion;
  ObjectWriter(completion)
      .raw("values", joined(shown))
      .integer("total", static_cast<int64_t>(values.size()))
      .boolean("hasMore", values.size() > shown.size())
      .end();
  std::string out;
  ObjectWriter(out).raw("completion", completion).end();
  return out;
}

}  // namespace tideline::mcp
