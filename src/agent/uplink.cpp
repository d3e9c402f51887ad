#include "agent/uplink.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "base/limits.hpp"
#include "link/codec.hpp"

namespace tideline::agent {
namespace {

constexpr const char* area = "uplink";
constexpr size_t frame_prefix_bytes = 4;
constexpr size_t send_ahead_bytes = limits::send_queue_bytes / 2;  // leaves room for control frames
constexpr int64_t lost_acknowledgement_factor = 10;  // times ack_deadline for one frame while others are acknowledged
constexpr uint32_t rebases_at_once = 3;              // then with backoff

uint64_t burst_of(uint64_t bytes_per_second) { return std::max<uint64_t>(bytes_per_second, limits::frame_bytes); }

bool is_final(link::ByeCode code) {
  switch (code) {
    case link::ByeCode::too_old:
    case link::ByeCode::not_authorised:
    case link::ByeCode::unknown_device:
    case link::ByeCode::duplicate_device:
    case link::ByeCode::revoked:
    case link::ByeCode::enrol_refused: return true;
    case link::ByeCode::shutting_down:
    case link::ByeCode::protocol_error:
    case link::ByeCode::unavailable:
    case link::ByeCode::idle:
    case link::ByeCode::replaced:
    case link::ByeCode::other: return false;
  }
  return false;
}

}  // namespace

const char* uplink_state_name(UplinkState state) {
  static constexpr const char* names[] = {"stopped", "waiting", "connecting", "greeting", "online", "rebasing"};
  return names[static_cast<size_t>(state)];
}

Uplink::Uplink(UplinkOptions options, Outbox& outbox, UplinkWire& wire, Log& log)
    : options_(std::move(options)),
      outbox_(outbox),
      wire_(wire),
      log_(log),
      random_(options_.seed),
      backoff_(options_.backoff_base, options_.backoff_cap, options_.seed ^ 0x9e3779b97f4a7c15),
      bucket_(options_.bytes_per_second, burst_of(options_.bytes_per_second)),
      drain_(outbox, *this, options_.series_end, options_.live_percent),
      ping_ceiling_(options_.ping_interval_most) {}

// ---- Life of a connection

void Uplink::start(Instant now) {
  assert(state_ == UplinkState::stopped);
  int64_t spread_ms = 0;
  if (const auto setting = outbox_.setting("uplink.reconnect_spread_ms")) {
    (void)std::from_chars(setting->data(), setting->data() + setting->size(), spread_ms);
  }
  reconnect_spread_ = milliseconds(std::clamp<int64_t>(spread_ms, 0, limits::retry_most.millis()));
  enter(UplinkState::waiting, now);
  deadline_ = now + Duration{static_cast<int64_t>(random_.below(static_cast<uint64_t>(reconnect_spread_.nanos) + 1))};
  if (deadline_ == now) connect(now);
}

void Uplink::stop(Instant now) {
  if (state_ == UplinkState::greeting || state_ == UplinkState::online) {
    send_frame(link::Bye{link::ByeCode::shutting_down, "", {}}, now);
  }
  if (state_ != UplinkState::stopped && state_ != UplinkState::waiting && state_ != UplinkState::rebasing) wire_.close();
  drain_.end();
  enter(UplinkState::stopped, now);
}

void Uplink::sync_now(Instant now) {
  if (state_ == UplinkState::waiting) connect(now);
}

bool Uplink::renew(const std::string& request_pem, Instant now) {
  if (!is_online() || request_pem.size() > limits::link_pem_bytes) return false;
  send_frame(link::Enroll{"", request_pem, options_.device, options_.agent_version}, now);
  return true;
}

void Uplink::enter(UplinkState state, Instant now) {
  if (is_online()) wire_.link_down();
  state_ = state;
  since_ = now;
  deadline_ = never;
  stable_at_ = never;
  ping_deadline_ = never;
  bucket_opens_at_ = never;
}

void Uplink::connect(Instant now) {
  enter(UplinkState::connecting, now);
  deadline_ = now + limits::handshake_deadline + limits::handshake_deadline;  // the connection has its own, shorter one
  ++status_.attempts;
  queued_bytes_ = 0;
  wire_.connect();
}

void Uplink::wait(Duration least, Instant now) {
  const Duration spread{static_cast<int64_t>(random_.below(static_cast<uint64_t>(reconnect_spread_.nanos) + 1))};
  const Duration pause = std::max({backoff_.next(), least, reconnect_least_}) + spread;
  enter(UplinkState::waiting, now);
  deadline_ = now + pause;
}

/// The connection is gone, whoever ended it.
void Uplink::drop(const std::string& reason, Instant now, Duration least) {
  if (is_online()) learn_from_loss(now);
  status_.last_error = reason;
  drain_.end();
  wait(least, now);
  log_info(log_, area, "link down: %s; next attempt in %s", reason.c_str(), format_duration(deadline_ - now).c_str());
}

void Uplink::leave(link::ByeCode code, const std::string& reason, Instant now) {
  send_frame(link::Bye{code, reason, {}}, now);
  wire_.close();
  drop(reason, now);
}

void Uplink::on_connected(Instant now) {
  if (state_ != UplinkState::connecting) return;
  enter(UplinkState::greeting, now);
  deadline_ = now + limits::hello_deadline;
  hello_sent_ = now;
  heard_ = now;
  moved_ = now;
  send_frame(make_hello(now), now);
}

void Uplink::on_closed(const std::string& reason, Instant now) {
  if (state_ == UplinkState::connecting || state_ == UplinkState::greeting || state_ == UplinkState::online) drop(reason, now);
}

// ---- Frames

void Uplink::send(Bytes payload, Instant now) {
  queued_bytes_ += payload.size() + frame_prefix_bytes;
  status_.bytes_sent += payload.size() + frame_prefix_bytes;
  bucket_.spend(payload.size() + frame_prefix_bytes, now);
  spoke_ = now;
  wire_.send(payload);
}

void Uplink::set_rate(uint64_t bytes_per_second, Instant now) {
  if (bytes_per_second == options_.bytes_per_second) return;
  options_.bytes_per_second = bytes_per_second;
  bucket_.set_rate(bytes_per_second, burst_of(bytes_per_second), now);
}

bool Uplink::is_open(Instant now) { return queued_bytes_ < send_ahead_bytes && bucket_.is_open(now); }

void Uplink::on_send_queue(size_t queued_bytes, Instant now) {
  if (queued_bytes < queued_bytes_) moved_ = now;
  queued_bytes_ = queued_bytes;
  pump(now);
}

void Uplink::on_frame(Bytes payload, Instant now) {
  if (state_ != UplinkState::greeting && state_ != UplinkState::online) return;
  status_.bytes_received += payload.size() + frame_prefix_bytes;
  heard_ = now;
  const auto message = link::decode(payload);
  if (!message) {
    leave(link::ByeCode::protocol_error, format("the hub sent a wrong frame: %s", message.error().context), now);
    return;
  }
  on_message(*message, now);
  pump(now);
}

void Uplink::on_message(const link::Message& message, Instant now) {
  // A pong shows that the hub lives, not that it stores.
  if (!std::holds_alternative<link::Pong>(message) && !std::holds_alternative<link::Ping>(message)) moved_ = now;
  if (const auto* bye = std::get_if<link::Bye>(&message)) return on_bye(*bye, now);
  if (std::holds_alternative<link::Skipped>(message)) return;
  if (state_ == UplinkState::greeting) {
    if (const auto* welcome = std::get_if<link::Welcome>(&message)) return on_welcome(*welcome, now);
    return leave(link::ByeCode::protocol_error, "the hub did not answer hello with welcome", now);
  }
  if (const auto* ack = std::get_if<link::Ack>(&message)) {
    const auto delivered = drain_.on_ack(*ack);
    if (!delivered) return leave(link::ByeCode::protocol_error, format("the hub %s", delivered.error().context), now);
    if (*delivered > 0) on_progress(now);
    status_.last_ack = now;
  } else if (const auto* nack = std::get_if<link::Nack>(&message)) {
    log_warning(log_, area, "the hub refused %s readings %llu to %llu: %s", stream_name(nack->stream),
                static_cast<unsigned long long>(nack->range.first), static_cast<unsigned long long>(nack->range.last), nack->reason.c_str());
    drain_.on_nack(*nack, now);
  } else if (const auto* credit = std::get_if<link::Credit>(&message)) {
    drain_.add_credit(credit->bytes);
  } else if (const auto* query = std::get_if<link::Ping>(&message)) {
    send_frame(link::Pong{query->token}, now);
  } else if (const auto* pong = std::get_if<link::Pong>(&message)) {
    on_pong(*pong, now);
  } else if (const auto* enrolled = std::get_if<link::Enrolled>(&message)) {
    wire_.enrolled(*enrolled);
  } else if (const auto* context = std::get_if<link::ContextFrame>(&message)) {
    if (const Status taken = wire_.context_came(*context); !taken) leave(link::ByeCode::protocol_error, format("the hub sent wrong context: %s", taken.error().context), now);
  } else if (const auto* call = std::get_if<link::CallFrame>(&message)) {
    wire_.called(*call);
  } else if (const auto* cancel = std::get_if<link::CancelFrame>(&message)) {
    wire_.cancelled(cancel->call);
  } else {
    leave(link::ByeCode::protocol_error, "the hub sent a frame that only devices send", now);
  }
}

void Uplink::on_bye(const link::Bye& bye, Instant now) {
  wire_.close();
  const Duration least = is_final(bye.code) ? std::max(bye.retry_after, options_.backoff_cap) : bye.retry_after;
  drop(format("the hub says: %s%s%s", bye_name(bye.code), bye.reason.empty() ? "" : ": ", bye.reason.c_str()), now, least);
}

/// Only acknowledged data counts: a hub that accepts connections and nothing else must not be hammered.
void Uplink::on_progress(Instant now) {
  backoff_.reset();
  rebases_in_a_row_ = 0;
  status_.attempts = 0;
  moved_ = now;
}

void Uplink::pump(Instant now) {
  if (!is_online()) return;
  drain_.pump(now);
  // The budget is spent with data at hand: go on when the bucket opens. Other reasons to wait end with an event.
  bucket_opens_at_ = !bucket_.is_open(now) && drain_.buffered_bytes() > 0 ? bucket_.open_at(now) : never;
}

// ---- Events of the outbox

void Uplink::on_committed(model::Stream stream, model::Seq next, Instant now) {
  drain_.on_committed(stream, next);
  pump(now);
}

void Uplink::on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                        model::Seq covered_to, Instant now) {
  drain_.on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to, now);
  pump(now);
}

