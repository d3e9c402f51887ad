// One device and one hub in virtual time: real Uplink and real Session, model stores, a link that delays, cuts and swallows.
// Everything is drawn from one seed, so a failing seed replays exactly.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/uplink.hpp"
#include "base/random.hpp"
#include "hub/fleet/session.hpp"
#include "sim/model_archive.hpp"
#include "sim/model_store.hpp"

namespace tideline::sim {

/// Which faults may happen.
struct Faults {
  bool link = true;           ///< cuts, silence
  bool crash = true;          ///< device and hub processes
  bool restore_device = true; ///< an older image of the store is put back; what it did not hold is gone
  bool swap_device = false;   ///< two copies of a store in turns
  bool restore_hub = true;    ///< an older backup of the archive is put back
  bool evict = true;
  bool poison = true;
  bool intake_fails = true;
};

class World final : private agent::Outbox::Listener, private agent::UplinkWire, private Log {
 public:
  World(uint64_t seed, Faults faults);
  ~World() override;

  /// Faults at random for `length`.
  void live(Duration length);
  /// No faults and no new readings until everything is delivered. False when that does not happen.
  bool settle();
  /// "" when produced = delivered + declared lost, exactly once; else what is wrong.
  std::string verdict();

  uint64_t produced() const { return next_content_; }
  uint64_t rebases() const { return rebases_; }
  uint64_t restores() const { return restores_; }
  uint64_t delivered() const { return archive_.deliveries().size(); }
  Instant now() const { return now_; }

 private:
  using Token = agent::Outbox::Token;
  struct Event {
    uint64_t* owner;
    uint64_t life;  ///< of the owner: what a dead process had under way is dropped
    std::function<void()> run;
  };

  // Virtual time
  void at(Instant when, uint64_t& owner, std::function<void()> run);
  void after(Duration least, Duration most, uint64_t& owner, std::function<void()> run);
  void step_to(Instant end);
  Duration between(Duration least, Duration most);
  bool chance(uint64_t percent) { return random_.below(100) < percent; }
  void wake_uplink();
  void wake_session();
  void check_bounds();

  // Device
  void start_device(StoreImage image);
  void stop_device();
  void produce();
  void in_device(const std::function<void()>& call);
  void on_appended(Token, Status) override {}
  void on_fetched(model::Stream stream, model::Seq from, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps,
                  model::Seq covered_to) override;
  void on_answer(Token, Result<model::QueryAnswer>) override {}
  void on_committed(model::Stream stream, model::Seq next) override;
  void on_rebased(model::Stream stream, Status status) override;
  void connect() override;
  void send(Bytes payload) override;
  void close() override;
  void enrolled(const link::Enrolled&) override {}

  // Hub: the session's actions arrive through an adapter, because both ends have a send() and a close().
  class HubEnd;
  void accept(uint64_t connection);
  void in_session(const std::function<void()>& call);
  void hub_sends(Bytes payload);
  void hub_closes();
  void load_state(const std::string& epoch);
  void intake(hub::IntakeBatch&& batch);
  Instant archive_time();

  // Link and faults
  void cut();
  void fault();
  void restart_hub();
  std::string check_stream(model::Stream stream, const std::map<Content, uint32_t>& delivered);
  void write(LogLevel level, std::string_view area, std::string_view text) override;

  Faults faults_;
  Random random_;
  Instant now_{seconds(1000).nanos};
  std::multimap<Instant, Event> events_;
  bool is_faulty_ = true;
  std::string problem_;

  uint64_t device_alive_ = 1;
  Instant store_free_at_{};
  std::unique_ptr<ModelStore> store_;
  std::unique_ptr<agent::Uplink> uplink_;
  Instant uplink_wake_ = never;
  std::vector<StoreImage> saved_;
  uint64_t idle_ticks_ = 0;
  std::set<Content> abandoned_;
  Content next_content_ = 1;
  uint64_t next_series_ = 0;
  size_t device_queue_bytes_ = 0;

  uint64_t connections_ = 0;        ///< each connection has a number
  uint64_t device_connection_ = 0;  ///< the one the uplink has, 0: none
  uint64_t hub_connection_ = 0;     ///< the one the session has
  uint64_t dead_ = 0;               ///< connections up to this one carry nothing
  Instant up_free_at_{};
  Instant down_free_at_{};
  Duration latency_;

  uint64_t hub_alive_ = 1;
  Instant archive_free_at_{};
  uint64_t credit_ = 0;
  ModelArchive archive_;
  ModelArchive backup_;
  std::unique_ptr<HubEnd> hub_end_;
  std::unique_ptr<hub::Session> session_;
  Instant session_wake_ = never;

  uint64_t rebases_ = 0;
  uint64_t restores_ = 0;
};

}  // namespace tideline::sim
