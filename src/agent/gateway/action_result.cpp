#include "agent/gateway/action_result.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "mcp/content.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/json_write.hpp"

namespace tideline::agent {
namespace {

/// Not in the middle of a character, so that it does not become another one.
std::string_view cut_text(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  size_t end = bytes;
  while (end > 0 && bytes - end < 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

std::string_view without_end_of_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Empty when all is well.
std::string failure_text(const ActionConfig& action, const RunOutcome& outcome) {
  std::string text;
  if (outcome.is_stopped) text = "the command was stopped";
  else if (outcome.is_late) text = "the command was stopped: it took longer than " + format_duration(action.timeout);
  else if (outcome.signal != 0) text = format("the command was ended by signal %d", outcome.signal);
  else if (outcome.exit_code != 0) text = format("the command failed with exit code %lld", static_cast<long long>(outcome.exit_code));
  else return {};
  const std::string_view errors = without_end_of_line(outcome.errors);
  if (!errors.empty()) text += "; it said on standard error:\n" + std::string(errors);
  return text;
}

std::string result_with(const ActionConfig& action, const RunOutcome& outcome, size_t output_bytes) {
  const std::string_view output = cut_text(outcome.output, output_bytes);
  const bool is_cut = outcome.is_cut || output.size() < outcome.output.size();
  mcp::ToolResult result;
  std::string failure = failure_text(action, outcome);
  Result<mcp::Slice> json = Error{};
  if (action.structured && failure.empty()) {
    json = mcp::check_json(output);
    if (!json) failure = is_cut ? "the command printed more than its output_limit, so its JSON cannot be read" : "the command did not print one JSON value";
  }
  if (!output.empty()) result.content.push_back(mcp::text_content(output));
  if (is_cut) result.content.push_back(mcp::text_content(format("(the output is cut after %zu bytes)", output.size())));
  if (!failure.empty()) result.content.push_back(mcp::text_content(failure));
  if (result.content.empty()) result.content.push_back(mcp::text_content("done; the command printed nothing"));
  mcp::ObjectWriter writer(result.structured_json);
  writer.integer("exit_code", outcome.signal != 0 ? 128 + outcome.signal : outcome.exit_code).integer("duration_ms", outcome.took.millis());
  writer.boolean("is_cut", is_cut);
  if (json) writer.raw("output", json->raw());
  writer.end();
  result.is_error = !failure.empty();
  return result.to_json();
}

}  // namespace

std::string action_result(const ActionConfig& action, const RunOutcome& outcome, size_t most_bytes) {
  size_t output_bytes = outcome.output.size();
  while (true) {
    std::string result = result_with(action, outcome, output_bytes);
    if (result.size() <= most_bytes || output_bytes == 0) return result;
    output_bytes /= 2;
  }
}

}  // namespace tideline::agent
