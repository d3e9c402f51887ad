// What a device sends under credit: definitions, blocks and gaps on their way to the archive, and what is answered for them.
#include <algorithm>
#include <cassert>

#include "hub/fleet/session.hpp"
#include "hub/fleet/session_agreement.hpp"

namespace tideline::hub {

/// Series, block and gap frames cost credit: that bounds what is in memory here for this device.
bool Session::charge(size_t payload_bytes, Instant now) {
  if (payload_bytes > credit_left_) {
    close(link::ByeCode::protocol_error, "more data than the credit allows", {}, now);
    return false;
  }
  credit_left_ -= payload_bytes;
  status_.pending_bytes += payload_bytes;
  return true;
}

void Session::give_back(uint64_t credit) {
  credit_left_ += credit;
  status_.pending_bytes -= credit;
  send_frame(link::Credit{credit});
}

void Session::on_series(const link::SeriesFrame& frame, size_t payload_bytes, Instant now) {
  if (!charge(payload_bytes, now)) return;
  if (frame.first != series_known_) {
    return close(link::ByeCode::protocol_error, format("series definitions begin at %u, expected %u", frame.first, series_known_), {}, now);
  }
  if (filling_.intake.series.empty()) filling_.intake.first_series = frame.first;
  filling_.intake.series.insert(filling_.intake.series.end(), frame.series.begin(), frame.series.end());
  series_known_ += static_cast<model::SeriesId>(frame.series.size());
  filling_.credit += payload_bytes;
}

void Session::on_block(const link::BlockFrame& frame, size_t payload_bytes, Instant now) {
  if (!charge(payload_bytes, now)) return;
  if (!expected_[model::index_of(frame.stream)].add(frame.range, limits::cursor_ranges)) {
    send_frame(link::Nack{frame.stream, frame.range, false, "too many separate ranges: oldest first, please"});
    return give_back(payload_bytes);
  }
  filling_.intake.blocks.push_back({frame.stream, frame.range, ByteBuffer(frame.block.begin(), frame.block.end())});
  filling_.credit += payload_bytes;
}

void Session::on_gaps(const link::GapFrame& frame, size_t payload_bytes, Instant now) {
  if (!charge(payload_bytes, now)) return;
  for (const model::Gap& gap : frame.gaps) {
    if (!add_gap(gap)) send_frame(link::Nack{gap.stream, gap.range, false, "too many separate ranges or gaps: oldest first, please"});
  }
  filling_.credit += payload_bytes;
}

/// Only what is not held is missing: a device that lost its memory of an acknowledgement may declare too much. False when a
/// bound was reached; nothing of the gap was taken then that would be wrong to keep.
bool Session::add_gap(const model::Gap& gap) {
  model::SeqRanges& expected = expected_[model::index_of(gap.stream)];
  const bool is_exact = gap.count == gap.range.count();
  uint64_t left = gap.count;
  for (model::Seq from = gap.range.first; from <= gap.range.last;) {
    model::Gap piece = gap;
    piece.range = expected.first_missing(from, gap.range.last);
    if (piece.range.is_empty()) break;
    if (filling_.intake.gaps.size() >= limits::session_pending_gaps) return false;
    piece.count = is_exact ? piece.range.count() : std::min(left, piece.range.count());
    left -= std::min(left, piece.count);
    piece.at_least = gap.at_least || (!is_exact && piece.range != gap.range);
    if (!expected.add(piece.range, limits::cursor_ranges)) return false;
    from = piece.range.last + 1;
    if (note_held(claims_, gap.stream, piece.range)) has_news_of_runs_ = true;
    filling_.intake.gaps.push_back(piece);
    filling_.pieces.push_back({piece.stream, piece.range});
  }
  filling_.gaps.push_back({gap.stream, gap.range});
  return true;
}

void Session::flush(Instant now) {
  if (status_.state != SessionState::serving || is_applying_ || filling_.is_empty()) return;
  is_applying_ = true;
  intake_deadline_ = now + limits::intake_deadline;
  filling_.intake.device = peer_.record.key;
  filling_.intake.epoch = hello_.epoch;
  filling_.intake.incarnation = hello_.incarnation;
  if (has_news_of_runs_ && filling_.credit > 0) {
    filling_.intake.runs = claims_;
    has_news_of_runs_ = false;
  }
  applying_blocks_.clear();
  for (const model::StoredBlock& block : filling_.intake.blocks) applying_blocks_.push_back({block.stream, block.range});
  applying_.gaps = std::move(filling_.gaps);
  applying_.pieces = std::move(filling_.pieces);
  applying_.credit = filling_.credit;
  IntakeBatch intake = std::move(filling_.intake);
  filling_ = Batch{};
  actions_.intake(std::move(intake));
}

void Session::on_applied(Result<std::vector<BlockVerdict>> verdicts, Instant now) {
  if (status_.state != SessionState::serving || !is_applying_) return;
  is_applying_ = false;
  intake_deadline_ = never;
  if (!verdicts) {
    // Nothing was stored and the bytes are gone from here: the device has them, and begins again from what the hub holds.
    return close(link::ByeCode::unavailable, format("the archive cannot store: %s", verdicts.error().context),
                 options_.unavailable_retry, now);
  }
  assert(verdicts->size() == applying_blocks_.size());
  acknowledge(*verdicts);
  flush(now);
}

/// One acknowledgement per stream and commit (more only beyond limits::ack_ranges ranges). Credit comes last: the device is never
/// given back what it still counts as in flight.
void Session::acknowledge(const std::vector<BlockVerdict>& verdicts) {
  model::SeqRanges stored[model::stream_count];
  const bool has_refusal = take_verdicts(verdicts, stored);
  for (const Pending& piece : applying_.pieces) (void)held_[model::index_of(piece.stream)].add(piece.range, limits::cursor_ranges);
  for (const Pending& gap : applying_.gaps) {
    if (held_[model::index_of(gap.stream)].covers(gap.range)) {
      (void)stored[model::index_of(gap.stream)].add(gap.range, SIZE_MAX);
    } else {  // it was cut around a block that has been refused now
      send_frame(link::Nack{gap.stream, gap.range, false, "a block in it was refused: declare it again, please"});
    }
  }
  credit_left_ += applying_.credit;
  status_.pending_bytes -= applying_.credit;
  std::vector<link::Ack> acks;
  for (const model::Stream stream : model::streams) {
    const auto& ranges = stored[model::index_of(stream)].ranges();
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (i % limits::ack_ranges == 0) acks.push_back({stream, {}, 0});
      acks.back().ranges.push_back(ranges[i]);
    }
  }
  if (!acks.empty()) acks.back().credit = applying_.credit;
  for (const link::Ack& ack : acks) send_frame(ack);
  if (acks.empty() && applying_.credit > 0) send_frame(link::Credit{applying_.credit});
  applying_ = Batch{};
  if (has_refusal) expect_again();
}

