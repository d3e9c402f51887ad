#include "agent/store/store.hpp"

#include <algorithm>

#include "agent/store/recovery.hpp"
#include "base/limits.hpp"

namespace tideline::agent {

using model::index_of;
using model::Stream;

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const model::Anchor& anchor, Instant now, Log& log) {
  ASSIGN_OR_RETURN(platform::FileLock lock, platform::FileLock::take(options.directory + "/lock"));
  std::unique_ptr<Store> store(new Store(options, anchor, std::move(lock), log));
  RETURN_IF_ERROR(Recovery(*store, now).run());
  store->hints_due_ = now + limits::hint_interval;
  for (const Stream stream : model::streams) store->refresh_stream(stream);
  store->refresh_status();
  return store;
}

Store::Store(const StoreOptions& options, const model::Anchor& anchor, platform::FileLock lock, Log& log)
    : options_(options),
      log_(log),
      lock_(std::move(lock)),
      space_(options),
      pending_{Pending(Duration{}), Pending(options.normal_commit), Pending(options.bulk_commit)},
      nacked_(options.directory),
      notes_(options.directory, log),
      context_(options.directory, log) {
  for (const Stream stream : model::streams) rings_.emplace_back(options.directory, stream, cache_);
  report_.anchor = anchor;
}

Store::~Store() = default;

SegmentIdentity Store::identity(Stream stream, uint32_t number) const { return {state().epoch, state().incarnation, stream, number}; }

void Store::tick(Instant now) {
  space_.check(now);
  if (report_.failed) {
    if (now >= reopen_at_) try_reopen(now);
    refresh_status();
    return;
  }
  free_history(now);
  space_.restore_ballast();
  unsigned parts = 0;
  if (now >= hints_due_ && has_new_hints_) {
    hints_due_ = now + limits::hint_interval;
    has_new_hints_ = false;
    for (const Stream stream : model::streams) state().of(stream).next_least = next_of(stream);
    parts |= StateDb::streams;
  }
  // A failure here costs a hint or the freshness of a copy; what must be durable is saved with the commits.
  if (parts != 0 || state_db_->has_unsaved()) (void)save(parts).has_value();
  if (state_db_->is_copy_old() && !space_.is_low()) (void)state_db_->copy().has_value();
  refresh_status();
}

void Store::set_anchor(const model::Anchor& anchor, Instant) {
  report_.anchor = anchor;
  remember_anchor(state(), anchor);
  ++state_version_;
  // Time is corrected from memory until then; at worst a crash brings the older anchor back.
  (void)save(StateDb::anchors).has_value();
}

Status Store::set_setting(const std::string& key, const std::string& value) {
  auto& settings = state().settings;
  if (!settings.contains(key) && settings.size() >= limits::store_settings) return Error{ErrorCode::limit, 0, "the store keeps 64 settings"};
  if (const auto known = settings.find(key); known != settings.end() && known->second == value) return {};
  settings[key] = value;
  return save(StateDb::settings);
}

void Store::close(Instant now) {
  if (report_.failed) try_reopen(now);
  commit_all(now);
  if (!report_.failed) {
    for (const Stream stream : model::streams) {
      // Emptying the WAL first: the end that is noted is then the end of one plain file.
      ring(stream).close_active();
      note_end(stream);
    }
    if (save(StateDb::streams) && state_db_->is_copy_old()) (void)state_db_->copy().has_value();
  }
  cache_.clear();
  notes_.close();
  context_.close();
  state_db_->close();
}

// ---- Status

void Store::refresh_stream(Stream stream) {
  const Ring& segments = ring(stream);
  const StreamMemory& memory = state().of(stream);
  StreamStatus& out = report_.streams[index_of(stream)];
  out.next = next(stream);
  out.first_held = out.next;
  out.first_held_ns = INT64_MAX;
  for (const SegmentSummary& segment : segments.segments()) {
    if (segment.readings == 0) continue;
    out.first_held = std::min(out.first_held, segment.range.first);
    out.first_held_ns = std::min(out.first_held_ns, segment.time_min_ns);
  }
  out.acknowledged = memory.acknowledged;
  out.held_bytes = segments.bytes();
  out.lost_readings = memory.gaps.lost();
  // A refused block stays where it is, but counts as lost: it is in a gap record.
  uint64_t refused = 0;
  for (const model::Gap& gap : memory.gaps.all()) {
    if (gap.reason != model::GapReason::refused) continue;
    for (const SegmentSummary& segment : segments.segments()) {
      if (segment.range.first <= gap.range.last && gap.range.first <= segment.range.last) refused += clip(gap, segment.range).count;
    }
  }
  const uint64_t held = segments.readings();
  out.held_readings = held - std::min(held, refused);
}

void Store::refresh_status() {
  report_.epoch = state().epoch;
  report_.incarnation = state().incarnation;
  report_.run = state().runs.empty() ? model::Run{} : state().runs.back();
  report_.segments = 0;
  report_.disk_bytes = segment_bytes() + notes_.bytes() + context_.bytes() + (space_.has_ballast() ? limits::ballast_bytes : 0);
  for (const Stream stream : model::streams) {
    report_.segments += static_cast<uint32_t>(ring(stream).segments().size());
    report_.streams[index_of(stream)].pending_readings = pending_[index_of(stream)].readings();
  }
  report_.disk_free_bytes = space_.free_bytes();
}

}  // namespace tideline::agent
