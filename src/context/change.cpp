#include "context/change.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "context/cut_text.hpp"
#include "context/json_values.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"

namespace tideline::context {
namespace {

bool refuse(Refusal& refusal, ErrorCode code, std::string what) {
  refusal = Refusal{code, std::move(what)};
  return false;
}

bool may_write(const Change& change, const Judge& judge, Refusal& refusal) {
  const std::string& path = change.path;
  if (!is_path(path)) return refuse(refusal, ErrorCode::invalid, format("'%.300s': %s", path.c_str(), path_problem(path)));
  const auto writer = only_writer(path);
  if (!writer || *writer == judge.me) return true;
  return refuse(refusal, ErrorCode::denied,
                path + (*writer == Side::hub ? ": desired/ is written at the hub; a device writes reported/"
                                             : ": reported/ is written by the device; the hub writes desired/"));
}

bool has_version(const Change& change, const View& view, Refusal& refusal) {
  if (!change.if_version) return true;
  const std::string version = view.value == nullptr ? "" : version_of(view);
  if (*change.if_version == version) return true;
  return refuse(refusal, ErrorCode::exists,
                change.path + (version.empty() ? ": nothing is there now" : ": the version is " + version + " now") + ", not " +
                    (change.if_version->empty() ? "absent" : *change.if_version));
}

/// The value that the change makes, checked.
bool make_value(const Change& change, const View& view, const Declarations& declarations, std::string& value, Refusal& refusal) {
  auto given = compact(change.value);
  if (!given) return refuse(refusal, given.error().code, format("%s: the value is not taken: %s", change.path.c_str(), given.error().context));
  value = change.operation == Operation::patch ? merge_patch(view.value == nullptr ? "{}" : view.value->value, *given) : std::move(*given);
  if (value.size() > limits::value_bytes) return refuse(refusal, ErrorCode::limit, change.path + ": a value has at most 64 KiB of JSON");
  const std::string problem = declarations.problem_with(change.path, value);
  return problem.empty() || refuse(refusal, ErrorCode::invalid, change.path + ": the value " + problem);
}

/// What the write replaces is only what its own side wrote; the other side's value stays until that knows.
bool has_room(const Change& change, const Entry& entry, size_t value_bytes, const Judge& judge, Refusal& refusal) {
  const Totals& totals = judge.totals;
  const Weight before = weight_of(change.path, entry);
  if (before.entries == 0 && totals.entries >= limits::entries) {
    return refuse(refusal, ErrorCode::limit, change.path + ": the context has " + format_count(limits::entries) + " entries, which is all it may have");
  }
  if (before.bytes == 0 && totals.paths >= limits::paths) {
    return refuse(refusal, ErrorCode::limit, change.path + ": the context holds too many deletions that the other side does not know yet");
  }
  const size_t freed = entry.of(judge.me).value.size();
  const uint64_t added = value_bytes + (before.bytes == 0 ? change.path.size() : 0);
  if (added > freed && totals.bytes + added - freed > limits::bytes) {
    return refuse(refusal, ErrorCode::limit, change.path + ": the context would hold more than " + format_size(limits::bytes));
  }
  return true;
}

}  // namespace

bool make_register(const Change& change, const Entry& entry, const Judge& judge, HybridClock& clock, Register& made, Refusal& refusal) {
  if (!may_write(change, judge, refusal)) return false;
  const int64_t now = now_ms(judge.now, clock);
  const View view = view_of(entry, judge.declarations.rule(change.path), now);
  if (!has_version(change, view, refusal)) return false;
  std::string value;
  if (change.operation == Operation::erase) {
    if (view.value == nullptr && view.loser == nullptr) return refuse(refusal, ErrorCode::not_found, change.path + ": nothing is there");
  } else if (change.time_to_live_ms < 0 || change.time_to_live_ms > limits::time_to_live_most_ms) {
    return refuse(refusal, ErrorCode::invalid, change.path + ": a time to live is more than 0 and at most ten years");
  } else if (!make_value(change, view, judge.declarations, value, refusal) || !has_room(change, entry, value.size(), judge, refusal)) {
    return false;
  }
  for (const Side side : sides) clock.observe(entry.of(side).stamp);
  if (clock.is_at_end()) return refuse(refusal, ErrorCode::limit, change.path + ": no version is left: it was written when a clock stood at the year 2199");
  made.path = change.path;
  made.side = judge.me;
  made.write.stamp = clock.next(judge.now);
  made.write.seen = seen_of(entry, judge.me, judge.tops);
  made.write.is_deleted = change.operation == Operation::erase;
  made.write.expires_ms = change.time_to_live_ms == 0 || made.write.is_deleted ? 0 : now + change.time_to_live_ms;
  made.write.author = cut_text(change.author, limits::author_bytes);
  made.write.value = std::move(value);
  return true;
}

Stamp seen_of(const Entry& entry, Side writer, const Tops& tops) {
  const Stamp held = entry.of(other(writer)).stamp;
  return held != 0 ? held : tops[other(writer)];
}

int64_t now_ms(UtcNanos wall, const HybridClock& clock) {
  constexpr int64_t unset_before_ms = 1'700'000'000'000;  // 2023-11-14: before Tideline
  const int64_t now = wall.nanos / 1'000'000;
  return now >= unset_before_ms && now < stamp_ms(stamp_end) ? now : stamp_ms(clock.last());
}

std::string version_of(const View& view) { return view.winner == nullptr ? "" : format_version(view.side, view.winner->stamp); }

}  // namespace tideline::context
