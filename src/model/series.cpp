#include "model/series.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace tideline::model {
namespace {

bool is_plain(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool is_label_name(std::string_view text) {
  return !text.empty() && text.find_first_of("{}=,\" ") == std::string_view::npos && is_plain(text);
}

template <class Enum, size_t N>
bool parse_name(std::string_view text, const char* const (&names)[N], Enum& out) {
  for (size_t i = 0; i < N; ++i) {
    if (text != names[i]) continue;
    out = static_cast<Enum>(i);
    return true;
  }
  return false;
}

constexpr const char* stream_names[] = {"critical", "normal", "bulk"};
constexpr const char* kind_names[] = {"gauge", "counter", "state", "event"};

}  // namespace

const char* stream_name(Stream stream) { return stream_names[index_of(stream)]; }
bool parse_stream(std::string_view text, Stream& out) { return parse_name(text, stream_names, out); }
const char* kind_name(Kind kind) { return kind_names[static_cast<size_t>(kind)]; }
bool parse_kind(std::string_view text, Kind& out) { return parse_name(text, kind_names, out); }

std::string Series::key() const {
  if (labels.empty()) return name;
  std::string text = name + "{";
  for (const auto& [label_name, value] : labels) {
    if (text.back() != '{') text += ',';
    text += label_name + "=" + value;
  }
  return text + "}";
}

const std::string* Series::label(std::string_view label_name) const {
  for (const auto& [known, value] : labels) {
    if (known == label_name) return &value;
  }
  return nullptr;
}

Status validate(const Series& series) {
  if (series.name.empty()) return Error{ErrorCode::invalid, 0, "series name is empty"};
  if (series.name.size() > limits::series_name_bytes) return Error{ErrorCode::limit, 0, "series name is longer than 128 bytes"};
  if (!is_plain(series.name)) return Error{ErrorCode::invalid, 0, "series name is not printable UTF-8"};
  if (series.name.find_first_of("{}") != std::string::npos) return Error{ErrorCode::invalid, 0, "series name contains a brace"};
  if (series.labels.size() > limits::labels) return Error{ErrorCode::limit, 0, "series has more than 16 labels"};
  if (series.unit.size() > limits::unit_bytes || !is_plain(series.unit)) return Error{ErrorCode::invalid, 0, "unit is longer than 32 bytes or not printable"};
  const std::string* previous = nullptr;
  for (const auto& [name, value] : series.labels) {
    if (name.size() > limits::label_bytes || value.size() > limits::label_bytes) return Error{ErrorCode::limit, 0, "label is longer than 128 bytes"};
    if (!is_label_name(name)) return Error{ErrorCode::invalid, 0, "label name is empty or holds a reserved character"};
    if (!is_plain(value) || value.find_first_of("{},") != std::string::npos) return Error{ErrorCode::invalid, 0, "label value holds a control character, brace or comma"};
    if (previous != nullptr && *previous >= name) return Error{ErrorCode::invalid, 0, "labels are not sorted and unique"};
    previous = &name;
  }
  if (series.key().size() > limits::series_key_bytes) return Error{ErrorCode::limit, 0, "series key is longer than 1024 bytes"};
  return {};
}

Result<Series> parse_series_key(std::string_view text) {
  Series series;
  const size_t brace = text.find('{');
  series.name = text.substr(0, brace);
  if (brace != std::string_view::npos) {
    if (text.back() != '}') return Error{ErrorCode::invalid, 0, "series key does not end with }"};
    std::string_view inside = text.substr(brace + 1, text.size() - brace - 2);
    while (!inside.empty()) {
      const size_t comma = inside.find(',');
      const std::string_view pair = inside.substr(0, comma);
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos) return Error{ErrorCode::invalid, 0, "label has no ="};
      series.labels.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
      inside = comma == std::string_view::npos ? std::string_view{} : inside.substr(comma + 1);
    }
  }
  std::sort(series.labels.begin(), series.labels.end());
  RETURN_IF_ERROR(validate(series));
  return series;
}

std::string SeriesDictionary::identity(const Series& series) {
  std::string text = series.key();
  text += '\0';
  text += series.unit;
  text += '\0';
  text += static_cast<char>(series.kind);
  text += static_cast<char>(series.stream);
  return text;
}

Result<SeriesId> SeriesDictionary::find(const Series& series) const {
  const auto found = ids_.find(identity(series));
  if (found == ids_.end()) return Error{ErrorCode::not_found, 0, "series"};
  return found->second;
}

Result<SeriesId> SeriesDictionary::add(const Series& series) {
  std::string text = identity(series);
  if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
  RETURN_IF_ERROR(validate(series));
  if (series_.size() >= limits::series_per_device) return Error{ErrorCode::limit, 0, "device has 4096 series already"};
  const auto id = static_cast<SeriesId>(series_.size());
  series_.push_back(series);
  ids_.emplace(std::move(text), id);
  return id;
}

}  // namespace tideline::model
