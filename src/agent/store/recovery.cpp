#include "agent/store/recovery.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

using model::index_of;
using model::Seq;
using model::Stream;

constexpr uint64_t active_overhead_bytes = 8 * 1024;

std::string new_epoch() {
  uint8_t bytes[16];
  store_le(bytes, platform::random_u64());
  store_le(bytes + 8, platform::random_u64());
  return to_hex(bytes, sizeof bytes);
}

/// Adds what is missing of `found` to the dictionary; numbers that nothing defines get a placeholder, because ids are dense.
void merge_series(model::SeriesDictionary& dictionary, const std::vector<std::pair<model::SeriesId, model::Series>>& found) {
  for (const auto& [id, series] : found) {
    while (dictionary.size() <= id) {
      model::Series placeholder = series;
      if (dictionary.size() != id) placeholder = {.name = format("unknown-series-%u", dictionary.size()), .labels = {}, .unit = {}};
      const model::SeriesId before = dictionary.size();
      if (!dictionary.add(placeholder) || dictionary.size() == before) return;
    }
  }
}

}  // namespace

void remember_anchor(State& state, const model::Anchor& anchor) {
  auto& anchors = state.anchors;
  const auto known = std::find_if(anchors.begin(), anchors.end(), [&](const model::Anchor& old) { return old.boot_id == anchor.boot_id; });
  model::Anchor best = anchor;
  if (known != anchors.end()) {
    if (model::is_better(*known, anchor)) best = *known;
    anchors.erase(known);
  }
  anchors.push_back(best);
  if (anchors.size() > limits::anchors) anchors.erase(anchors.begin());
}

Status Recovery::run() {
  ASSIGN_OR_RETURN(StateDb::Opened opened, StateDb::open(store_.options_.directory, store_.log_));
  store_.state_db_ = std::move(opened.database);
  origin_ = opened.origin;
  RETURN_IF_ERROR(scan());
  if (origin_ != StateDb::Origin::file) learn_from_segments();
  adopt_identity();
  finish_rebase();
  load_notes();
  store_.context_.load();
  for (const Stream stream : model::streams) {
    load_ring(stream);
    derive_next(stream);
    drop_evicted(stream);
    store_.declare_holes(stream, model::GapReason::damaged, now_);
    if (is_end_uncertain_[index_of(stream)]) skip_numbers(stream);
  }
  RETURN_IF_ERROR(begin_run());
  store_.keep_bad_files(limits::bad_segments);
  store_.space_.check_now(now_);
  store_.space_.restore_ballast();
  return {};
}

Status Recovery::scan() {
  const std::string& directory = store_.options_.directory;
  ASSIGN_OR_RETURN(auto files, platform::list_files(directory));
  for (const platform::FileEntry& file : files) {
    Stream stream{};
    uint32_t number = 0;
    if (file.name.starts_with("salvage.tmp") || file.name.starts_with("state.db.new")) {
      (void)platform::remove_file(directory + "/" + file.name).has_value();
    } else if (parse_segment_name(file.name, "salvage-", stream, number)) {
      finish_salvage(file.name, stream, number);
      numbers_[index_of(stream)].push_back(number);
    } else if (parse_segment_name(file.name, "seg-", stream, number)) {
      numbers_[index_of(stream)].push_back(number);
    }
  }
  for (auto& numbers : numbers_) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
  return {};
}

/// The salvage was complete and the crash came before it stood in its place (Store::salvage).
void Recovery::finish_salvage(const std::string& name, Stream stream, uint32_t number) {
  const std::string& directory = store_.options_.directory;
  const std::string segment = store_.ring(stream).name(number);
  (void)platform::rename_file(directory + "/" + segment + "-wal", directory + "/bad-" + segment + "-wal").has_value();
  (void)platform::rename_file(directory + "/" + segment, directory + "/bad-" + segment).has_value();
  (void)platform::rename_file(directory + "/" + name, directory + "/" + segment).has_value();
  (void)platform::sync_directory(directory).has_value();
}

/// state.db is gone or older than the segments: their own copies of identity and series fill in.
void Recovery::learn_from_segments() {
  State& state = store_.state();
  for (const Stream stream : model::streams) {
    // The copy may be from before a crash: what it says of the end proves nothing.
    state.of(stream).is_closed = false;
    const auto& numbers = numbers_[index_of(stream)];
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
      const std::string path = store_.ring(stream).path(*number);
      const SegmentForm form = inspect_segment(path);
      if (form != SegmentForm::sealed && form != SegmentForm::unsealed) continue;
      const SegmentIdentity expected{state.epoch, 0, stream, *number};
      auto segment = form == SegmentForm::sealed ? Segment::open_sealed(path, expected) : Segment::open(path, expected);
      if (!segment) continue;
      if (const auto identity = segment->read_identity()) {
        state.epoch = identity->epoch;
        state.incarnation = std::max(state.incarnation, identity->incarnation);
      }
      if (const auto series = segment->read_series()) merge_series(state.dictionary, *series);
    }
  }
  is_shorter_ = !state.epoch.empty();
  if (!is_shorter_) return;
  log_warning(store_.log_, "outbox", "state.db was restored from %s", origin_ == StateDb::Origin::copy ? "its copy" : "the segments");
  if (origin_ == StateDb::Origin::copy) return;
  // The hub may know series that no segment uses any more: their numbers must not come to mean others.
  for (size_t i = 0; i < limits::skipped_series; ++i) {
    (void)state.dictionary.add({.name = format("unknown-series-%u", state.dictionary.size()), .labels = {}, .unit = {}}).has_value();
  }
}

