// The device's context on its way to the hub and back: the sync of context/sync.hpp over one connection at a time, its messages cut into
// frames that go before readings, those of the hub put together.
//
// Owned by Agent. Thread: loop. Nothing durable: the keeper's tops say where to go on. Bounds: one message of the hub of at most
// message_bytes; of ours what the sync has under way.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "agent/gateway/context_keeper.hpp"
#include "base/log.hpp"
#include "context/limits.hpp"
#include "context/sync.hpp"
#include "link/message.hpp"

namespace tideline::agent {

class ContextLink final : private context::Sync::Host, private ContextKeeper::Watcher {
 public:
  static constexpr size_t message_bytes = context::limits::message_bytes + context::limits::value_bytes + 4096;

  class Wire {
   public:
    virtual ~Wire() = default;
    /// There is something to say: call say_next() soon, outside the event that led here.
    virtual void on_context_ready() = 0;
    virtual void say(const link::ContextFrame& frame) = 0;
  };

  ContextLink(ContextKeeper& keeper, Log& log);
  ~ContextLink() override;
  /// Outlives this, or is taken away with null.
  void set_wire(Wire* wire) { wire_ = wire; }
  /// Those of the keeper are others now: the hub is told.
  void on_declarations_changed();

  // Events of the link.
  void on_up();
  void on_down();
  /// Errors: invalid, limit: the hub does not keep to the protocol.
  Status on_frame(const link::ContextFrame& frame, Instant now);
  void on_tick(Instant now);
  Instant next_wake() const { return sync_ == nullptr ? never : sync_->next_wake(); }

  bool has_something_to_say() const { return !queue_.empty(); }
  /// Sends one frame of what waits.
  void say_next();

  /// Of this connection, or of the last one.
  const context::SyncStatus& status() const { return sync_ == nullptr ? last_status_ : sync_->status(); }

 private:
  /// The sync wants its answers in the order of its questions, and those of apply() take a commit.
  struct Ask {
    enum class Kind : uint8_t { state, page, apply } kind = Kind::state;
    context::Side side = context::Side::device;
    context::Stamp after = 0;
    size_t max_bytes = 0;
  };

  void ask(Ask ask);
  void answer_reads();
  void say(Bytes message) override;
  void read_state() override { ask({Ask::Kind::state}); }
  void read_page(context::Side side, context::Stamp after, size_t max_bytes) override { ask({Ask::Kind::page, side, after, max_bytes}); }
  void apply(std::vector<context::Register>&& registers) override;
  void on_peer_holds(const context::Tops& tops) override;
  void on_context_changed(const std::string&) override {}
  void on_context_settled(bool has_own) override;
  void say_declarations();

  ContextKeeper& keeper_;
  Log& log_;
  Wire* wire_ = nullptr;
  std::unique_ptr<context::Sync> sync_;  // of the connection that is up
  uint64_t connection_ = 0;
  context::SyncStatus last_status_;
  std::string declarations_;             // as the sync knows them
  bool has_new_declarations_ = false;
  std::deque<Ask> asks_;
  size_t late_ = 0;                      // registers of former connections that the store still has to take
  bool is_answering_ = false;
  std::deque<ByteBuffer> queue_;
  size_t at_ = 0;                        // of the first one: sent
  ByteBuffer incoming_;
};

}  // namespace tideline::agent
