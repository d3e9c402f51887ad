#include "hub/context/context_syncs.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "clock.hpp"
#include "context/limits.hpp"

namespace tideline::hub {
namespace {

constexpr const char* area = "context";
constexpr size_t message_most = context::limits::message_bytes + 4096;
constexpr size_t steps_most = 8;                       // of one device at the store: Sync needs fewer
constexpr size_t going_most = 2 * message_most;        // not read by the device: one message and what answers need
constexpr size_t transaction_bytes = 8 * 1024 * 1024;  // of registers; the rest waits for the next one

size_t size_of(const ContextWork& work) {
  size_t sum = 64 + work.declarations.size();
  for (const context::Register& reg : work.registers) sum += context::size_of(reg);
  return sum;
}

}  // namespace

/// One device that speaks of its context.
struct ContextSyncs::Peer final : context::Sync::Host {
  Peer(ContextSyncs& all, DeviceKey key, uint64_t number) : owner(all), device(key), serial(number) {}

  void say(Bytes message) override {
    going.emplace_back(message.begin(), message.end());
    going_bytes += message.size();
    owner.to_send_.push_back(device);
    owner.turn_end_.request();
    if (going_bytes > going_most) owner.send_away(*this, link::ByeCode::protocol_error, "context: more is asked than is read");
  }
  void read_state() override { want(ContextWork::Kind::state, {}); }
  void read_page(context::Side side, context::Stamp after, size_t max_bytes) override {
    ContextWork work;
    work.side = side;
    work.after = after;
    work.max_bytes = max_bytes;
    want(ContextWork::Kind::page, std::move(work));
  }
  void apply(std::vector<context::Register>&& registers) override {
    ContextWork work;
    work.registers = std::move(registers);
    want(ContextWork::Kind::put, std::move(work));
  }
  void on_peer_holds(const context::Tops& tops) override {
    if (tops == holds) return;
    holds = tops;
    ContextWork work;
    work.holds = tops;
    want(ContextWork::Kind::holds, std::move(work));
  }
  void on_declarations(std::string&& json) override {
    if (!json.empty() && !context::parse_declarations(json)) {
      return owner.send_away(*this, link::ByeCode::protocol_error, "context: its declarations cannot be read");
    }
    ContextWork work;
    work.declarations = std::move(json);
    want(ContextWork::Kind::declare, std::move(work));
  }
  void want(ContextWork::Kind kind, ContextWork work) {
    work.kind = kind;
    owner.want(*this, std::move(work));
  }

  ContextSyncs& owner;
  DeviceKey device;
  uint64_t serial;
  std::unique_ptr<context::Sync> sync;   ///< null while the archive is asked for what the device declared
  ByteBuffer coming;                     ///< pieces of a message
  std::vector<ByteBuffer> early;         ///< messages that came before `sync` was there
  std::vector<ByteBuffer> going;         ///< messages that wait for the link
  size_t going_bytes = 0;
  size_t steps = 0;                      ///< at the store, or waiting for it
  context::Tops holds;
  bool is_sent_away = false;
  link::ByeCode code = link::ByeCode::protocol_error;
  std::string reason;
};

/// What several devices want, as one transaction.
class ContextSyncs::Job final : public StoreJob {
 public:
  Job(ContextSyncs& owner, Items items) : owner_(owner), items_(std::move(items)) {}
  void work(Archive& archive) override {
    std::vector<ContextWork> all;
    all.reserve(items_.size());
    for (auto& [serial, work] : items_) all.push_back(std::move(work));
    status_ = archive.context().agree(all);
    for (size_t i = 0; i < all.size(); ++i) items_[i].second = std::move(all[i]);
  }
  void done(const Status& status) override { owner_.on_work_done(std::move(items_), status ? status_ : status); }

