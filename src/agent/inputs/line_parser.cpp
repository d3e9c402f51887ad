#include "agent/inputs/line_parser.hpp"

#include <cstring>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace tideline::agent {

bool parse_precision(std::string_view text, Precision& out) {
  struct Named {
    std::string_view name;
    Precision precision;
  };
  static constexpr Named all[] = {{"ns", Precision::ns}, {"us", Precision::us}, {"ms", Precision::ms}, {"s", Precision::s}};
  for (const Named& named : all) {
    if (text == named.name) return out = named.precision, true;
  }
  return false;
}

LineParser::LineParser(const SeriesRules& rules, Sink& sink, LineOptions options) : rules_(rules), sink_(sink), options_(options) {}

/// Eight bytes a step; names are short, and a byte-wise hash was a fifth of the whole cost (bench ingest_bench).
size_t LineParser::Hash::operator()(std::string_view text) const {
  constexpr uint64_t multiplier = 0x9e3779b97f4a7c15;
  uint64_t hash = text.size() * multiplier;
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * multiplier;
    hash ^= hash >> 32;
  }
  uint64_t rest = 0;
  if (left > 0) std::memcpy(&rest, at, left);
  hash = (hash ^ rest) * multiplier;
  return static_cast<size_t>(hash ^ hash >> 29);
}

LineResult LineParser::parse(std::string_view line, UtcNanos now) {
  parsed_.clear();
  text_.clear();
  has_stamp_ = false;
  const char* reason = line.front() == '{' ? parse_json(line) : parse_influx(line);
  if (reason != nullptr) return {0, reason};
  return {commit(now), nullptr};
}

/// The field of a known series is most often where it was in the line before: `index` is looked at first.
bool LineParser::find_target(std::string_view group_key, std::string_view field, size_t index, Known*& known, Target& out) {
  if (known == nullptr) {
    const auto found = cache_.find(group_key);
    if (found == cache_.end()) return false;
    known = &*found;
  }
  const std::vector<Field>& fields = known->second.fields;
  const Field* place = index < fields.size() && fields[index].name == field ? &fields[index] : nullptr;
  for (size_t i = 0; place == nullptr && i < fields.size(); ++i) place = fields[i].name == field ? &fields[i] : nullptr;
  if (place == nullptr) return false;
  out = place->target;
  return true;
}

const char* LineParser::resolve(model::Series& series, ClassChoice choice, Target& out) {
  const model::Stream chosen = series.stream;
  if (options_.input == nullptr) {
    rules_.apply(series, choice);
  } else {
    out.is_left_out = !shape_series(*options_.input, rules_, series);
    if (choice == ClassChoice::producers) series.stream = chosen;
  }
  if (out.is_left_out) return nullptr;
  const Result<SeriesHandle> handle = sink_.resolve(series);
  if (!handle) return handle.error().context;
  out.handle = *handle;
  return nullptr;
}

void LineParser::remember(std::string_view group_key, std::string_view field, const Target& target, Known*& known) {
  constexpr size_t entry_bytes = sizeof(Field) + 64;
  const size_t bytes = entry_bytes + group_key.size() + field.size();
  if (bytes > limits::ingest_cache_bytes / 64) return;  // a name padded with white space is looked up each time
  const bool is_full = cached_ >= limits::series_per_device || cached_bytes_ + bytes > limits::ingest_cache_bytes ||
                       (known != nullptr && known->second.fields.size() >= limits::ingest_fields);
  if (is_full) {
    cache_.clear();
    cached_ = 0;
    cached_bytes_ = 0;
    known = last_ = nullptr;
  }
  if (known == nullptr) known = &*cache_.try_emplace(std::string(group_key)).first;
  known->second.fields.push_back({std::string(field), target});
  ++cached_;
  cached_bytes_ += bytes;
}

const char* LineParser::add_text(Parsed& value, size_t start) {
  const std::string_view text = std::string_view(text_).substr(start);
  if (text.size() > limits::text_value_bytes) return "text is longer than 4096 bytes";
  if (!is_utf8(text)) return "text is not UTF-8";
  if (text.find('\0') != std::string_view::npos) return "text holds a NUL";
  value.type = model::ValueType::text;
  value.bits = uint64_t{start} << 32 | text.size();
  return nullptr;
}

uint32_t LineParser::commit(UtcNanos now) {
  const model::ReadingBatch::Stamp stamp{has_stamp_ ? stamp_ns_ : now.nanos,
                                         has_stamp_ ? model::TimeSource::producer : model::TimeSource::agent};
  uint32_t readings = 0;
  for (const Parsed& value : parsed_) {
    if (value.target.is_left_out) continue;
    ++readings;
    model::Reading reading{stamp.time_ns, value.bits, value.target.handle.id, value.type, stamp.source};
    sink_.batch(value.target.handle.stream).add_from(reading, text_);
  }
  return readings;
}

}  // namespace tideline::agent
