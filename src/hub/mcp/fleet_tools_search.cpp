#include "hub/mcp/fleet_tools_search.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mcp/content.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub {
namespace {

constexpr size_t all_words_weight = 1000;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || is_upper(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80; }

/// 0, or more the better `word` fits one of `words`: whole, its beginning, within.
size_t fit(const std::string& word, const std::vector<std::string>& words, size_t weight) {
  size_t best = 0;
  for (const std::string& known : words) {
    if (known == word) return weight * 3;
    if (known.starts_with(word)) best = std::max(best, weight * 2);
    else if (word.size() >= 3 && known.find(word) != std::string::npos) best = std::max(best, weight);
  }
  return best;
}

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    word.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // restartService is two words.
    if (is_upper(c) && i > 0 && is_word(text[i - 1]) && !is_upper(text[i - 1])) end_word();
    if (is_word(c)) word.push_back(is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c);
    else end_word();
  }
  end_word();
  return words;
}

size_t search_score(const std::vector<std::string>& words, const mcp::Tool& tool) {
  const std::vector<std::string> name = search_words(tool.name);
  const std::vector<std::string> title = search_words(tool.title);
  const std::vector<std::string> description = search_words(tool.description);
  std::vector<std::string> arguments;
  for (mcp::Walk walk(mcp::find_member(mcp::Slice(tool.input_schema_json), "properties")); walk.next();) {
    for (std::string& word : search_words(walk.key().text())) arguments.push_back(std::move(word));
  }
  size_t found = 0;
  size_t score = 0;
  for (const std::string& word : words) {
    const size_t fits = std::max({fit(word, name, 12), fit(word, title, 8), fit(word, arguments, 4), fit(word, description, 3)});
    found += fits > 0 ? 1 : 0;
    score += fits;
  }
  return score + (found == words.size() ? found * all_words_weight : 0);
}

std::string find_tools_answer(const FindToolsRequest& request, std::span<const SearchedTool> tools) {
  const std::vector<std::string> words = search_words(request.words);
  std::vector<std::pair<size_t, const SearchedTool*>> found;
  for (const SearchedTool& one : tools) {
    if (const size_t score = search_score(words, *one.tool); score > 0) found.emplace_back(score, &one);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second->tool->name < b.second->tool->name; });
  std::string items;
  std::string text;
  size_t shown = 0;
  for (const auto& [score, one] : found) {
    if (shown == request.limit || items.size() + one->tool->input_schema_json.size() > limits::tool_answer_bytes / 2) break;
    ++shown;
    const bool is_read_only = mcp::read_hints(mcp::Slice(one->tool->annotations_json)).is_read_only;
    std::string examples;
    for (const std::string& id : one->examples) examples += (examples.empty() ? "" : ",") + mcp::json_string(id);
    if (!items.empty()) items += ",";
    mcp::ObjectWriter item(items);
    item.text("name", one->tool->name).text("title", one->tool->title).text("description", one->tool->description).boolean("read_only", is_read_only);
    item.integer("devices", static_cast<int64_t>(one->devices)).raw("examples", "[" + examples + "]").raw("input_schema", one->tool->input_schema_json).end();
    text += one->tool->name + (one->devices == 0 ? " (the hub's own)" : format(" (%zu devices%s)", one->devices, is_read_only ? "" : ", changes something")) + ": " +
            (one->tool->description.empty() ? one->tool->title : one->tool->description) + "\n";
  }
  text += found.empty() ? "No tool matches; try other words, or fewer." : format("%zu tools match%s.", found.size(), shown < found.size() ? "; the best are shown" : "");
  return mcp::tool_answer(text, "{\"tools\":[" + items + "],\"total\":" + std::to_string(found.size()) + "}");
}

}  // namespace tideline::hub