 private:
  ContextSyncs& owner_;
  Items items_;
  Status status_;
};

ContextSyncs::ContextSyncs(uv::Loop& loop, StoreDesk& desk, ContextLinks& links, Log& log) : desk_(desk), links_(links), log_(log), turn_end_(loop, *this) {}
ContextSyncs::~ContextSyncs() = default;

ContextSyncs::Peer* ContextSyncs::find(DeviceKey device, uint64_t serial) {
  const auto found = peers_.find(device);
  return found == peers_.end() || found->second->serial != serial ? nullptr : found->second.get();
}

// ---- What comes from devices

void ContextSyncs::on_context_link(DeviceKey device, bool is_online) {
  peers_.erase(device);
  if (listener_ != nullptr) listener_->on_context_link_changed(device, is_online);
}

void ContextSyncs::on_context(DeviceKey device, const link::ContextFrame& frame) {
  std::unique_ptr<Peer>& slot = peers_[device];
  if (slot == nullptr) {
    slot = std::make_unique<Peer>(*this, device, next_serial_++);
    slot->want(ContextWork::Kind::open, {});
  }
  Peer& peer = *slot;
  if (peer.is_sent_away) return;
  if (peer.coming.size() + frame.bytes.size() > message_most) return send_away(peer, link::ByeCode::protocol_error, "context: a message is too long");
  peer.coming.insert(peer.coming.end(), frame.bytes.begin(), frame.bytes.end());
  if (!peer.going.empty()) to_send_.push_back(device);  // it is alive: perhaps it reads again
  turn_end_.request();
  if (frame.is_last) take(peer, std::exchange(peer.coming, {}));
}

void ContextSyncs::take(Peer& peer, ByteBuffer message) {
  if (peer.sync == nullptr) {
    peer.early.push_back(std::move(message));
    if (peer.early.size() > steps_most) send_away(peer, link::ByeCode::protocol_error, "context: too much at once");
    return;
  }
  if (const Status taken = peer.sync->on_message(message, platform::now()); !taken) {
    send_away(peer, link::ByeCode::protocol_error, std::string("context: ") + taken.error().context);
  }
}

void ContextSyncs::on_written(DeviceKey device, const std::vector<ContextNews>& news) {
  if (const auto found = peers_.find(device); found != peers_.end() && found->second->sync != nullptr) found->second->sync->on_written();
  if (listener_ != nullptr) listener_->on_context_news(device, news);
}

void ContextSyncs::on_tick(Instant now) {
  for (const auto& [device, peer] : peers_) {
    if (!peer->going.empty()) to_send_.push_back(device);
    if (peer->sync != nullptr && peer->sync->next_wake() <= now) peer->sync->on_tick(now);
  }
  turn_end_.request();
}

bool ContextSyncs::is_met(DeviceKey device) const {
  const auto found = peers_.find(device);
  return found != peers_.end() && found->second->sync != nullptr && found->second->sync->status().has_met;
}

context::Tops ContextSyncs::holds(DeviceKey device) const {
  const auto found = peers_.find(device);
  return found == peers_.end() ? context::Tops{} : found->second->holds;
}

size_t ContextSyncs::bytes_waiting() const {
  size_t sum = 0;
  for (const auto& [device, peer] : peers_) {
    sum += peer->coming.capacity() + peer->going_bytes;
    for (const ByteBuffer& message : peer->early) sum += message.size();
  }
  for (const auto& [serial, work] : wanted_) sum += size_of(work);
  return sum;
}

// ---- The store

void ContextSyncs::want(Peer& peer, ContextWork work) {
  if (peer.is_sent_away) return;
  if (++peer.steps > steps_most) return send_away(peer, link::ByeCode::protocol_error, "context: it does not wait for answers");
  work.device = peer.device;
  work.now_ns = platform::wall_clock().nanos;
  wanted_.emplace_back(peer.serial, std::move(work));
  turn_end_.request();
}

void ContextSyncs::on_turn_end() {
  begin_work();
  std::vector<DeviceKey> to_send;
  to_send.swap(to_send_);
  for (const DeviceKey device : to_send) {
    const auto found = peers_.find(device);
    if (found == peers_.end()) continue;
    Peer& peer = *found->second;
    if (!peer.is_sent_away) {
      send_waiting(peer);
      continue;
    }
    const link::ByeCode code = peer.code;
    const std::string reason = peer.reason;
    peers_.erase(found);
    links_.dismiss(device, code, reason);
  }
}

void ContextSyncs::begin_work() {
  if (is_working_ || wanted_.empty()) return;
  is_working_ = true;
  size_t bytes = 0;
  size_t end = 0;
  while (end < wanted_.size() && (end == 0 || bytes < transaction_bytes)) bytes += size_of(wanted_[end++].second);
  Items items(std::make_move_iterator(wanted_.begin()), std::make_move_iterator(wanted_.begin() + static_cast<ptrdiff_t>(end)));
  wanted_.erase(wanted_.begin(), wanted_.begin() + static_cast<ptrdiff_t>(end));
  desk_.run(std::make_unique<Job>(*this, std::move(items)));
}

void ContextSyncs::on_work_done(Items items, const Status& status) {
  is_working_ = false;
  turn_end_.request();
  if (!status) log_warning(log_, area, "nothing of %zu steps was done: %s: %s", items.size(), status.error().context, error_name(status.error().code));
  for (auto& [serial, work] : items) {
    if (Peer* const peer = find(work.device, serial)) {
      --peer->steps;
      status ? hand_over(*peer, work) : fail(*peer, work, status.error());
    }
    if (!status) continue;
    // Also when the device has gone meanwhile: this is durable.
    if (work.kind == ContextWork::Kind::put) tell(work.device, work.registers);
    if (work.kind == ContextWork::Kind::holds && listener_ != nullptr) listener_->on_context_held(work.device, work.holds);
  }
}

void ContextSyncs::hand_over(Peer& peer, ContextWork& work) {
  if (peer.is_sent_away) return;
  switch (work.kind) {
    case ContextWork::Kind::open: {
      peer.sync = std::make_unique<context::Sync>(context::Side::hub, peer, std::move(work.declarations), log_);
      for (ByteBuffer& message : std::exchange(peer.early, {})) take(peer, std::move(message));
      return;
    }
    case ContextWork::Kind::state: return peer.sync->on_state(work.state);
    case ContextWork::Kind::page: return peer.sync->on_page(std::move(work.page));
    case ContextWork::Kind::put: return peer.sync->on_applied(work.status, work.state.tops);
    case ContextWork::Kind::holds:
    case ContextWork::Kind::declare: return;
  }
}

void ContextSyncs::fail(Peer& peer, ContextWork& work, const Error& error) {
  if (work.kind == ContextWork::Kind::put && !peer.is_sent_away) return peer.sync->on_applied(error, {});
  send_away(peer, link::ByeCode::unavailable, std::string("the archive: ") + error.context);
}

void ContextSyncs::tell(DeviceKey device, const std::vector<context::Register>& registers) {
  if (listener_ == nullptr || registers.empty()) return;
  std::vector<ContextNews> news;
  for (const context::Register& reg : registers) news.push_back({reg.path, reg.side, reg.write.stamp});
  listener_->on_context_news(device, news);
}

// ---- What goes to devices

void ContextSyncs::send_waiting(Peer& peer) {
  size_t sent = 0;
  for (; sent < peer.going.size(); ++sent) {
    const ByteBuffer& message = peer.going[sent];
    // A whole message or nothing, so that what waits is bounded here and there.
    if (links_.call_room(peer.device) < message.size()) break;
    size_t at = 0;
    do {
      const size_t size = std::min(message.size() - at, limits::link_piece_bytes);
      const link::ContextFrame frame{at + size == message.size(), Bytes(message.data() + at, size)};
      if (!links_.send(peer.device, frame)) return;
      at += size;
    } while (at < message.size());
    peer.going_bytes -= message.size();
  }
  peer.going.erase(peer.going.begin(), peer.going.begin() + static_cast<ptrdiff_t>(sent));
  if (peer.going.empty()) peer.going.shrink_to_fit();
}

/// At the end of the turn: a session does not like to be ended from within.
void ContextSyncs::send_away(Peer& peer, link::ByeCode code, std::string reason) {
  if (peer.is_sent_away) return;
  peer.is_sent_away = true;
  peer.code = code;
  peer.reason = std::move(reason);
  to_send_.push_back(peer.device);
  turn_end_.request();
}

}  // namespace tideline::hub
