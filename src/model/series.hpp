// What is measured: a series, its class, and the dictionary that numbers the series of one device. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/reading.hpp"

namespace tideline::model {

/// How soon a reading is committed, who is sent first, who is dropped last. Each class is one stream with its own
/// sequence numbers. Stored and sent: never renumber.
enum class Stream : uint8_t { critical = 0, normal = 1, bulk = 2 };
inline constexpr Stream streams[] = {Stream::critical, Stream::normal, Stream::bulk};
inline constexpr size_t stream_count = 3;
inline size_t index_of(Stream stream) { return static_cast<size_t>(stream); }
const char* stream_name(Stream stream);                       // "critical"
bool parse_stream(std::string_view text, Stream& out);

/// What the values mean to an aggregator. Stored and sent: never renumber.
enum class Kind : uint8_t { gauge = 0, counter = 1, state = 2, event = 3 };
const char* kind_name(Kind kind);
bool parse_kind(std::string_view text, Kind& out);

struct Series {
  std::string name;                                          ///< 1 to limits::series_name_bytes, UTF-8, no control characters
  std::vector<std::pair<std::string, std::string>> labels;   ///< sorted by name, unique, at most limits::labels
  std::string unit;                                          ///< UCUM where one exists ("Cel", "%", "By"), "" if none
  Kind kind = Kind::gauge;
  Stream stream = Stream::normal;

  bool operator==(const Series&) const = default;
  /// "temp{room=a,side=n}": name and labels, what people write and see.
  std::string key() const;
  const std::string* label(std::string_view name) const;
};

/// Checks every bound and rule above. The error's context names the rule that was broken.
Status validate(const Series& series);
/// Validates "a=b" style selector keys as used on the command line: `temp{room=a}` or `temp`. Unit and kind stay default.
Result<Series> parse_series_key(std::string_view text);

/// Numbers series from 0 in order of first use. Bounded by limits::series_per_device. Two series are the same only if
/// every field is equal: a changed unit, kind or class makes a new series id.
class SeriesDictionary {
 public:
  /// The id of `series`, or not_found.
  Result<SeriesId> find(const Series& series) const;
  /// The id of `series`, added if new (then size() grew by one). Errors: invalid, limit.
  Result<SeriesId> add(const Series& series);
  const Series& at(SeriesId id) const { return series_[id]; }
  bool contains(SeriesId id) const { return id < series_.size(); }
  SeriesId size() const { return static_cast<SeriesId>(series_.size()); }

 private:
  static std::string identity(const Series& series);
  std::vector<Series> series_;
  std::unordered_map<std::string, SeriesId> ids_;
};

}  // namespace tideline::model
