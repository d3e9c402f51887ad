// A sink that writes down what it is given, a log that keeps its lines, a clock that stands still.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/inputs/sink.hpp"
#include "agent/inputs/stamp_clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tideline::agent {

class KeepingSink final : public Sink {
 public:
  Result<SeriesHandle> resolve(const model::Series& series) override {
    ++resolved;
    ASSIGN_OR_RETURN(const model::SeriesId id, dictionary.add(series));
    return SeriesHandle{id, series.stream};
  }
  model::ReadingBatch& batch(model::Stream stream) override { return batches[model::index_of(stream)]; }
  bool has_room() const override { return room > size(); }
  void declare_lost(model::Stream, uint64_t readings) override { lost += readings; }

  size_t size() const { return batches[0].size() + batches[1].size() + batches[2].size(); }
  void clear() {
    for (auto& batch : batches) batch.clear();
  }
  /// "temp{room=a}=21.5@170" per reading, class by class; agent-stamped ones end in "@agent".
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const auto& batch : batches) {
      for (const model::Reading& reading : batch.readings()) {
        all.push_back(dictionary.at(reading.series).key() + "=" + value_text(reading, batch.text()) +
                      (reading.time_source == model::TimeSource::agent ? "@agent" : "@" + std::to_string(reading.time_ns)));
      }
    }
    return all;
  }
  const model::Series& series(std::string_view key) const {
    static const model::Series none;
    for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
      if (dictionary.at(id).key() == key) return dictionary.at(id);
    }
    return none;
  }

  model::SeriesDictionary dictionary;
  std::array<model::ReadingBatch, model::stream_count> batches;
  size_t room = SIZE_MAX;
  size_t resolved = 0;
  uint64_t lost = 0;

 private:
  static std::string value_text(const model::Reading& reading, std::string_view text) {
    switch (reading.type) {
      case model::ValueType::f64: return format_number(reading.f64());
      case model::ValueType::i64: return std::to_string(reading.i64()) + "i";
      case model::ValueType::boolean: return reading.boolean() ? "true" : "false";
      case model::ValueType::text: break;
    }
    return "'" + std::string(model::ReadingBatch::text_of(reading, text)) + "'";
  }
};

class KeepingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view, std::string_view text) override {
    static constexpr const char* names[] = {"debug ", "info ", "warning ", "error "};
    lines.push_back(names[static_cast<size_t>(level)] + std::string(text));
  }
  std::vector<std::string> lines;
};

class StillClock final : public StampClock {
 public:
  UtcNanos stamp() override { return now; }
  UtcNanos now{1'700'000'000'000'000'000};
};

using Lines = std::vector<std::string>;

}  // namespace tideline::agent
