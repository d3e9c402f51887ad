#include "hub/fleet/session.hpp"

#include <algorithm>

#include "hub/fleet/session_agreement.hpp"
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
  if (std::holds_alternative<link::Skipped>(message)) return;
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
  if (const auto* reply = std::get_if<link::ReplyFrame>(&message)) return actions_.replied(*reply);
  if (const auto* notice = std::get_if<link::NotifyFrame>(&message)) return actions_.notified(*notice);
  if (const auto* context = std::get_if<link::ContextFrame>(&message)) return actions_.context_came(*context);
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
  claims_ = claimed_runs(hello_);
  filling_.intake.anchors = std::move(hello_.anchors);
  enter(SessionState::serving, now);
  awaits_grant_ = has_backlog() && !actions_.may_send_backlog();
  credit_left_ = awaits_grant_ ? 0 : options_.credit_bytes;
  hear(now);
  send_welcome(*state);
  actions_.presence(true);
}

void Session::grant() {
  if (status_.state != SessionState::serving || !awaits_grant_) return;
  awaits_grant_ = false;
  credit_left_ += options_.credit_bytes;
  send_frame(link::Credit{options_.credit_bytes});
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
  welcome.catalog_hash = state.catalog_hash;
  send_frame(welcome);
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

bool Session::has_backlog() const {
  return std::any_of(std::begin(model::streams), std::end(model::streams), [this](model::Stream stream) { return backlog(stream) > 0; });
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

}  // namespace tideline::hub
