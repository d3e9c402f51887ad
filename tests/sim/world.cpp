#include "sim/world.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "link/codec.hpp"

namespace tideline::sim {

class World::HubEnd final : public hub::SessionActions {
 public:
  explicit HubEnd(World& world) : world_(world) {}
  void send(Bytes payload) override { world_.hub_sends(payload); }
  void close() override { world_.hub_closes(); }
  void load_state(hub::DeviceKey, const std::string& epoch) override { world_.load_state(epoch); }
  void intake(hub::IntakeBatch&& batch) override { world_.intake(std::move(batch)); }
  UtcNanos utc_now() override { return {world_.now_.nanos + 1'700'000'000'000'000'000}; }
  void enroll(const link::Enroll&, bool) override {}
  void presence(bool) override {}

 private:
  World& world_;
};

World::World(uint64_t seed, Faults faults) : faults_(faults), random_(seed), hub_end_(std::make_unique<HubEnd>(*this)) {
  latency_ = milliseconds(1 + static_cast<int64_t>(random_.below(400)));
  credit_ = 4096 + random_.below(60'000);
  StoreImage image;
  image.epoch = "00112233445566778899aabbccddeeff";
  start_device(image);
  if (faults_.swap_device) saved_.push_back(store_->image());
}

World::~World() = default;

void World::write(LogLevel, std::string_view area, std::string_view text) {
  static const bool is_traced = std::getenv("SIM_TRACE") != nullptr;
  if (is_traced) std::printf("%10.3f %.*s: %.*s\n", (now_ - Instant{}).seconds(), int(area.size()), area.data(), int(text.size()), text.data());
}

// ---- Virtual time

void World::at(Instant when, uint64_t& owner, std::function<void()> run) {
  events_.emplace(std::max(when, now_), Event{&owner, owner, std::move(run)});
}

Duration World::between(Duration least, Duration most) {
  return least + Duration{static_cast<int64_t>(random_.below(static_cast<uint64_t>((most - least).nanos) + 1))};
}

void World::after(Duration least, Duration most, uint64_t& owner, std::function<void()> run) {
  at(now_ + between(least, most), owner, std::move(run));
}

void World::step_to(Instant end) {
  while (!events_.empty() && events_.begin()->first <= end && problem_.empty()) {
    auto node = events_.extract(events_.begin());
    now_ = node.key();
    Event& event = node.mapped();
    if (*event.owner == event.life) event.run();
  }
  now_ = end;
}

void World::wake_uplink() {
  const Instant due = uplink_->next_wake();
  if (due == never || due >= uplink_wake_) return;
  uplink_wake_ = due;
  at(due, device_alive_, [this] {
    uplink_wake_ = never;
    const bool is_due = uplink_->next_wake() <= now_;
    uplink_->on_tick(now_);
    idle_ticks_ = is_due && uplink_->next_wake() <= now_ ? idle_ticks_ + 1 : 0;
    if (idle_ticks_ > 10) problem_ = "the uplink asks to be woken again and again";
    wake_uplink();
    check_bounds();
  });
}

void World::wake_session() {
  if (session_ == nullptr) return;
  const Instant due = session_->next_wake();
  if (due == never || due >= session_wake_) return;
  session_wake_ = due;
  at(due, hub_alive_, [this] {
    session_wake_ = never;
    if (session_ != nullptr) session_->on_tick(now_);
    wake_session();
  });
}

void World::check_bounds() {
  const agent::UplinkStatus status = uplink_->status();
  uint64_t buffered = 0;
  for (const agent::LaneStatus& lane : status.lanes) buffered += lane.buffered_bytes;
  if (buffered > 6 * (limits::uplink_buffer_bytes + 2 * limits::uplink_fetch_bytes)) problem_ = "the uplink reads too far ahead";
  if (status.in_flight_bytes > credit_) problem_ = "more in flight than the credit";
  if (session_ != nullptr && session_->status().pending_bytes > credit_) problem_ = "the session holds more than the credit";
}

// ---- Device

void World::start_device(StoreImage image) {
  ++device_alive_;
  uplink_wake_ = never;
  store_free_at_ = now_;
  device_connection_ = 0;
  store_ = std::make_unique<ModelStore>(std::move(image), random_.next(), random_, static_cast<agent::Outbox::Listener&>(*this), [this](std::function<void()> call) {
    // One thread does the store's work in order; a sync may be slow.
    store_free_at_ = std::max(store_free_at_, now_) + (is_faulty_ && chance(2) ? between(seconds(1), seconds(15)) : between(Duration{}, milliseconds(5)));
    at(store_free_at_, device_alive_, [this, call] { in_device(call); });
  });
  agent::UplinkOptions options;
  options.device = "pump-7";
  options.seed = random_.next();
  options.series_end = &series_end_of_model;
  uplink_ = std::make_unique<agent::Uplink>(options, *store_, static_cast<agent::UplinkWire&>(*this), static_cast<Log&>(*this));
  in_device([this] { uplink_->start(now_); });
}

void World::stop_device() {
  ++device_alive_;
  rebases_ += uplink_->status().rebases;
  const uint64_t connection = device_connection_;
  device_connection_ = 0;
  if (chance(70)) {  // the operating system says so; else the hub finds out by itself
    after(Duration{}, seconds(1), hub_alive_, [this, connection] {
      if (hub_connection_ == connection && session_ != nullptr) in_session([this] { session_->on_closed(now_); });
    });
  }
}

void World::in_device(const std::function<void()>& call) {
  call();
  wake_uplink();
  check_bounds();
}

void World::produce() {
  const auto stream = static_cast<model::Stream>(random_.below(model::stream_count));
  model::Series series;
  // Mostly old series; new ones get names that another timeline gives to other ids.
  if (random_.below(100) < 10) ++next_series_;
  series.name = "s" + std::to_string(random_.below(next_series_ + 1));
  series.stream = stream;
  const size_t count = static_cast<size_t>(1 + random_.below(20));
  const size_t padding = chance(10) ? static_cast<size_t>(random_.below(3000)) : 0;
  in_device([&] { store_->produce(stream, count, next_content_, padding, series); });
  next_content_ += count;
}

void World::on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps, model::Seq covered_to) {
  uplink_->on_fetched(stream, from, std::move(blocks), std::move(gaps), covered_to, now_);
}
void World::on_committed(model::Stream stream, model::Seq next) { uplink_->on_committed(stream, next, now_); }
void World::on_rebased(model::Stream stream, Status status) { uplink_->on_rebased(stream, status, now_); }

// ---- Link

void World::connect() {
  const uint64_t connection = ++connections_;
  device_connection_ = connection;
  device_queue_bytes_ = 0;
  up_free_at_ = now_;
  down_free_at_ = now_;
  const bool fails = is_faulty_ && faults_.link && chance(20);
  after(latency_, latency_ + latency_ + latency_, device_alive_, [this, connection, fails] {
    if (device_connection_ != connection) return;
    in_device([&] {
      if (fails || connection <= dead_) {
        device_connection_ = 0;
        uplink_->on_closed("refused", now_);
      } else {
        accept(connection);
        uplink_->on_connected(now_);
      }
    });
  });
}

void World::send(Bytes payload) {
  const uint64_t connection = device_connection_;
  device_queue_bytes_ += payload.size() + 4;
  up_free_at_ = std::max(up_free_at_, now_ + latency_) + Duration{static_cast<int64_t>(payload.size()) * 100};
  events_.emplace(up_free_at_, Event{&hub_alive_, hub_alive_, [this, connection, bytes = ByteBuffer(payload.begin(), payload.end())] {
    if (connection <= dead_) return;
    if (device_connection_ == connection) {
      device_queue_bytes_ -= std::min(device_queue_bytes_, bytes.size() + 4);
      in_device([&] { uplink_->on_send_queue(device_queue_bytes_, now_); });
    }
    if (hub_connection_ != connection || session_ == nullptr) return;
    in_session([&] { session_->on_frame(bytes, now_); });
    // A turn of the loop ends now or after a few more frames.
    after(Duration{}, milliseconds(5), hub_alive_, [this, connection] {
      if (hub_connection_ == connection && session_ != nullptr) in_session([this] { session_->flush(now_); });
    });
  }});
}

void World::close() {
  const uint64_t connection = device_connection_;
  device_connection_ = 0;
  at(std::max(up_free_at_, now_ + latency_), hub_alive_, [this, connection] {
    if (connection <= dead_ || hub_connection_ != connection || session_ == nullptr) return;
    in_session([this] { session_->on_closed(now_); });
  });
}

void World::hub_sends(Bytes payload) {
  const uint64_t connection = hub_connection_;
  down_free_at_ = std::max(down_free_at_, now_ + latency_);
  events_.emplace(down_free_at_, Event{&device_alive_, device_alive_, [this, connection, bytes = ByteBuffer(payload.begin(), payload.end())] {
    if (connection <= dead_ || device_connection_ != connection) return;
    in_device([&] { uplink_->on_frame(bytes, now_); });
  }});
}

void World::hub_closes() {
  const uint64_t connection = hub_connection_;
  at(std::max(down_free_at_, now_ + latency_), device_alive_, [this, connection] {
    if (connection <= dead_ || device_connection_ != connection) return;
    device_connection_ = 0;
    in_device([this] { uplink_->on_closed("closed by the hub", now_); });
  });
}

/// Both ends may hear of it, or only one, or none: then only their own deadlines help.
void World::cut() {
  const uint64_t connection = connections_;
  if (connection == 0 || connection <= dead_) return;
  dead_ = connection;
  if (chance(50)) {
    after(Duration{}, seconds(5), device_alive_, [this, connection] {
      if (device_connection_ != connection) return;
      device_connection_ = 0;
      in_device([this] { uplink_->on_closed("connection reset", now_); });
    });
  }
  if (chance(50)) {
    after(Duration{}, seconds(5), hub_alive_, [this, connection] {
      if (hub_connection_ == connection && session_ != nullptr) in_session([this] { session_->on_closed(now_); });
    });
  }
}

// ---- Hub

void World::accept(uint64_t connection) {
  if (session_ != nullptr && !session_->is_closed()) in_session([this] { session_->on_replaced(now_); });
  hub_connection_ = connection;
  hub::SessionOptions options;
  options.hub = "hub";
  options.credit_bytes = credit_;
  hub::SessionPeer peer;
  peer.has_certificate = true;
  peer.certificate_device = "pump-7";
  peer.fingerprint = "f";
  peer.is_known = true;
  peer.record.key = 1;
  peer.record.id = "pump-7";
  session_ = std::make_unique<hub::Session>(options, peer, *hub_end_, static_cast<Log&>(*this), now_);
  session_wake_ = never;
  wake_session();
}

void World::in_session(const std::function<void()>& call) {
  call();
  wake_session();
  if (problem_.empty()) check_bounds();
}

Instant World::archive_time() {
  archive_free_at_ = std::max(archive_free_at_, now_) + (is_faulty_ && chance(3) ? between(seconds(1), seconds(20)) : between(Duration{}, milliseconds(20)));
  return archive_free_at_;
}

void World::load_state(const std::string& epoch) {
  const uint64_t connection = hub_connection_;
  at(archive_time(), hub_alive_, [this, connection, epoch] {
    if (hub_connection_ != connection || session_ == nullptr) return;
    in_session([&] { session_->on_state_loaded(archive_.load_state(epoch), now_); });
  });
}

void World::intake(hub::IntakeBatch&& batch) {
  const uint64_t connection = hub_connection_;
  const bool fails = is_faulty_ && faults_.intake_fails && chance(2);
  at(archive_time(), hub_alive_, [this, connection, fails, batch = std::move(batch)] {
    Result<std::vector<hub::BlockVerdict>> verdicts = Error{ErrorCode::io, 0, "disk"};
    if (!fails) verdicts = archive_.apply(batch, problem_);
    if (hub_connection_ != connection || session_ == nullptr) return;
    in_session([&] { session_->on_applied(std::move(verdicts), now_); });
  });
}

void World::restart_hub() {
  ++hub_alive_;
  session_.reset();
  session_wake_ = never;
  archive_free_at_ = now_;
  cut();
}

}  // namespace tideline::sim
