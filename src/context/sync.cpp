#include "context/sync.hpp"

#include "context/limits.hpp"

namespace tideline::context {
namespace {

constexpr const char* failed_here = "here: ";
constexpr Duration failure_retry = seconds(30);
constexpr size_t page_bytes = limits::message_bytes / 2;  // one register more may come on top

}  // namespace

uint64_t hash_of_declarations(std::string_view json) {
  if (json.empty()) return 0;
  uint64_t sum = 0xcbf29ce484222325;
  for (const char c : json) sum = (sum ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return sum == 0 ? 1 : sum;
}

Sync::Sync(Side me, Host& host, std::string declarations, Log& log)
    : me_(me), host_(host), declarations_hash_(hash_of_declarations(declarations)), log_(log) {
  if (me == Side::device) declarations_ = std::move(declarations);
}

void Sync::start() {
  if (me_ == Side::device) read(Reading::greeting);
}

void Sync::read(Reading why) {
  readings_.push_back(why);
  host_.read_state();
}

Status Sync::on_message(Bytes bytes, Instant now) {
  ASSIGN_OR_RETURN(Message message, decode(bytes));
  if (!has_heard_ && message.type != MessageType::state) return Error{ErrorCode::invalid, 0, "context: the peer did not begin with its state"};
  switch (message.type) {
    case MessageType::state: take(message.state); break;
    case MessageType::registers:
      status_.received += message.registers.registers.size();
      ++applying_;
      host_.apply(std::move(message.registers.registers));
      break;
    case MessageType::ack: take(message.ack); break;
    case MessageType::failed: take(message.failed, now); break;
    case MessageType::resync:
      if (!is_resent_) send_everything();
      break;
    case MessageType::declarations:
      if (me_ != Side::hub) break;
      declarations_hash_ = hash_of_declarations(message.declarations.json);
      host_.on_declarations(std::move(message.declarations.json));
      break;
  }
  return {};
}

void Sync::take(const StateMessage& message) {
  theirs_ = message.state;
  their_declarations_ = message.declarations;
  const bool is_first = !has_heard_;
  has_heard_ = true;
  // The hub still owes its own state; the device said it before.
  if (is_first) return read(me_ == Side::hub ? Reading::greeting : Reading::meeting);
  // Who has more to send says a state after it, which the other one compares. This one may have been taken before what was sent last.
  if (status_.is_settled) read(Reading::comparing);
}

void Sync::on_state(const ReplicaState& mine) {
  if (readings_.empty()) return;
  const Reading why = readings_.front();
  readings_.pop_front();
  if (why == Reading::comparing) return compare(mine);
  if (why != Reading::meeting) say_state(mine);
  if (why == Reading::meeting || (why == Reading::greeting && me_ == Side::hub)) meet(mine);
}

void Sync::say_state(const ReplicaState& mine) {
  say(StateMessage{sync_version, mine, declarations_hash_});
}

void Sync::meet(const ReplicaState& mine) {
  status_.has_met = true;
  status_.peer_holds = theirs_.tops;
  if (me_ == Side::device && their_declarations_ != declarations_hash_) say(DeclarationsMessage{declarations_});
  for (const Side side : sides) {
    sent_[index_of(side)] = theirs_.tops[side];
    // Of one's own side there may be more by now.
    has_more_[index_of(side)] = side == me_ || mine.tops[side] > theirs_.tops[side];
  }
  tell_holds();
  pump();
}

/// The host forgets deletions that the peer holds. What came from the peer before it said so may hold the values that they deleted.
void Sync::tell_holds() {
  owes_holds_ = applying_ != 0;
  if (!owes_holds_) host_.on_peer_holds(status_.peer_holds);
}

void Sync::compare(const ReplicaState& mine) {
  if (!status_.is_settled) return;  // any more: two states may have come one after the other
  for (const Side side : sides) {
    if (mine.tops[side] <= theirs_.tops[side]) continue;
    sent_[index_of(side)] = std::min(sent_[index_of(side)], theirs_.tops[side]);
    has_more_[index_of(side)] = true;
  }
  if (!(mine.tops == theirs_.tops)) return pump();
  status_.is_same = mine.digest == theirs_.digest;
  if (status_.is_same) return;
  if (is_resent_) return log_error(log_, "context", "the other side holds other entries although everything was sent to it: please report this");
  log_warning(log_, "context", "the other side holds other entries although it saw the same writes (one of us came back from an older image): sending everything again");
  say(ResyncMessage{});
  send_everything();
}

void Sync::send_everything() {
  is_resent_ = true;
  ++status_.resyncs;
  sent_ = {};
  has_more_ = {true, true};
  page_.is_end = false;
  page_last_ = 0;  // what is under way now was before this
  pump();
}

void Sync::pump() {
  if (!status_.has_met || sending_ != Sending::nothing || retry_at_ != never) return;
  for (const Side side : {me_, other(me_)}) {
    if (!has_more_[index_of(side)]) continue;
    status_.is_settled = status_.is_same = false;
    sending_ = Sending::reading;
    if (side == me_) has_written_ = false;
    return host_.read_page(side, sent_[index_of(side)], page_bytes);
  }
  if (status_.is_settled) return;
  status_.is_settled = true;
  read(Reading::settling);
}

void Sync::on_page(RegisterPage&& page) {
  if (sending_ != Sending::reading) return;
  Stamp& sent = sent_[index_of(page.side)];
  if (page.after != sent) {  // asked before everything was to be sent again
    sending_ = Sending::nothing;
    return pump();
  }
  if (page.registers.empty()) {
    has_more_[index_of(page.side)] = page.side == me_ && has_written_;
    sending_ = Sending::nothing;
    return pump();
  }
  sending_ = Sending::waiting;
  page_last_ = page.registers.back().write.stamp;
  RegistersMessage message{std::move(page.registers)};
  status_.sent += message.registers.size();
  page_ = std::move(page);
  page_.registers.clear();
  say(message);
}

void Sync::take(const AckMessage& message) {
  status_.peer_holds = message.tops;
  if (sending_ != Sending::waiting) return;
  sending_ = Sending::nothing;
  status_.last_failure.clear();
  if (page_last_ != 0) {
    sent_[index_of(page_.side)] = page_last_;
    has_more_[index_of(page_.side)] = !page_.is_end || (page_.side == me_ && has_written_);
  }
  tell_holds();
  pump();
}

void Sync::take(const FailedMessage& message, Instant now) {
  if (sending_ != Sending::waiting) return;
  sending_ = Sending::nothing;
  status_.last_failure = "the other side: " + message.why;
  retry_at_ = now + failure_retry;
}

void Sync::on_tick(Instant now) {
  if (now < retry_at_) return;
  retry_at_ = never;
  pump();
}

void Sync::on_applied(const Status& status, const Tops& tops) {
  if (applying_ > 0) --applying_;
  if (status) {
    if (status_.last_failure.starts_with(failed_here)) status_.last_failure.clear();
    say(AckMessage{tops});
    if (owes_holds_) tell_holds();
    return;
  }
  status_.last_failure = std::string(failed_here) + status.error().context;
  say(FailedMessage{std::string(error_name(status.error().code)) + ": " + status.error().context});
}

void Sync::on_written() {
  has_written_ = true;
  has_more_[index_of(me_)] = true;
  pump();
}

}  // namespace tideline::context
