#include "hub/fleet/session_agreement.hpp"

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

const HeldRun* find_run(const std::vector<HeldRun>& runs, uint64_t id) {
  const auto found = std::find_if(runs.rbegin(), runs.rend(), [&](const HeldRun& run) { return run.id == id; });
  return found == runs.rend() ? nullptr : &*found;
}

bool is_claimed(const link::Hello& hello, uint64_t id) {
  return std::any_of(hello.runs.begin(), hello.runs.end(), [&](const model::Run& run) { return run.id == id; });
}

/// One past the last number that the device claims for its run number `claim`.
model::Seq claimed_end(const link::Hello& hello, size_t claim, size_t stream) {
  return claim + 1 < hello.runs.size() ? hello.runs[claim + 1].first[stream] : hello.streams[stream].next;
}

/// The highest number that is certainly common. Older runs than the device lists are taken on trust.
model::Seq common_until(const link::Hello& hello, const DeviceState& state, size_t i) {
  model::Seq common = hello.runs.empty() ? 0 : highest_at_most(state.held[i], hello.runs.front().first[i] - 1);
  for (size_t claim = 0; claim < hello.runs.size(); ++claim) {
    const HeldRun* held = find_run(state.runs, hello.runs[claim].id);
    if (held != nullptr) common = std::max(common, std::min(held->highest[i], claimed_end(hello, claim, i) - 1));
  }
  return common;
}

/// The first number above `common` that may mean different readings here and there.
model::Seq parted_at(const link::Hello& hello, const DeviceState& state, size_t i, model::Seq common) {
  model::Seq parted = UINT64_MAX;
  bool is_explained = false;  // by a run that the device does not have; else be careful and part at once
  for (const HeldRun& run : state.runs) {
    if (is_claimed(hello, run.id)) continue;
    is_explained = is_explained || run.highest[i] > common;
    if (run.first[i] > common) {
      parted = std::min(parted, run.first[i]);
    } else if (run.highest[i] > common) {
      return common + 1;
    }
  }
  for (size_t claim = 0; claim < hello.runs.size(); ++claim) {
    const model::Seq first = hello.runs[claim].first[i];
    const HeldRun* held = find_run(state.runs, hello.runs[claim].id);
    if (held == nullptr && first > common) parted = std::min(parted, first);
    if (held != nullptr && held->highest[i] > common) return common + 1;  // the run went on elsewhere, beyond what is claimed
  }
  return is_explained ? parted : common + 1;
}

}  // namespace

link::StreamHeld compare_claims(const link::Hello& hello, const DeviceState& state, model::Stream stream) {
  const size_t i = model::index_of(stream);
  link::StreamHeld result;
  result.held = first_and_newest(state.held[i]);
  result.highest = state.held[i].ranges().empty() ? 0 : state.held[i].ranges().back().last;
  const model::Seq last = hello.streams[i].next - 1;
  const model::Seq common = std::min({common_until(hello, state, i), result.highest, last});
  result.agreed = result.highest > common ? std::min({parted_at(hello, state, i, common) - 1, result.highest, last}) : common;
  return result;
}

std::vector<HeldRun> claimed_runs(const link::Hello& hello) {
  std::vector<HeldRun> claims;
  for (size_t claim = 0; claim < hello.runs.size(); ++claim) {
    HeldRun run;
    run.id = hello.runs[claim].id;
    bool has_numbers = claim + 1 == hello.runs.size();  // the present run grows
    for (size_t i = 0; i < model::stream_count; ++i) {
      run.first[i] = hello.runs[claim].first[i];
      has_numbers = has_numbers || claimed_end(hello, claim, i) > run.first[i];
    }
    if (has_numbers) claims.push_back(run);
  }
  return claims;
}

bool note_held(std::vector<HeldRun>& claims, model::Stream stream, model::SeqRange range) {
  const size_t i = model::index_of(stream);
  bool is_news = false;
  for (size_t claim = 0; claim < claims.size(); ++claim) {
    const model::Seq end = claim + 1 < claims.size() ? claims[claim + 1].first[i] : UINT64_MAX;
    if (range.last < claims[claim].first[i] || range.first >= end) continue;
    const model::Seq highest = std::min(range.last, end - 1);
    is_news = is_news || highest > claims[claim].highest[i];
    claims[claim].highest[i] = std::max(claims[claim].highest[i], highest);
  }
  return is_news;
}

}  // namespace tideline::hub
