// The context of this device as the loop sees it: a Book of what is durable, and one queue through which every change goes, of local
// callers and of the hub. When no batch is under way all that wait are judged in order, each against what those before it make, and go
// to the store as one; when that is durable the Book follows, and everybody is told.
//
// Owned by Agent or a command. Thread: loop. After a crash the store holds every change that was answered well. A batch that cannot be
// stored changes nothing. Bounds: context::limits for what is held, queue_bytes and queue_changes for what waits.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "agent/store/outbox.hpp"
#include "context/book.hpp"
#include "context/change.hpp"
#include "context/declarations.hpp"

namespace tideline::agent {

class ContextKeeper {
 public:
  static constexpr size_t queue_changes = 4096;
  static constexpr size_t queue_bytes = 2 * 1024 * 1024;
  static constexpr size_t histories = 64;       ///< asked for and not answered
  static constexpr size_t deletions_at_once = 256;

  /// Who hears of changes that are durable. Outlives the keeper.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    /// A register of `path` came into force, of either side; or a value expired.
    virtual void on_context_changed(const std::string& path) = 0;
    /// All of one batch was told. `has_own`: something of it was written here.
    virtual void on_context_settled(bool has_own) { (void)has_own; }
  };
  /// `made`: the register that is durable now; null: `refusal` says why nothing was changed.
  using Changed = std::function<void(const context::Register* made, const context::Refusal& refusal)>;
  using Applied = std::function<void(const Status& status, const context::Tops& tops)>;
  using Read = std::function<void(const Result<std::vector<context::Register>>& writes)>;
  using WallClock = std::function<UtcNanos()>;

  /// Takes what the outbox holds. The outbox outlives the keeper, which gets its events.
  ContextKeeper(Outbox& outbox, context::Declarations declarations, WallClock wall_clock, Log& log);
  ContextKeeper(const ContextKeeper&) = delete;
  ContextKeeper& operator=(const ContextKeeper&) = delete;

  void add_watcher(Watcher& watcher) { watchers_.push_back(&watcher); }
  void remove_watcher(const Watcher& watcher) { std::erase(watchers_, &watcher); }
  void set_declarations(context::Declarations declarations) { declarations_ = std::move(declarations); }

  /// A change made here. Answered later, or at once when too much waits.
  void change(context::Change change, Changed done);
  /// What the hub wrote, or gives back of what was written here. All or nothing.
  void apply(std::vector<context::Register>&& registers, Applied done);
  /// Writes to `path`, newest first.
  void read_history(const std::string& path, Read done);
  /// The hub holds this durably: deletions that it knows may be forgotten.
  void set_peer_holds(const context::Tops& tops);

  // Events of the outbox.
  void on_context_put(Outbox::Token token, const Status& status);
  void on_context_history(Outbox::Token token, const Result<std::vector<context::Register>>& writes);
  /// Once a second: what expired becomes a deletion where it was written.
  void on_tick();

  /// What is durable.
  const context::Book& book() const { return book_; }
  context::RegisterPage page(context::Side side, context::Stamp after, size_t max_bytes) { return book_.page(side, after, max_bytes); }
  context::View view(const context::Entry& entry, std::string_view path) const { return context::view_of(entry, declarations_.rule(path), now_ms()); }
  const context::Declarations& declarations() const { return declarations_; }
  /// For expiry.
  int64_t now_ms() const { return context::now_ms(wall_clock_(), clock_); }
  UtcNanos wall_clock() const { return wall_clock_(); }
  size_t conflicts() const { return conflicts_; }
  /// Known once the hub was met since the start.
  const context::Tops* peer_holds() const { return has_met_ ? &peer_holds_ : nullptr; }
  /// Registers written here that the hub does not hold; all of them while it was not met.
  uint64_t unsent() const;
  /// Why the last batch could not be stored; "" when it could.
  const std::string& last_failure() const { return last_failure_; }

 private:
  struct LocalChange {
    context::Change change;
    Changed done;
    context::Register made;
    context::Refusal refusal;
    bool is_made = false;
    bool is_expiry = false;  ///< a deletion, if it is still due
  };
  struct FromHub {
    std::vector<context::Register> registers;
    Applied done;
    Status status;
  };
  using Request = std::variant<LocalChange, FromHub>;
  class Batch;

  static size_t size_of(const Request& request);
  bool has_room(size_t bytes) const { return queue_.size() < queue_changes && queued_bytes_ + bytes <= queue_bytes; }
  void push(Request request);
  void begin();
  bool judge_all();
  void judge(LocalChange& local, Batch& batch);
  void judge(FromHub& hub, Batch& batch);
  void put(std::vector<context::Register> registers, std::vector<std::string> forgotten);
  void take_in(const context::Register& reg);
  void answer(const Status& status);
  void tell();
  void tell_expired(int64_t now);

  Outbox& outbox_;
  context::Declarations declarations_;
  WallClock wall_clock_;
  Log& log_;
  context::Book book_;
  context::HybridClock clock_;
  std::vector<Watcher*> watchers_;
  std::deque<Request> queue_;
  size_t queued_bytes_ = 0;
  std::vector<Request> batch_;                     // under way
  std::vector<context::Register> batch_registers_; // what it makes, in order
  Outbox::Token last_token_ = 0;
  Outbox::Token batch_token_ = 0;                  // 0: none is under way
  bool is_beginning_ = false;
  bool is_putting_all_ = false;                    // the store lost the context and gets it again with this batch
  bool may_forget_ = false;                        // the hub holds more than when it was tried last
  std::map<Outbox::Token, Read> reading_;
  context::Tops peer_holds_;
  bool has_met_ = false;
  size_t conflicts_ = 0;
  int64_t expiry_ms_ = INT64_MAX;                  // the soonest that was not seen to
  int64_t expired_to_ms_ = 0;                      // those up to here were told
  std::string last_failure_;
  struct Unsent {
    context::Stamp top = 0;
    context::Stamp held = 0;
    uint64_t count = 0;
  };
  mutable Unsent unsent_;                          // counted again when one of these changed
};

}  // namespace tideline::agent
