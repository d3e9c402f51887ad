#include "hub/session_agreement.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

/// The oldest range, which is the cursor, and the newest ones. The device may send the rest again: a replay is a no-op.
model::SeqRanges first_and_newest(const model::SeqRanges& held) {
  if (held.ranges().size() <= limits::ack_ranges) return held;
  model::SeqRanges some;
  (void)some.add(held.ranges().front(), limits::ack_ranges);
  for (size_t i = held.ranges().size() - (limits::ack_ranges - 1); i < held.ranges().size(); ++i) {
    (void)some.add(held.ranges()[i], limits::ack_ranges);
  }
  return some;
}

model::Seq highest_at_most(const model::SeqRanges& held, model::Seq most) {
  model::Seq highest = 0;
  for (const model::SeqRange& range : held.ranges()) {
    if (range.first <= most) highest = std::min(range.last, most);
  }
  return highest;
}

}  // namespace

link::StreamHeld compare_claims(const link::Hello& hello, const DeviceState& state, model::Stream stream) {
  const size_t i = model::index_of(stream);
  link::StreamHeld result;
  result.held = first_and_newest(state.held[i]);
  result.highest = state.held[i].ranges().empty() ? 0 : state.held[i].ranges().back().last;
  for (const HeldRun& run : state.runs) result.highest_block = std::max(result.highest_block, run.highest[i]);
  result.highest_block = std::min(result.highest_block, result.highest);

  // Older runs than the device keeps are taken on trust.
  if (!hello.runs.empty()) result.agreed = highest_at_most(state.held[i], hello.runs.front().first[i] - 1);
  for (size_t claim = 0; claim < hello.runs.size(); ++claim) {
    const model::Seq next = claim + 1 < hello.runs.size() ? hello.runs[claim + 1].first[i] : hello.streams[i].next;
    const auto held = std::find_if(state.runs.begin(), state.runs.end(), [&](const HeldRun& run) { return run.id == hello.runs[claim].id; });
    if (held != state.runs.end()) result.agreed = std::max(result.agreed, std::min(held->highest[i], next - 1));
  }
  result.agreed = std::min({result.agreed, result.highest_block, hello.streams[i].next - 1});
  return result;
}

}  // namespace tideline::hub