/// Adds what was stored to `stored` (one per stream) and refuses the rest; true when something was refused.
bool Session::take_verdicts(const std::vector<BlockVerdict>& verdicts, model::SeqRanges* stored) {
  bool has_refusal = false;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    const Pending& block = applying_blocks_[i];
    if (!verdicts[i].accepted) {
      has_refusal = true;
      ++status_.blocks_refused;
      send_frame(link::Nack{block.stream, block.range, true, verdicts[i].reason});
      continue;
    }
    (void)stored[model::index_of(block.stream)].add(block.range, SIZE_MAX);
    (void)held_[model::index_of(block.stream)].add(block.range, limits::cursor_ranges);
    ++(verdicts[i].duplicate ? status_.blocks_duplicate : status_.blocks_accepted);
    if (!verdicts[i].duplicate) status_.readings_accepted += block.range.count();
  }
  return has_refusal;
}

/// A refused block is not on its way any more: a gap over its numbers must not be cut away.
void Session::expect_again() {
  for (const model::Stream stream : model::streams) expected_[model::index_of(stream)] = held_[model::index_of(stream)];
  for (const model::StoredBlock& block : filling_.intake.blocks) {
    (void)expected_[model::index_of(block.stream)].add(block.range, limits::cursor_ranges);
  }
  for (const model::Gap& gap : filling_.intake.gaps) (void)expected_[model::index_of(gap.stream)].add(gap.range, limits::cursor_ranges);
}

}  // namespace tideline::hub
