// Content blocks and results, built as raw JSON: what handlers answer with. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tideline::mcp {

std::string text_content(std::string_view text);
/// `base64` is not checked.
std::string image_content(std::string_view base64, std::string_view mime_type);
std::string audio_content(std::string_view base64, std::string_view mime_type);
std::string link_content(std::string_view uri, std::string_view name, std::string_view mime_type);
/// `contents` is one element as made by text_resource() or blob_resource().
std::string embedded_content(std::string_view contents);

/// One element of `contents` in a resources/read result.
std::string text_resource(std::string_view uri, std::string_view mime_type, std::string_view text);
std::string blob_resource(std::string_view uri, std::string_view mime_type, std::string_view base64);

/// The result of tools/call. `content` holds raw blocks; `structured_json` is raw or empty.
struct ToolResult {
  std::vector<std::string> content;
  std::string structured_json;
  bool is_error = false;
  std::string to_json() const;
};
/// A result that tells the model what went wrong and what to do.
std::string tool_error(std::string_view text);
/// A text for people and the same as structured content.
std::string tool_answer(std::string_view text, std::string_view structured_json = {});

/// The result of resources/read.
std::string read_result(const std::vector<std::string>& contents);
/// The result of prompts/get with one user message per content block.
std::string prompt_result(std::string_view description, const std::vector<std::string>& contents);
/// The result of completion/complete: at most limits::mcp_completions values are shown, the rest is counted.
std::string completion_result(const std::vector<std::string>& values);

}  // namespace tideline::mcp
