// Store: from append() to a synced commit, and what happens when there is none.

#include <algorithm>

#include "agent/store/pragmas.hpp"
#include "agent/store/store.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

using model::index_of;
using model::Stream;

/// Why a batch can never be stored, or nothing. Checked once, here; the encoder relies on it.
Status check_batch(const model::ReadingBatch& batch, const model::SeriesDictionary& dictionary) {
  for (const model::Reading& reading : batch.readings()) {
    if (!dictionary.contains(reading.series)) return Error{ErrorCode::invalid, 0, "reading of an unknown series"};
    if (reading.type != model::ValueType::text) continue;
    const std::string_view text = model::ReadingBatch::text_of(reading, batch.text());
    if (text.size() > limits::text_value_bytes) return Error{ErrorCode::limit, 0, "text value is longer than 4096 bytes"};
    if (!is_utf8(text)) return Error{ErrorCode::invalid, 0, "text value is not UTF-8"};
  }
  return {};
}

uint64_t total_readings(std::span<const PendingBatch> batches) {
  uint64_t count = 0;
  for (const PendingBatch& pending : batches) count += pending.batch.size();
  return count;
}

/// More than they will come to, mostly.
uint64_t estimated_bytes(std::span<const PendingBatch> batches) {
  uint64_t bytes = 16 * store_page_bytes;
  for (const PendingBatch& pending : batches) bytes += pending.batch.size() * 10 + pending.batch.text().size();
  return bytes;
}

}  // namespace

Result<model::SeriesId> Store::series_id(const model::Series& series) {
  const model::SeriesId before = dictionary().size();
  ASSIGN_OR_RETURN(const model::SeriesId id, state().dictionary.add(series));
  if (dictionary().size() != before) state_db_->mark_unsaved(StateDb::series);  // saved before the block that uses it
  return id;
}

void Store::append(Stream stream, model::ReadingBatch batch, Durability durability, uint64_t token, Instant now) {
  PendingBatch pending{std::move(batch), durability, token, now, report_.anchor};
  Status status = check_batch(pending.batch, dictionary());
  if (status && report_.failed) status = failure_;
  if (!status) {
    if (report_.failed) note_unstored(stream, pending, status.error());
    report_.dropped += pending.batch.size();
    complete(stream, pending, status);
    return;
  }
  report_.appended += pending.batch.size();
  pending_[index_of(stream)].add(std::move(pending));
}

void Store::declare_overrun(Stream stream, uint64_t readings, Instant now) {
  if (readings == 0) return;
  Unstored& unstored = unstored_[index_of(stream)];
  if (unstored.is_empty()) {
    unstored.from_ns = utc(now);
    unstored.due = now + options_.normal_commit;
  }
  unstored.to_ns = utc(now);
  unstored.overrun += readings;
  report_.dropped += readings;
}

Instant Store::next_commit() const {
  Instant due = never;
  for (const Pending& pending : pending_) due = std::min(due, pending.due());
  if (report_.failed) return due;
  for (const Unstored& unstored : unstored_) due = std::min(due, unstored.due);
  return due;
}

void Store::commit_due(Instant now) {
  for (const Stream stream : model::streams) {
    const size_t index = index_of(stream);
    if (pending_[index].due() <= now || (unstored_[index].due <= now && !report_.failed)) commit(stream, now);
  }
}

void Store::commit_all(Instant now) {
  for (const Stream stream : model::streams) commit(stream, now);
}

void Store::commit(Stream stream, Instant now) {
  std::vector<PendingBatch> batches = pending_[index_of(stream)].take();
  if (batches.empty() && unstored_[index_of(stream)].is_empty()) return;
  const Instant started = platform::now();
  Status status = report_.failed ? Status(failure_) : write(stream, batches, now);
  note_commit(platform::now() - started);
  if (status) {
    ++report_.commits;
    report_.disk_full = false;
  } else if (status.error().code == ErrorCode::full) {
    report_.disk_full = true;
    tell_full_disk(status.error(), now);
  } else if (!report_.failed) {
    fail(status.error(), now);
  }
  finish(stream, std::move(batches), status);
  builder_.release();
  refresh_stream(stream);
  refresh_status();
}