void Recovery::adopt_identity() {
  State& state = store_.state();
  if (!state.epoch.empty()) return;
  state.epoch = new_epoch();
  state.incarnation = 0;
}

void Recovery::finish_rebase() {
  RebaseJournal& journal = store_.state().rebase;
  if (!journal.is_active) return;
  // Before the copy was complete nothing of it counts; afterwards nothing of the originals does.
  const auto is_dead = [&](uint32_t number) {
    return journal.is_copied ? number >= journal.first_old_segment && number <= journal.last_old_segment : number > journal.last_old_segment;
  };
  auto& numbers = numbers_[index_of(journal.stream)];
  for (const uint32_t number : numbers) {
    if (!is_dead(number)) continue;
    const std::string path = store_.ring(journal.stream).path(number);
    (void)platform::remove_file(path).has_value();
    (void)platform::remove_file(path + "-wal").has_value();
  }
  numbers.erase(std::remove_if(numbers.begin(), numbers.end(), is_dead), numbers.end());
  (void)platform::sync_directory(store_.options_.directory).has_value();
  StreamMemory& memory = store_.state().of(journal.stream);
  if (!journal.is_copied) memory.segment = std::min(memory.segment, journal.last_old_segment);
  journal = {};
}

void Recovery::load_notes() {
  State& state = store_.state();
  store_.notes_.load(state.has_notes);
  state.has_notes = store_.notes_.exists();
  if (store_.notes_.take_loss()) is_shorter_ = true;
}

void Recovery::load_ring(Stream stream) {
  const auto& numbers = numbers_[index_of(stream)];
  StreamMemory& memory = store_.state().of(stream);
  for (const uint32_t number : numbers) {
    const bool is_newest = number == numbers.back();
    const Status loaded = load_segment(stream, number, is_newest);
    if (!loaded) load_damaged(stream, number, is_newest, loaded.error());
  }
  // Whatever load_damaged() made of it: a number that has a file now, or had one that was recorded.
  uint32_t highest = 0;
  for (const uint32_t number : numbers) {
    if (number <= memory.segment || platform::file_size(store_.ring(stream).path(number))) highest = number;
  }
  if (highest < memory.segment && !memory.is_closed) {
    log_warning(store_.log_, "outbox", "the newest segment of stream %s is missing", model::stream_name(stream));
    is_end_uncertain_[index_of(stream)] = true;
  }
  memory.segment = std::max(memory.segment, highest);
}

Status Recovery::load_segment(Stream stream, uint32_t number, bool is_newest) {
  Ring& ring = store_.ring(stream);
  const std::string path = ring.path(number);
  const SegmentForm form = inspect_segment(path);
  if (form == SegmentForm::missing) return {};
  if (form == SegmentForm::empty || form == SegmentForm::damaged) return Error{ErrorCode::corrupt, 0, "file header"};
  const SegmentIdentity identity = store_.identity(stream, number);
  const bool is_sealed = form == SegmentForm::sealed;
  ASSIGN_OR_RETURN(Segment segment, is_sealed ? Segment::open_sealed(path, identity) : Segment::open(path, identity));
  if (!is_sealed) RETURN_IF_ERROR(segment.check(limits::recovery_blocks));
  ASSIGN_OR_RETURN(SegmentSummary summary, segment.summarize(is_sealed));
  summary.number = number;
  if (summary.readings != 0 && summary.range.first <= ring.last()) return Error{ErrorCode::corrupt, 0, "numbers that an older segment holds"};
  if (is_sealed) {
    ASSIGN_OR_RETURN(summary.bytes, platform::file_size(path));
    ring.add(summary);
    return {};
  }
  summary.bytes += active_overhead_bytes;
  ring.adopt_active(std::move(segment), summary);
  // Only the newest may stay open (I4): the crash came between sealing and the next segment.
  return is_newest ? Status{} : ring.seal_active();
}

