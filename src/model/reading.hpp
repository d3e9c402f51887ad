// A reading, and the batch in which readings travel from inputs to the outbox. Plain values, any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace tideline::model {

enum class ValueType : uint8_t { f64 = 0, i64 = 1, boolean = 2, text = 3 };  // stored in blocks: never renumber

/// Who stamped a reading. Only agent-stamped readings move when the clock is corrected afterwards (DESIGN.md section 9).
enum class TimeSource : uint8_t { agent = 0, producer = 1 };  // stored in blocks: never renumber

/// Index into the device's series dictionary; dense from 0, never reused within an epoch.
using SeriesId = uint32_t;

/// 24 bytes. `bits` holds the value's exact bits: an IEEE 754 double, an int64, 0 or 1, or for text
/// (offset << 32 | length) into the text of the batch or block it belongs to.
struct Reading {
  int64_t time_ns = 0;  ///< UTC
  uint64_t bits = 0;
  SeriesId series = 0;
  ValueType type = ValueType::f64;
  TimeSource time_source = TimeSource::agent;

  double f64() const { return std::bit_cast<double>(bits); }
  int64_t i64() const { return static_cast<int64_t>(bits); }
  bool boolean() const { return bits != 0; }
};
static_assert(sizeof(Reading) == 24);

/// Readings with the bytes of their texts, in the order of arrival.
class ReadingBatch {
 public:
  struct Stamp {
    int64_t time_ns = 0;
    TimeSource source = TimeSource::agent;
  };

  void add_f64(SeriesId series, Stamp stamp, double value) { add(series, stamp, ValueType::f64, std::bit_cast<uint64_t>(value)); }
  void add_i64(SeriesId series, Stamp stamp, int64_t value) { add(series, stamp, ValueType::i64, static_cast<uint64_t>(value)); }
  void add_boolean(SeriesId series, Stamp stamp, bool value) { add(series, stamp, ValueType::boolean, value ? 1 : 0); }
  /// `value` is UTF-8 of at most limits::text_value_bytes (checked where it came in).
  void add_text(SeriesId series, Stamp stamp, std::string_view value) {
    const uint64_t offset = text_.size();
    text_.append(value);
    add(series, stamp, ValueType::text, offset << 32 | value.size());
  }
  /// Copies `reading`, whose text, if it is one, lies in `text`.
  void add_from(const Reading& reading, std::string_view text) {
    if (reading.type == ValueType::text) {
      add_text(reading.series, {reading.time_ns, reading.time_source}, text_of(reading, text));
    } else {
      readings_.push_back(reading);
    }
  }

  const std::vector<Reading>& readings() const { return readings_; }
  std::string_view text() const { return text_; }
  size_t size() const { return readings_.size(); }
  bool is_empty() const { return readings_.empty(); }
  void clear() {
    readings_.clear();
    text_.clear();
  }
  void reserve(size_t count) { readings_.reserve(count); }

  static std::string_view text_of(const Reading& reading, std::string_view text) {
    return text.substr(static_cast<size_t>(reading.bits >> 32), static_cast<size_t>(reading.bits & 0xffffffff));
  }

 private:
  void add(SeriesId series, Stamp stamp, ValueType type, uint64_t bits) {
    readings_.push_back({stamp.time_ns, bits, series, type, stamp.source});
  }
  std::vector<Reading> readings_;
  std::string text_;
};

}  // namespace tideline::model
