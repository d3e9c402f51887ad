#include "model/query.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace tideline::model {
namespace {

constexpr const char* aggregate_names[] = {"none", "mean", "min", "max", "sum", "count", "first", "last"};

bool is_printable(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool matches_label(const LabelMatch& condition, const std::string* value) {
  if (value == nullptr) return condition.value_glob.empty();
  return matches_glob(condition.value_glob, *value);
}

const std::string* find_label(const std::vector<std::pair<std::string, std::string>>& labels, std::string_view name) {
  for (const auto& [known, value] : labels) {
    if (known == name) return &value;
  }
  return nullptr;
}

Status parse_labels(std::string_view text, std::vector<LabelMatch>& out) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return Error{ErrorCode::invalid, 0, "selector: a label condition has no = (write name=value)"};
    if (equals == 0) return Error{ErrorCode::invalid, 0, "selector: a label condition has no name before ="};
    if (out.size() == limits::labels) return Error{ErrorCode::limit, 0, "selector: more than 16 label conditions"};
    out.push_back({std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))});
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
    if (text.empty()) return Error{ErrorCode::invalid, 0, "selector: nothing after the last comma"};
  }
  return {};
}

/// Both selectors have one form: glob, or glob{name=glob,...}, or {name=glob,...}.
Status parse_selector(std::string_view text, std::string& glob, std::vector<LabelMatch>& labels) {
  if (text.empty()) return Error{ErrorCode::invalid, 0, "selector is empty (write * for all)"};
  if (text.size() > limits::pattern_bytes) return Error{ErrorCode::limit, 0, "selector is longer than 256 bytes"};
  if (!is_printable(text)) return Error{ErrorCode::invalid, 0, "selector is not printable UTF-8"};
  const size_t brace = text.find('{');
  const std::string_view name = text.substr(0, brace);
  if (name.find('}') != std::string_view::npos) return Error{ErrorCode::invalid, 0, "selector: } without {"};
  glob = name.empty() ? "*" : std::string(name);
  if (brace == std::string_view::npos) return {};
  if (text.back() != '}') return Error{ErrorCode::invalid, 0, "selector: { is not closed by a } at the end"};
  const std::string_view inside = text.substr(brace + 1, text.size() - brace - 2);
  if (inside.find_first_of("{}") != std::string_view::npos) return Error{ErrorCode::invalid, 0, "selector: a brace inside the braces"};
  return parse_labels(inside, labels);
}

}  // namespace

const char* aggregate_name(Aggregate aggregate) { return aggregate_names[static_cast<size_t>(aggregate)]; }

bool parse_aggregate(std::string_view text, Aggregate& out) {
  for (size_t i = 0; i < std::size(aggregate_names); ++i) {
    if (text != aggregate_names[i]) continue;
    out = static_cast<Aggregate>(i);
    return true;
  }
  return false;
}

bool SeriesSelector::matches(const Series& series) const {
  return matches_glob(name_glob, series.name) &&
         std::all_of(labels.begin(), labels.end(), [&](const LabelMatch& condition) { return matches_label(condition, series.label(condition.name)); });
}

bool DeviceSelector::matches(std::string_view id, const std::vector<std::pair<std::string, std::string>>& device_labels) const {
  const auto matches_id = [id](const std::string& glob) { return matches_glob(glob, id); };
  return matches_id(id_glob) && std::all_of(more_globs.begin(), more_globs.end(), matches_id) && std::all_of(labels.begin(), labels.end(), [&](const LabelMatch& condition) {
           return matches_label(condition, find_label(device_labels, condition.name));
         });
}

DeviceSelector::IdRange DeviceSelector::id_range() const {
  IdRange narrowest;
  const auto look_at = [&](std::string_view glob) {
    const size_t mark = glob.find_first_of("*?");
    const IdRange range{glob.substr(0, mark), mark == glob.npos};
    if (range.is_one || (!narrowest.is_one && range.begin.size() > narrowest.begin.size())) narrowest = range;
  };
  look_at(id_glob);
  for (const std::string& glob : more_globs) look_at(glob);
  return narrowest;
}

Result<SeriesSelector> parse_series_selector(std::string_view text) {
  SeriesSelector selector;
  RETURN_IF_ERROR(parse_selector(text, selector.name_glob, selector.labels));
  return selector;
}

Result<DeviceSelector> parse_device_selector(std::string_view text) {
  DeviceSelector selector;
  RETURN_IF_ERROR(parse_selector(text, selector.id_glob, selector.labels));
  return selector;
}

DeviceSelector both(const DeviceSelector& a, const DeviceSelector& b) {
  DeviceSelector joined = a;
  joined.more_globs.push_back(b.id_glob);
  joined.more_globs.insert(joined.more_globs.end(), b.more_globs.begin(), b.more_globs.end());
  joined.labels.insert(joined.labels.end(), b.labels.begin(), b.labels.end());
  return joined;
}

Result<Grouping> parse_grouping(const std::vector<std::string>& words) {
  Grouping group;
  for (const std::string& word : words) {
    if (word == "device") {
      group.by_device = true;
    } else if (word == "series") {
      group.by_series = true;
    } else if (word.empty() || word.size() > limits::label_bytes) {
      return Error{ErrorCode::invalid, 0, "device, series, or the name of a label"};
    } else {
      group.labels.push_back(word);
    }
  }
  std::sort(group.labels.begin(), group.labels.end());
  group.labels.erase(std::unique(group.labels.begin(), group.labels.end()), group.labels.end());
  if (group.labels.size() > limits::labels) return Error{ErrorCode::limit, 0, "at most 16 labels"};
  return group;
}

std::pair<std::string, Series> group_of(const Grouping& group, std::string_view device, const std::vector<std::pair<std::string, std::string>>& device_labels,
                                        const Series& series) {
  Series joined;
  joined.name = group.by_series ? series.name : "*";
  joined.unit = series.unit;
  for (const std::string& name : group.labels) {
    const std::string* value = series.label(name);
    if (value == nullptr) value = find_label(device_labels, name);
    joined.labels.emplace_back(name, value == nullptr ? "" : *value);
  }
  return {group.by_device ? std::string(device) : std::string(), std::move(joined)};
}

}  // namespace tideline::model
