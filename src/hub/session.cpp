#include "hub/session.hpp"

#include <algorithm>
#include <cassert>

#include "hub/session_agreement.hpp"
#include "link/codec.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "session";

}  // namespace

SecondConnection judge_second_connection(const std::string& live_fingerprint, const std::string& new_fingerprint) {
  return live_fingerprint == new_fingerprint ? SecondConnection::replaces : SecondConnection::refused;
}

Session::Session(SessionOptions options, SessionPeer peer, SessionActions& actions, Log& log, Instant now)
    : options_(std::move(options)), peer_(std::move(peer)), actions_(actions), log_(log), promised_(options_.ping_interval) {
  status_.device = peer_.certificate_device;
  enter(SessionState::greeting, now);
  deadline_ = now + limits::hello_deadline;
}

// ---- Frames

void Session::on_frame(Bytes payload, Instant now) {
  if (is_closed()) return;
  status_.bytes_received += payload.size();
  const auto message = link::decode(payload);
  if (!message) {
    return close(link::ByeCode::protocol_error, format("wrong frame: %s", message.error().context), {}, now);
  }
  hear(now);
  handle(*message, payload.size(), now);
}

void Session::handle(const link::Message& message, size_t payload_bytes, Instant now) {
  if (std::holds_alternative<link::Reserved>(message) || std::holds_alternative<link::Skipped>(message)) return;
  if (const auto* bye = std::get_if<link::Bye>(&message)) {
    actions_.close();
    return end(format("the device says: %s%s%s", bye_name(bye->code), bye->reason.empty() ? "" : ": ", bye->reason.c_str()), now);
  }
  switch (status_.state) {
    case SessionState::greeting:
      if (const auto* hello = std::get_if<link::Hello>(&message)) return on_hello(*hello, now);
      if (const auto* enroll = std::get_if<link::Enroll>(&message)) return on_enroll(*enroll, now);
      return close(link::ByeCode::protocol_error, "the first frame is neither hello nor enroll", {}, now);
    case SessionState::loading:
    case SessionState::enrolling:
      return close(link::ByeCode::protocol_error, "a frame came before our answer", {}, now);
    case SessionState::serving: return serve(message, payload_bytes, now);
    case SessionState::closed: return;
  }
}

void Session::serve(const link::Message& message, size_t payload_bytes, Instant now) {
  if (const auto* block = std::get_if<link::BlockFrame>(&message)) return on_block(*block, payload_bytes, now);
  if (const auto* gaps = std::get_if<link::GapFrame>(&message)) return on_gaps(*gaps, payload_bytes, now);
  if (const auto* series = std::get_if<link::SeriesFrame>(&message)) return on_series(*series, payload_bytes, now);
  if (const auto* ping = std::get_if<link::Ping>(&message)) return on_ping(*ping, now);
  if (const auto* enroll = std::get_if<link::Enroll>(&message)) return on_enroll(*enroll, now);
  if (std::holds_alternative<link::Pong>(message)) return;
  if (const auto* anchor = std::get_if<link::AnchorFrame>(&message)) {
    // The newest of each boot is enough; more within one turn is a flood.
    if (filling_.intake.anchors.size() >= limits::hello_anchors) filling_.intake.anchors.erase(filling_.intake.anchors.begin());
    filling_.intake.anchors.push_back(anchor->anchor);
    return;
  }
  close(link::ByeCode::protocol_error, "a frame that only hubs send, or a second hello", {}, now);
}

void Session::on_hello(const link::Hello& hello, Instant now) {
  if (hello.version_least > link::protocol_version || hello.version_most < link::protocol_version) {
    return close(link::ByeCode::too_old, format("this hub speaks version %u of the link, the device %u to %u", link::protocol_version,
                                                hello.version_least, hello.version_most), {}, now);
  }
  if (!peer_.has_certificate) {
    return close(link::ByeCode::not_authorised, "no client certificate: enrol this device first (tideline enroll)", {}, now);
  }
  if (hello.device != peer_.certificate_device) {
    return close(link::ByeCode::not_authorised, format("the certificate is for device '%s', hello names '%s'",
                                                       peer_.certificate_device.c_str(), hello.device.c_str()), {}, now);
  }
  if (!peer_.is_known) {
    return close(link::ByeCode::unknown_device, "this hub does not know the device: make a token and enrol it", {}, now);
  }
  if (peer_.record.revoked) return close(link::ByeCode::revoked, "the device was revoked at this hub", {}, now);
  hello_ = hello;
  enter(SessionState::loading, now);
  deadline_ = now + limits::load_deadline;
  actions_.load_state(peer_.record.key, hello_.epoch);
}

void Session::on_state_loaded(Result<DeviceState> state, Instant now) {
  if (status_.state != SessionState::loading) return;
  if (!state) {
    return close(link::ByeCode::unavailable, format("the archive cannot be read: %s", state.error().context),
                 options_.unavailable_retry, now);
  }
  for (const model::Stream stream : model::streams) {
    held_[model::index_of(stream)] = state->held[model::index_of(stream)];
    expected_[model::index_of(stream)] = held_[model::index_of(stream)];
  }
  // A raised incarnation numbers its series anew (archive.hpp).
  series_known_ = hello_.incarnation == state->incarnation ? state->series_known : 0;
  credit_left_ = options_.credit_bytes;
  claims_ = claimed_runs(hello_);
  filling_.intake.anchors = std::move(hello_.anchors);
  enter(SessionState::serving, now);
  hear(now);
  send_welcome(*state);
  actions_.presence(true);
}

