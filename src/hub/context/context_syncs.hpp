// The hub's end of the context of every connected device: one context::Sync for each that spoke of it, with the store as its replica. What
// all of them want of the store during one turn of the loop, and while the store is busy, is one transaction.
//
// Owned by Hub. Thread: loop. Durable: the archive (law 2: an ack follows the commit). Bounds: of a device one message that is coming in and
// one that goes out (context::limits::message_bytes and an envelope each), steps_most at the store; a device beyond them is sent away. Memory
// of an idle device: under 2 KiB; of one that never spoke of context none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "context/sync.hpp"
#include "hub/fleet/context_events.hpp"
#include "hub/store/store_desk.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

/// A write that is durable at the hub.
struct ContextNews {
  std::string path;
  context::Side side = context::Side::device;
  context::Stamp stamp = 0;
};

class ContextSyncs final : public ContextEvents, private uv::TurnEnd::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_context_news(DeviceKey device, const std::vector<ContextNews>& news) = 0;
    /// The device holds this durably, and the archive knows.
    virtual void on_context_held(DeviceKey device, const context::Tops& holds) = 0;
    virtual void on_context_link_changed(DeviceKey device, bool is_online) = 0;
  };
  ContextSyncs(uv::Loop& loop, StoreDesk& desk, ContextLinks& links, Log& log);
  ~ContextSyncs() override;
  ContextSyncs(const ContextSyncs&) = delete;
  ContextSyncs& operator=(const ContextSyncs&) = delete;

  /// Null: nobody. It outlives this.
  void set_listener(Listener* listener) { listener_ = listener; }
  void on_context(DeviceKey device, const link::ContextFrame& frame) override;
  void on_context_link(DeviceKey device, bool is_online) override;
  /// Writes of the hub that are durable: they go to the device, if it is there, and to the listener.
  void on_written(DeviceKey device, const std::vector<ContextNews>& news);
  void on_tick(Instant now);

  /// The device's end takes part: what is written here reaches it at once.
  bool is_met(DeviceKey device) const;
  /// As it said last on this link; nothing when it is not there.
  context::Tops holds(DeviceKey device) const;
  size_t size() const { return peers_.size(); }
  /// Without what the archive and the links hold: for a test of the bound.
  size_t bytes_waiting() const;

 private:
  struct Peer;
  class Job;
  using Items = std::vector<std::pair<uint64_t, ContextWork>>;  ///< with the peer's serial number

  Peer* find(DeviceKey device, uint64_t serial);
  void take(Peer& peer, ByteBuffer message);
  void want(Peer& peer, ContextWork work);
  void on_turn_end() override;
  void begin_work();
  void on_work_done(Items items, const Status& status);
  void hand_over(Peer& peer, ContextWork& work);
  void fail(Peer& peer, ContextWork& work, const Error& error);
  void tell(DeviceKey device, const std::vector<context::Register>& registers);
  void send_waiting(Peer& peer);
  void send_away(Peer& peer, link::ByeCode code, std::string reason);

  StoreDesk& desk_;
  ContextLinks& links_;
  Log& log_;
  Listener* listener_ = nullptr;
  uv::TurnEnd turn_end_;
  std::unordered_map<DeviceKey, std::unique_ptr<Peer>> peers_;
  Items wanted_;                    ///< for the next transaction
  bool is_working_ = false;
  std::vector<DeviceKey> to_send_;  ///< with something to say
  uint64_t next_serial_ = 1;
};

}  // namespace tideline::hub
