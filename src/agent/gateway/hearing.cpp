#include "agent/gateway/hearing.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"
#include "model/answer_text.hpp"
#include "wrap/json/answer_json.hpp"

namespace tideline::agent {
namespace {

constexpr const char* worth_names[] = {"complete", "partial", "silent", "lost", "not_listening", "delivered", "future", "unknown_series"};

/// When nobody listened, within `range`. Before the first run of a new store nobody listened either.
TimeRange deaf_range(const Hearing& hearing, const TimeRange& range) {
  TimeRange deaf{hearing.last_before ? hearing.last_before->nanos + 1 : range.from_ns, hearing.moment.listening_since.nanos};
  // "Everything" does not ask for the time before this device existed; and what is not held any more says nothing.
  if (!hearing.last_before && (range.from_ns == INT64_MIN || hearing.held_since)) return {0, 0};
  deaf = overlap(deaf, range);
  return deaf.is_empty() ? TimeRange{0, 0} : deaf;
}

std::string gaps_text(const std::vector<model::Gap>& gaps) {
  uint64_t count = 0;
  bool at_least = false;
  std::string reasons;
  for (const model::Gap& gap : gaps) {
    count += gap.count;
    at_least |= gap.at_least;
    const std::string reason = std::string(model::stream_name(gap.stream)) + ": " + model::gap_reason_name(gap.reason);
    if (reasons.find(reason) == std::string::npos) reasons += (reasons.empty() ? "" : ", ") + reason;
  }
  return (at_least ? "at least " : "") + format_count(count) + " readings of the asked classes are recorded as lost (" + reasons + ")";
}

std::string deaf_text(const TimeRange& deaf) {
  std::string text = "The agent was not running for up to ";
  text.reserve(128);
  text += format_duration({deaf.to_ns - deaf.from_ns});
  text += ", between ";
  text += model::short_time(deaf.from_ns);
  text += " and ";
  text += model::short_time(deaf.to_ns);
  text.push_back('.');
  return text;
}

std::string delivered_text(const Hearing& hearing) {
  return "Readings before " + model::short_time(hearing.held_since->nanos) + " were delivered to the hub and freed here: ask the hub for them.";
}

void add(std::string& text, std::string_view sentence) {
  if (!text.empty()) text.push_back(' ');
  text += sentence;
}

/// What judging looks at.
struct Facts {
  TimeRange past;  ///< of the range asked for
  TimeRange deaf;
  bool reaches_freed = false;
};

Facts facts_of(const Hearing& hearing, const Heard& heard) {
  const TimeRange past = overlap(heard.range, {INT64_MIN, hearing.moment.utc.nanos});
  return {past, deaf_range(hearing, past), hearing.held_since && past.from_ns < hearing.held_since->nanos};
}

Worth worth_of(const Facts& facts, const Heard& heard) {
  if (!heard.knows_series) return Worth::unknown_series;
  const bool has_gaps = !heard.gaps.empty();
  const bool was_deaf = !facts.deaf.is_empty();
  if (heard.has_data) {
    return has_gaps || was_deaf || facts.reaches_freed || heard.is_truncated || heard.blocks_unreadable > 0 ? Worth::partial : Worth::complete;
  }
  if (facts.past.is_empty()) return Worth::future;
  if (has_gaps) return Worth::lost;
  if (facts.reaches_freed) return Worth::delivered;
  return was_deaf ? Worth::not_listening : Worth::silent;
}

std::string partial_text(const Hearing& hearing, const Heard& heard, const Facts& facts) {
  std::string text;
  if (!heard.gaps.empty()) add(text, "In this time " + gaps_text(heard.gaps) + ".");
  if (!facts.deaf.is_empty()) add(text, deaf_text(facts.deaf));
  if (facts.reaches_freed) add(text, delivered_text(hearing));
  if (heard.is_truncated) add(text, "Only the newest rows are shown: ask for a shorter time, fewer series, or an aggregate with a step.");
  if (heard.blocks_unreadable > 0) add(text, format_count(heard.blocks_unreadable) + " stored blocks could not be read: run 'tideline verify'.");
  return text;
}

std::string explain(Worth worth, const Hearing& hearing, const Heard& heard, const Facts& facts) {
  switch (worth) {
    case Worth::complete: return "Every reading of this time is here; nothing was lost.";
    case Worth::partial: return partial_text(hearing, heard, facts);
    case Worth::silent: return "The agent listened all this time and lost nothing: the producer was silent.";
    case Worth::lost: return "There were readings: " + gaps_text(heard.gaps) + ".";
    case Worth::not_listening: {
      const bool is_all = facts.deaf.from_ns <= facts.past.from_ns && facts.deaf.to_ns >= facts.past.to_ns;
      return deaf_text(facts.deaf) + (is_all ? "" : " In the rest of this time it listened, and the producer was silent.");
    }
    case Worth::delivered: return delivered_text(hearing);
    case Worth::future: return "This time lies in the future of the device's clock.";
    case Worth::unknown_series: return "No series matches: list_series tells the names. A series is known from its first reading on.";
  }
  return {};
}

}  // namespace

const char* worth_name(Worth worth) { return worth_names[static_cast<size_t>(worth)]; }

TimeRange overlap(const TimeRange& a, const TimeRange& b) { return {std::max(a.from_ns, b.from_ns), std::min(a.to_ns, b.to_ns)}; }

bool touches(const model::Gap& gap, const TimeRange& range) {
  return model::may_touch(gap, range.from_ns, range.to_ns);
}

Judgement judge(const Hearing& hearing, const Heard& heard) {
  const Facts facts = facts_of(hearing, heard);
  const Worth worth = worth_of(facts, heard);
  return {worth, explain(worth, hearing, heard, facts), facts.deaf};
}

Worth judge_worth(const Hearing& hearing, const Heard& heard) { return worth_of(facts_of(hearing, heard), heard); }

void write_judgement(json::Writer& w, const Hearing& hearing, const Heard& heard, const Judgement& judgement) {
  w.key("completeness").begin_object().key("state").text(worth_name(judgement.worth)).key("explanation").text(judgement.explanation);
  w.key("listening_since").text(format_utc(hearing.moment.listening_since));
  if (!judgement.deaf.is_empty()) {
    w.key("not_listening").begin_object();
    if (judgement.deaf.from_ns != INT64_MIN) w.key("from").text(format_utc({judgement.deaf.from_ns}));
    w.key("to").text(format_utc({judgement.deaf.to_ns})).end_object();
  }
  if (hearing.held_since) w.key("held_since").text(format_utc(*hearing.held_since));
  w.key("truncated").boolean(heard.is_truncated).key("unreadable_blocks").unsigned_integer(heard.blocks_unreadable).end_object();
  w.key("gaps").begin_array();
  for (const model::Gap& gap : heard.gaps) json::write_gap(w, "", gap);
  w.end_array();
}

const char* judgement_schema() {
  return R"("completeness":{"type":"object","description":"What this answer is worth: whether no data means that the producer was silent or that we were deaf.","properties":{)"
         R"("state":{"type":"string","enum":["complete","partial","silent","lost","not_listening","delivered","future","unknown_series"]},)"
         R"("explanation":{"type":"string"},)"
         R"("listening_since":{"type":"string","description":"The agent takes readings since then (RFC 3339, UTC)."},)"
         R"("not_listening":{"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"}}},)"
         R"("held_since":{"type":"string","description":"Older readings were delivered to the hub and freed on the device."},)"
         R"("truncated":{"type":"boolean"},"unreadable_blocks":{"type":"integer"}},"required":["state","explanation","listening_since"]},)"
         R"("gaps":{"type":"array","description":"Readings recorded as lost in this time: of the whole class, not of one series.","items":{"type":"object","properties":{)"
         R"("class":{"type":"string"},"reason":{"type":"string"},"count":{"type":"integer"},"at_least":{"type":"boolean"},)"
         R"("from":{"anyOf":[{"type":"string"},{"type":"null"}]},"to":{"anyOf":[{"type":"string"},{"type":"null"}]},)"
         R"("declared":{"anyOf":[{"type":"string"},{"type":"null"}]}}}})";
}

}  // namespace tideline::agent