void Uplink::on_rebased(model::Stream, Status result, Instant now) {
  if (rebases_pending_ == 0) return;
  --rebases_pending_;
  if (!result) {
    log_error(log_, area, "the store could not give new numbers after a rollback: %s", result.error().context);
    rebases_in_a_row_ = rebases_at_once;  // no hurry
  }
  if (rebases_pending_ > 0 || state_ != UplinkState::rebasing) return;
  ++rebases_in_a_row_;
  if (rebases_in_a_row_ <= rebases_at_once) {
    connect(now);
  } else {
    wait({}, now);
  }
}

void Uplink::on_anchor(const model::Anchor& anchor, Instant now) {
  if (is_online()) send_frame(link::AnchorFrame{anchor}, now);
}

// ---- Time

void Uplink::on_tick(Instant now) {
  switch (state_) {
    case UplinkState::stopped: return;
    case UplinkState::waiting:
      if (now >= deadline_) connect(now);
      return;
    case UplinkState::connecting:
    case UplinkState::greeting:
      if (now < deadline_) return;
      wire_.close();
      drop(state_ == UplinkState::greeting ? "the hub did not answer hello" : "no connection in time", now);
      return;
    case UplinkState::rebasing:
      if (now < deadline_) return;
      rebases_pending_ = 0;
      wait({}, now);
      return;
    case UplinkState::online: check_link(now);
  }
}