void Session::send_welcome(const DeviceState& state) {
  link::Welcome welcome;
  welcome.hub = options_.hub;
  welcome.utc_ns = actions_.utc_now().nanos;
  welcome.incarnation = state.incarnation;
  welcome.series_known = series_known_;
  welcome.series_hash = series_known_ > 0 ? state.series_hash : 0;
  for (const model::Stream stream : model::streams) {
    const size_t i = model::index_of(stream);
    welcome.streams[i] = compare_claims(hello_, state, stream);
    // Each connection with a live lane over a backlog leaves one more range behind: no more of them from half the bound on.
    if (state.held[i].ranges().size() >= limits::cursor_ranges / 2) welcome.live = false;
  }
  welcome.credit = credit_left_;
  welcome.reconnect_least = options_.reconnect_least;
  welcome.reconnect_spread = options_.reconnect_spread;
  welcome.ping_interval = options_.ping_interval;
  send_frame(welcome);
}

// ---- Data

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

// ---- Enrolment

void Session::on_enroll(const link::Enroll& request, Instant now) {
  const bool is_renewal = status_.state == SessionState::serving;
  if (is_renewal ? (!request.token.empty() || request.device != hello_.device) : (peer_.has_certificate || request.token.empty())) {
    return close(link::ByeCode::enrol_refused, is_renewal ? "a renewal names its own device and no token"
                                                          : "enrolment needs a token and no certificate", {}, now);
  }
  if (!is_renewal) {
    status_.device = request.device;
    enter(SessionState::enrolling, now);
    deadline_ = now + limits::load_deadline;
  }
  actions_.enroll(request, is_renewal);
}

void Session::on_enrolled(const link::Enrolled& answer, Instant now) {
  if (status_.state != SessionState::enrolling && status_.state != SessionState::serving) return;
  send_frame(answer);
  if (status_.state == SessionState::serving) return;
  actions_.close();  // the device comes back with its certificate
  end("enrolled", now);
}

void Session::on_enrol_refused(const std::string& reason, Instant now) {
  if (status_.state != SessionState::enrolling && status_.state != SessionState::serving) return;
  close(link::ByeCode::enrol_refused, reason, {}, now);
}

// ---- Time and ends

void Session::hear(Instant now) {
  if (status_.state == SessionState::serving) heard_deadline_ = now + promised_ + promised_ + limits::ping_deadline;
}

void Session::on_ping(const link::Ping& ping, Instant now) {
  if (ping.interval.nanos > 0) promised_ = std::min(ping.interval, limits::ping_interval_most);
  hear(now);
  send_frame(link::Pong{ping.token});
}

void Session::on_tick(Instant now) {
  if (is_closed()) return;
  if (deadline_ <= now) {
    const bool is_loading = status_.state == SessionState::loading;
    return close(is_loading ? link::ByeCode::unavailable : link::ByeCode::idle,
                 is_loading ? "the archive did not answer in time" : "nothing came in time", options_.unavailable_retry, now);
  }
  if (intake_deadline_ <= now) {
    return close(link::ByeCode::unavailable, "the archive did not store in time", options_.unavailable_retry, now);
  }
  if (heard_deadline_ <= now) close(link::ByeCode::idle, "nothing heard for too long", {}, now);
}

Instant Session::next_wake() const {
  return is_closed() ? never : std::min({deadline_, heard_deadline_, intake_deadline_});
}

void Session::on_replaced(Instant now) {
  if (!is_closed()) close(link::ByeCode::replaced, "the same device connected again", {}, now);
}

void Session::refuse_duplicate(Instant now) {
  close(link::ByeCode::duplicate_device, format("device '%s' is connected with another certificate: two devices may be using one id",
                                                peer_.certificate_device.c_str()), {}, now);
}

void Session::dismiss(link::ByeCode code, const std::string& reason, Duration retry_after, Instant now) {
  if (!is_closed()) close(code, reason, retry_after, now);
}

void Session::on_closed(Instant now) {
  if (!is_closed()) end("the connection ended", now);
}

void Session::close(link::ByeCode code, const std::string& reason, Duration retry_after, Instant now) {
  send_frame(link::Bye{code, reason, retry_after});
  actions_.close();
  end(format("%s: %s", bye_name(code), reason.c_str()), now);
}

void Session::end(const std::string& reason, Instant now) {
  const bool was_online = status_.state == SessionState::serving;
  status_.close_reason = reason;
  enter(SessionState::closed, now);
  filling_ = Batch{};
  log_info(log_, area, "%s (%s): %s", status_.device.empty() ? "unknown device" : status_.device.c_str(), peer_.address.c_str(),
           reason.c_str());
  if (was_online) actions_.presence(false);
}

void Session::enter(SessionState state, Instant now) {
  status_.state = state;
  status_.since = now;
  deadline_ = never;
  heard_deadline_ = never;
  intake_deadline_ = never;
}

uint64_t Session::backlog(model::Stream stream) const {
  const link::StreamClaim& claim = hello_.streams[model::index_of(stream)];
  if (status_.state != SessionState::serving || claim.next <= claim.first_held) return 0;
  uint64_t missing = claim.next - claim.first_held;
  for (const model::SeqRange& range : held_[model::index_of(stream)].ranges()) {
    const model::SeqRange both{std::max(range.first, claim.first_held), std::min(range.last, claim.next - 1)};
    missing -= both.count();
  }
  return missing;
}

template <class Frame>
void Session::send_frame(const Frame& frame) {
  scratch_.clear();
  link::encode(frame, scratch_);
  actions_.send(scratch_);
}

}  // namespace tideline::hub
