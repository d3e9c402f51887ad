// Judges what an answer is worth: whether "no data" means that the producer was silent, that the agent did not listen, that readings were
// lost, or that they were delivered to the hub and freed here. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/gateway/agent_services.hpp"
#include "model/stream_state.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {

/// What is known of the times at which this device listened and what it still holds.
struct Hearing {
  Moment moment;
  std::optional<UtcNanos> last_before;  ///< newest reading stored before this run: afterwards, until listening_since, nobody listened
  std::optional<UtcNanos> held_since;   ///< set when older readings were delivered and freed: the oldest reading held
};

struct TimeRange {
  int64_t from_ns = INT64_MIN;  ///< inclusive
  int64_t to_ns = INT64_MAX;    ///< exclusive
  bool is_empty() const { return from_ns >= to_ns; }
};
TimeRange overlap(const TimeRange& a, const TimeRange& b);

/// What was found.
struct Heard {
  TimeRange range;
  bool knows_series = true;  ///< the selector matches at least one series
  bool has_data = false;
  std::vector<model::Gap> gaps;  ///< of the classes asked for, touching the range
  bool is_truncated = false;
  uint64_t blocks_unreadable = 0;
};

enum class Worth : uint8_t { complete, partial, silent, lost, not_listening, delivered, future, unknown_series };
const char* worth_name(Worth worth);

struct Judgement {
  Worth worth = Worth::complete;
  std::string explanation;  ///< for people and models, whole sentences
  TimeRange deaf;           ///< empty, or when nobody listened
};
Judgement judge(const Hearing& hearing, const Heard& heard);
/// The same without the text.
Worth judge_worth(const Hearing& hearing, const Heard& heard);

/// Whether the gap may lie in the range; times of gaps may be unknown (0).
bool touches(const model::Gap& gap, const TimeRange& range);

/// Writes the members "completeness" and "gaps" of an open object.
void write_judgement(json::Writer& w, const Hearing& hearing, const Heard& heard, const Judgement& judgement);
/// Their JSON Schema, as members of "properties".
const char* judgement_schema();

}  // namespace tideline::agent