void Recovery::load_damaged(Stream stream, uint32_t number, bool is_newest, const Error& error) {
  Ring& ring = store_.ring(stream);
  StreamMemory& memory = store_.state().of(stream);
  if (!ring.segments().empty() && ring.segments().back().number == number) ring.drop(ring.segments().size() - 1);
  if (number > memory.segment && origin_ == StateDb::Origin::file) {
    // Its creation was never recorded, so no commit ever went there.
    (void)platform::remove_file(ring.path(number)).has_value();
    (void)platform::remove_file(ring.path(number) + "-wal").has_value();
    return;
  }
  log_error(store_.log_, "outbox", "%s is damaged (%s): keeping what can be read", ring.name(number).c_str(), error.context);
  const Seq before = std::max(ring.last(), Seq{0});
  const auto salvaged = store_.salvage(stream, number, {before + 1, before + limits::carve_span});
  if (!is_newest) return;
  memory.next_least = std::max(memory.next_least, (salvaged ? salvaged->carved_last : 0) + 1);
  if (!memory.is_closed && !(salvaged && salvaged->is_end_certain)) is_end_uncertain_[index_of(stream)] = true;
}

void Recovery::derive_next(Stream stream) {
  const StreamMemory& memory = store_.state().of(stream);
  Seq last = std::max({store_.ring(stream).last(), memory.gaps.last(), memory.next_least - 1});
  if (!memory.released.ranges().empty()) last = std::max(last, memory.released.ranges().back().last);
  for (const model::Run& run : store_.state().runs) last = std::max(last, run.first[index_of(stream)] - 1);
  store_.next_of(stream) = last + 1;
  if (origin_ != StateDb::Origin::nothing || store_.ring(stream).segments().empty()) return;
  // Without state nobody knows what became of the numbers before the first segment. If the hub lacks them, it will be told.
  const Seq first = store_.held_ranges(stream).empty() ? last + 1 : store_.held_ranges(stream).front().first;
  if (first > 1) (void)store_.state().of(stream).released.add({1, first - 1}, limits::cursor_ranges);
}

/// The gap was saved and the crash came before the unlink (I2).
void Recovery::drop_evicted(Stream stream) {
  Ring& ring = store_.ring(stream);
  const StreamMemory& memory = store_.state().of(stream);
  GapList gone;
  for (const model::Gap& gap : memory.gaps.all()) {
    if (gap.reason != model::GapReason::refused) gone.add(gap);
  }
  for (size_t i = ring.segments().size(); i-- > 0;) {
    const SegmentSummary& segment = ring.segments()[i];
    if (segment.readings == 0 || !(gone.covers(segment.range) || memory.released.covers(segment.range))) continue;
    (void)ring.remove(i).has_value();
  }
}

void Recovery::skip_numbers(Stream stream) {
  is_shorter_ = true;
  model::Gap gap;
  gap.stream = stream;
  gap.range = {store_.next(stream), store_.next(stream) + limits::skipped_readings - 1};
  gap.reason = model::GapReason::damaged;
  gap.at_least = true;
  gap.declared_ns = store_.utc(now_);
  store_.state().of(stream).gaps.add(gap);
  store_.next_of(stream) += limits::skipped_readings;
}

/// What was told to earlier runs may be better than what the machine says: the time of this boot, or a date that it cannot be before.
/// Dates of battery clocks do not count: one that was years ahead would make every certificate look expired for good.
model::Anchor Recovery::best_anchor() const {
  using model::TimeQuality;
  model::Anchor best = store_.report_.anchor;
  int64_t told_ns = 0;
  for (const model::Anchor& known : std::as_const(store_).state().anchors) {
    // Counting from a floor goes on where it was: a second start would turn the time back to the floor.
    const bool goes_on = known.quality == best.quality && best.quality <= TimeQuality::floor;
    if (known.boot_id == best.boot_id && (known.quality > best.quality || goes_on)) return known;
    if (known.quality >= TimeQuality::hub) told_ns = std::max(told_ns, known.utc_ns);
  }
  if (best.quality < TimeQuality::hub && best.utc_ns < told_ns) {
    best.utc_ns = told_ns;
    best.error_ns = 0;
    best.quality = TimeQuality::floor;
  }
  return best;
}

Status Recovery::begin_run() {
  State& state = store_.state();
  store_.report_.anchor = best_anchor();
  if (is_shorter_) ++state.incarnation;
  model::Run run;
  run.id = platform::random_u64();
  for (const Stream stream : model::streams) {
    run.first[index_of(stream)] = store_.next(stream);
    if (!store_.ring(stream).has_active()) store_.note_end(stream);
  }
  state.runs.push_back(run);
  if (state.runs.size() > limits::runs) state.runs.erase(state.runs.begin());
  remember_anchor(state, store_.report_.anchor);
  store_.report_.run = run;
  const Status saved = store_.save(StateDb::everything);
  if (saved || saved.error().code != ErrorCode::full) return saved;
  // A full disk must not keep the agent from starting: what is there can be asked about and delivered.
  log_error(store_.log_, "outbox", "no space to save state: readings are refused until there is");
  store_.report_.disk_full = true;
  return {};
}

}  // namespace tideline::agent