/// Where other programs take and give space all the time, each commit may be another end of the trouble.
void Store::tell_full_disk(const Error& error, Instant now) {
  if (now < tell_full_disk_after_) return;
  tell_full_disk_after_ = now + limits::full_disk_log_interval;
  log_error(log_, "outbox", "no space to commit (%s): new readings are refused until there is", error.context);
}

Status Store::write(Stream stream, std::span<const PendingBatch> batches, Instant now) {
  Status status = write_once(stream, batches, now);
  if (status || status.error().code != ErrorCode::full) return status;
  // Not a retry on hope: a full disk rolls the transaction back and leaves the connection sound, and room was just made.
  space_.check_now(now);
  if (!evict_one(now)) return status;
  return write_once(stream, batches, now);
}

Status Store::write_once(Stream stream, std::span<const PendingBatch> batches, Instant now) {
  Ring& segments = ring(stream);
  const uint64_t readings = total_readings(batches);
  if (readings != 0) {
    // Before a segment is chosen: making room may take the active one.
    RETURN_IF_ERROR(make_room(estimated_bytes(batches), now));
    if (!segments.has_active()) RETURN_IF_ERROR(start_segment(stream));
  }
  RETURN_IF_ERROR(prepare_state(stream, now));
  if (readings == 0) return {};
  ASSIGN_OR_RETURN(const auto rows, builder_.build(stream, next(stream), report_.run.id, batches));
  RETURN_IF_ERROR(segments.append(rows, builder_.used_series(), dictionary()));
  next_of(stream) += readings;
  has_new_hints_ = true;
  uint64_t bytes = 0;
  for (const BlockRow& row : rows) bytes += row.data.size();
  pending_[index_of(stream)].note_encoded(readings, bytes);
  room_credit_ -= std::min(room_credit_, bytes);
  StreamMemory& memory = state().of(stream);
  if (segments.segments().back().bytes < options_.segment_bytes && !memory.gaps.is_over_limit()) return {};
  const Status sealed = segments.seal_active();
  // The readings are durable already; a segment that could not be sealed goes on growing or is reopened.
  if (!sealed && sealed.error().code != ErrorCode::full) fail(sealed.error(), now);
  if (!sealed) return {};
  note_end(stream);
  state_db_->mark_unsaved(StateDb::streams);
  if (!save(0)) return {};  // tried again with the next commit
  bound_gaps(stream, now);
  return {};
}

void Store::note_end(Stream stream) {
  StreamMemory& memory = state().of(stream);
  memory.next_least = next(stream);
  memory.is_closed = true;
}

Status Store::start_segment(Stream stream) {
  StreamMemory& memory = state().of(stream);
  RETURN_IF_ERROR(ring(stream).start(identity(stream, memory.segment + 1)));
  // The file comes before the record of it: a recorded segment that is missing was lost, one not recorded never held anything.
  ++memory.segment;
  memory.is_closed = false;
  state_db_->mark_unsaved(StateDb::streams);
  return {};
}

Status Store::prepare_state(Stream stream, Instant now) {
  unsigned parts = number_unstored(stream, now);
  StreamMemory& memory = state().of(stream);
  if (memory.is_closed && ring(stream).has_active()) {
    memory.is_closed = false;
    parts |= StateDb::streams;
  }
  if (parts == 0 && !state_db_->has_unsaved()) return {};
  return save(parts);
}

Status Store::save(unsigned parts) {
  Status saved = state_db_->save(parts);
  if (saved || saved.error().code != ErrorCode::full) return saved;
  if (space_.release_ballast()) {
    log_warning(log_, "outbox", "the disk is full: the reserve was given up to save state");
    saved = state_db_->save(parts);
  }
  if (saved || saved.error().code != ErrorCode::full || report_.bad_segments == 0) return saved;
  keep_bad_files(0);
  return state_db_->save(parts);
}