void Uplink::check_link(Instant now) {
  const Instant oldest = drain_.oldest_sent();
  const bool is_stalled = oldest != never && std::max(oldest, moved_) + limits::ack_deadline <= now;
  const bool is_forgotten = oldest != never && oldest + limits::ack_deadline * lost_acknowledgement_factor <= now;
  if (is_stalled || is_forgotten) {
    return leave(link::ByeCode::idle, format("no acknowledgement for %s", format_duration(now - oldest).c_str()), now);
  }
  if (ping_deadline_ <= now) {
    const Instant alive = std::max(heard_, moved_);
    if (alive <= ping_sent_) return leave(link::ByeCode::idle, "the hub does not answer", now);
    ping_deadline_ = alive + limits::ping_deadline;  // slow, but it moves: the pong waits behind data
    ping_sent_ = alive;
  }
  if (ping_deadline_ == never && spoke_ + ping_interval_ <= now) ping(now);
  if (stable_at_ <= now) {
    stable_at_ = never;
    if (drain_.is_synced()) on_progress(now);
  }
  pump(now);
}

/// Announces the interval that will be in force when this one is answered, so that the hub knows how long silence is normal.
void Uplink::ping(Instant now) {
  ping_interval_next_ = std::clamp(Duration{ping_interval_.nanos / 2 * 3}, limits::ping_interval_least, ping_ceiling_);
  ping_sent_ = now;
  ping_deadline_ = now + limits::ping_deadline;
  send_frame(link::Ping{++ping_token_, ping_interval_next_}, now);
}

