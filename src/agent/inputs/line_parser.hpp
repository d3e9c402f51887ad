// One line of text into readings: Influx line protocol or a JSON object, told apart by the first byte. The hot path of ingest.
//
// Owned by an IngestSession or an exec input, one per producer. Thread: loop. Pure but for the Sink.
// A line is taken whole or not at all. What names its series is kept as raw text: a series seen before costs one hash look-up
// and no allocation, one that comes in the order of the time before not even that (bench ingest_bench). Bounds:
// limits::ingest_line_bytes by the splitter, limits::ingest_fields a line; the cache holds limits::series_per_device fields and
// limits::ingest_cache_bytes, then it starts over.
//
//   temp,room=a v=21.5 1700000000000000000        the fields v and value give the measurement's name, field x gives temp.x
//   {"series":"temp","labels":{"room":"a"},"value":21.5,"time":"2026-11-21T03:04:05Z","unit":"Cel","class":"critical"}
//   {"series":"count","value":7,"type":"i64"}     type is f64 or i64, for producers that mind
//   {"temp":21.5,"door":true,"time":1700000000}   every member but "time" is a series
//
// Values: a plain number is a double; Influx 5i and 5u are int64. A JSON integer beyond 2^53, which no double holds, is an
// int64. Times in JSON: RFC 3339 text, or a number in s, ms, us or ns since 1970, told apart by size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "base/time.hpp"
#include "model/series.hpp"

namespace tideline::agent {

/// Unit of a time stamp in Influx lines, in nanoseconds.
enum class Precision : int32_t { ns = 1, us = 1000, ms = 1'000'000, s = 1'000'000'000 };
bool parse_precision(std::string_view text, Precision& out);

struct LineOptions {
  Precision precision = Precision::ns;
  bool class_tag = true;             ///< a tag or member "class" chooses the class; else the tag is a label
  const InputConfig* input = nullptr;  ///< of an exec input: its labels, class, unit, include, exclude, rename
};

struct LineResult {
  uint32_t readings = 0;        ///< added to the sink; 0 for a line left out by include and exclude
  const char* reason = nullptr; ///< why the line was refused, static text; nullptr when it was good
  bool is_good() const { return reason == nullptr; }
};

class LineParser {
 public:
  /// The references outlive the parser.
  LineParser(const SeriesRules& rules, Sink& sink, LineOptions options = {});

  /// `line` without its end of line, not empty, not a comment. `now` stamps readings that bring no time.
  LineResult parse(std::string_view line, UtcNanos now);
  size_t cached_series() const { return cached_; }

 private:
  /// Where values of one field go; left out ones were refused by the operator's include and exclude.
  struct Target {
    SeriesHandle handle;
    bool is_left_out = false;
  };
  struct Field {
    std::string name;  ///< as written
    Target target;
  };
  struct Group;
  using Known = std::pair<const std::string, Group>;
  /// The fields of one measurement with its tags, in the order in which they came first; one field for a JSON series.
  struct Group {
    std::vector<Field> fields;
    Known* next = nullptr;  ///< whose line followed the last time; producers send their series in the same order again and again
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const;
  };
  using Cache = std::unordered_map<std::string, Group, Hash, std::equal_to<>>;
  /// A value on its way to the sink.
  struct Parsed {
    Target target;
    model::ValueType type = model::ValueType::f64;
    uint64_t bits = 0;           ///< text: offset << 32 | length into text_
  };
  struct Member {
    std::string_view name;       ///< as written, without quotation marks
    std::string_view value;
  };

  // Those that return a text return nullptr, or why the line is refused. line_parser.cpp:
  bool find_target(std::string_view group_key, std::string_view field, size_t index, Known*& known, Target& out);
  const char* resolve(model::Series& series, ClassChoice choice, Target& out);
  void remember(std::string_view group_key, std::string_view field, const Target& target, Known*& known);
  uint32_t commit(UtcNanos now);
  const char* add_text(Parsed& value, size_t start);
  // line_influx.cpp:
  const char* parse_influx(std::string_view line);
  const char* influx_series(std::string_view prefix, std::string_view field, model::Series& series, ClassChoice& choice) const;
  const char* influx_value(std::string_view line, size_t& at, Parsed& out);
  const char* influx_text(std::string_view line, size_t& at, Parsed& out);
  const char* influx_stamp(std::string_view text);
  // line_json.cpp:
  const char* parse_json(std::string_view line);
  const char* json_series_line();
  const char* json_member_line();
  const char* json_series(const struct JsonSeriesText& text, model::Series& series, ClassChoice& choice) const;
  const char* json_value(std::string_view raw, std::string_view type, Parsed& out);
  const char* json_stamp(std::string_view raw);

  const SeriesRules& rules_;
  Sink& sink_;
  LineOptions options_;
  Cache cache_;
  size_t cached_ = 0;            // fields over all groups
  size_t cached_bytes_ = 0;
  Known* last_ = nullptr;        // of the line before, if it was Influx and good
  // Of the present line:
  std::vector<Parsed> parsed_;
  std::string text_;             // its text values
  std::vector<Member> members_;  // of a JSON object
  std::string key_;              // under which a JSON series is cached
  bool has_stamp_ = false;
  int64_t stamp_ns_ = 0;
};

}  // namespace tideline::agent