unsigned Store::number_unstored(Stream stream, Instant now) {
  Unstored& unstored = unstored_[index_of(stream)];
  if (unstored.is_empty()) return 0;
  const std::pair<model::GapReason, uint64_t> losses[] = {{model::GapReason::overrun, unstored.overrun},
                                                          {model::GapReason::disk_full, unstored.disk_full}};
  for (const auto& [reason, count] : losses) {
    if (count == 0) continue;
    model::Gap gap;
    gap.stream = stream;
    gap.range = {next(stream), next(stream) + count - 1};
    gap.count = count;
    gap.reason = reason;
    gap.from_ns = unstored.from_ns;
    gap.to_ns = unstored.to_ns;
    gap.declared_ns = utc(now);
    state().of(stream).gaps.add(gap);
    next_of(stream) += count;
  }
  unstored = {};
  bound_gaps(stream, now);
  gaps_changed();
  return StateDb::gaps | StateDb::streams;
}

void Store::finish(Stream stream, std::vector<PendingBatch> batches, Status status) {
  for (PendingBatch& pending : batches) {
    if (!status) {
      note_unstored(stream, pending, status.error());
      report_.dropped += pending.batch.size();
    }
    complete(stream, pending, status);
  }
}

void Store::complete(Stream stream, PendingBatch& pending, Status status) {
  Completion completion{pending.token, stream, status, pending.batch.size(), pending.batch.text().size(), std::move(pending.batch)};
  completion.buffer.clear();
  completions_.push_back(std::move(completion));
}

/// A producer that waits for `synced` knows what it lost; for the others a gap has to say it.
void Store::note_unstored(Stream stream, const PendingBatch& batch, const Error& error) {
  if (batch.durability == Durability::synced || batch.batch.is_empty()) return;
  Unstored& unstored = unstored_[index_of(stream)];
  if (unstored.is_empty()) unstored.from_ns = unstored.to_ns = batch.batch.readings().front().time_ns;
  for (const model::Reading& reading : batch.batch.readings()) {
    unstored.from_ns = std::min(unstored.from_ns, reading.time_ns);
    unstored.to_ns = std::max(unstored.to_ns, reading.time_ns);
  }
  (error.code == ErrorCode::full ? unstored.disk_full : unstored.overrun) += batch.batch.size();
  unstored.due = std::min(unstored.due, batch.taken + options_.normal_commit);
}

void Store::note_commit(Duration took) {
  report_.last_commit_took = took;
  if (took > report_.slowest_commit) report_.slowest_commit = took;
  if (took >= limits::slow_commit) log_warning(log_, "outbox", "slow storage: a commit took %s", format_duration(took).c_str());
}

void Store::fail(const Error& error, Instant now) {
  log_error(log_, "outbox", "commit failed (%s: %s, code %d): appends are refused until the store is reopened", error_name(error.code), error.context, error.native);
  report_.failed = true;
  failure_ = error.code == ErrorCode::full ? Error{ErrorCode::io, error.native, error.context} : error;
  reopen_at_ = now + limits::reopen_interval;
  for (const Stream stream : model::streams) finish(stream, pending_[index_of(stream)].take(), failure_);
}

void Store::try_reopen(Instant now) {
  reopen_at_ = now + limits::reopen_interval;
  cache_.clear();
  if (!state_db_->reopen()) return;
  for (const Stream stream : model::streams) {
    const Status opened = ring(stream).reopen_active(state().epoch, next(stream));
    if (opened) continue;
    const ErrorCode code = opened.error().code;
    if (code != ErrorCode::corrupt && code != ErrorCode::not_found) return;
    if (!quarantine(stream, ring(stream).segments().back().number, now)) return;
  }
  report_.failed = false;
  log_info(log_, "outbox", "the store is open again");
  for (const Stream stream : model::streams) refresh_stream(stream);
}

}  // namespace tideline::agent