void Uplink::on_pong(const link::Pong& pong, Instant now) {
  if (pong.token != ping_token_ || ping_deadline_ == never) return;
  ping_deadline_ = never;
  status_.round_trip = now - ping_sent_;
  ping_interval_ = ping_interval_next_;
}

/// A link lost while quiet was probably cut by a NAT or a firewall that forgets quiet links: speak more often from now on.
void Uplink::learn_from_loss(Instant now) {
  const Duration quiet = (ping_deadline_ == never ? now : ping_sent_) - heard_;
  if (quiet < limits::ping_interval_least) return;
  ping_ceiling_ = std::max(limits::ping_interval_least, Duration{ping_interval_.nanos / 4 * 3});
  ping_interval_ = std::max(limits::ping_interval_least, Duration{ping_interval_.nanos / 2});
}

Instant Uplink::next_wake() const {
  if (!is_online()) return deadline_;
  const Instant oldest = drain_.oldest_sent();
  Instant wake = std::min({stable_at_, ping_deadline_, bucket_opens_at_, drain_.next_wake()});
  if (ping_deadline_ == never) wake = std::min(wake, spoke_ + ping_interval_);
  if (oldest != never) {
    wake = std::min({wake, std::max(oldest, moved_) + limits::ack_deadline, oldest + limits::ack_deadline * lost_acknowledgement_factor});
  }
  return wake;
}

// ---- Questions

bool Uplink::is_synced() const { return is_online() && drain_.is_synced(); }

UplinkStatus Uplink::status() const {
  UplinkStatus status = status_;
  status.state = state_;
  status.since = since_;
  status.next_attempt = state_ == UplinkState::waiting ? deadline_ : never;
  status.readings_acknowledged = drain_.readings_acknowledged();
  status.blocks_refused = drain_.blocks_refused();
  status.in_flight_bytes = drain_.in_flight_bytes();
  status.credit_bytes = is_online() ? drain_.credit() : 0;
  status.ping_interval = ping_interval_;
  for (const Drain::LaneView& lane : drain_.lanes()) {
    if (!lane.is_done) status.lanes.push_back({lane.stream, lane.lane, lane.next, lane.buffered_bytes});
  }
  return status;
}

}  // namespace tideline::agent
