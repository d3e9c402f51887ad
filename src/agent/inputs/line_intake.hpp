// What a program or a serial line says, from bytes to readings in the agent's sink: lines are split, read as Influx line protocol,
// JSON, a bare number or by the operator's patterns, scaled, and reported by exception.
//
// Owned by the input that reads the bytes. Thread: loop. Bounds: while the sink has no room bytes are kept, as many as the owner
// gives: it stops reading when has_left().
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/inputs/input_config.hpp"
#include "agent/inputs/input_status.hpp"
#include "agent/inputs/line_parser.hpp"
#include "agent/inputs/line_pattern.hpp"
#include "agent/inputs/line_splitter.hpp"
#include "agent/inputs/report_filter.hpp"
#include "agent/inputs/series_rules.hpp"
#include "agent/inputs/sink.hpp"
#include "agent/inputs/stamp_clock.hpp"

namespace tideline::agent {

class LineIntake final : private Sink {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_bad_line(const char* reason) = 0;
  };
  /// The references outlive it. Counts readings and the last success in `status`.
  LineIntake(const InputConfig& config, const SeriesRules& rules, Sink& sink, StampClock& clock, InputStatus& status, Listener& listener);

  /// What was left comes first.
  void take(Bytes bytes);
  bool has_left() const { return !left_.empty(); }
  /// The end of the stream: what came after the last end of line is a line too.
  void finish();
  /// Forgets what was left and the part of a line.
  void clear();
  /// What comes before the next end of line may be a part of a line, and is not used.
  void skip_first_line() { skips_line_ = true; }

 private:
  /// A pattern with where its fields go, once they have a series.
  struct Format {
    LinePattern pattern;
    struct Target {
      SeriesHandle handle;
      bool is_resolved = false;
      bool is_left_out = false;
    };
    std::vector<Target> targets;
  };
  // The parser's sink: readings pass the filters on their way to the agent's.
  Result<SeriesHandle> resolve(const model::Series& series) override;
  model::ReadingBatch& batch(model::Stream stream) override { return batches_[model::index_of(stream)]; }
  bool has_room() const override { return sink_.has_room(); }
  void declare_lost(model::Stream stream, uint64_t readings) override { sink_.declare_lost(stream, readings); }

  void take_line(std::string_view text);
  const char* take_number(double value, UtcNanos now);
  const char* take_formatted(std::string_view line, UtcNanos now);
  const char* take_fields(Format& format, UtcNanos now);
  const char* resolve_field(const LinePattern::Field& field, Format::Target& out);
  void pass_on();
  bool should_pass(const model::Reading& reading, std::string_view text, Instant now);

  const InputConfig& config_;
  const SeriesRules& rules_;
  Sink& sink_;
  StampClock& clock_;
  InputStatus& status_;
  Listener& listener_;
  LineParser parser_;
  LineSplitter splitter_;
  std::vector<Format> formats_;
  std::vector<std::string_view> values_;  // of the present line
  std::array<model::ReadingBatch, model::stream_count> batches_;
  std::unordered_map<model::SeriesId, ReportFilter> filters_;
  ByteBuffer left_;                       // not taken yet for want of room
  bool skips_line_ = false;
};

}  // namespace tideline::agent
