// One side of a simulated pair: a Book as the durable store, a queue of work for that store, answers that are late, and a Sync.
// The world decides when each of these goes on, and when all that is not durable is lost.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "context/change.hpp"
#include "context/sync.hpp"
#include "sim/context/facts.hpp"

namespace tideline::context::sim {

/// What a backup of the store holds.
struct Image {
  std::vector<Register> registers;
  Stamp newest = 0;
  Memory memory;
};

/// How the host of a run behaves.
struct Habits {
  size_t page_bytes = 0;               ///< 0: as asked
  std::optional<size_t> tombstones;    ///< kept; none: never forgets
  bool reads_at_once = false;          ///< answers from memory, as the agent; otherwise after its store's other work, as the hub
  bool minds_tops = true;              ///< what the peer holds of this side moves the clock
};

class Replica final : private Sync::Host {
 public:
  Replica(Side side, const Declarations& declarations, std::vector<Fact>& facts, Log& log) : side_(side), declarations_(declarations), facts_(facts), log_(log) {}

  // The world's moves
  void change(Change change);
  void expire();
  bool has_work() const { return !work_.empty(); }
  void work(UtcNanos wall, bool fails, bool keeps_part);
  bool has_answers() const { return !answers_.empty(); }
  void answer();
  void crash();
  Image image() const;
  void restore(const Image& image);
  void connect();
  void disconnect();
  bool is_connected() const { return sync_ != nullptr; }
  Status deliver(const ByteBuffer& message, Instant now);
  std::deque<ByteBuffer> outgoing;

  Habits habits;
  Sync* sync() { return sync_.get(); }
  const Book& book() const { return *book_; }
  const Memory& memory() const { return memory_; }
  bool wants_cut() const { return wants_cut_; }
  /// What never may be: "" as long as it was not.
  const std::string& problem() const { return problem_; }

 private:
  struct Work {
    enum class Kind : uint8_t { change, expire, apply, state, page, holds } kind;
    uint64_t connection = 0;
    Change change;
    std::vector<Register> registers;
    Side side = Side::device;
    Stamp after = 0;
    Tops holds;
  };
  struct Answer {
    Work::Kind kind;
    uint64_t connection = 0;
    Status status;
    ReplicaState state;
    RegisterPage page;
    std::optional<FactId> fact;
  };

  void say(Bytes message) override { outgoing.emplace_back(message.begin(), message.end()); }
  void read_state() override;
  void read_page(Side side, Stamp after, size_t max_bytes) override;
  void apply(std::vector<Register>&& registers) override;
  void on_peer_holds(const Tops& tops) override;

  void rebuild(const std::vector<Register>& registers, Stamp newest);
  Status put(const Register& reg);
  std::optional<FactId> note(Register& made);
  std::optional<FactId> write(Work& work, UtcNanos wall);
  Answer done(Work& work, UtcNanos wall, bool fails, bool keeps_part);

  Side side_;
  const Declarations& declarations_;
  std::vector<Fact>& facts_;
  Log& log_;
  std::unique_ptr<Book> book_ = std::make_unique<Book>();
  Stamp newest_ = 0;  ///< durable
  Memory memory_;
  HybridClock clock_;
  std::unique_ptr<Sync> sync_;
  uint64_t connection_ = 0;
  std::deque<Work> work_;
  std::deque<Answer> answers_;
  bool wants_cut_ = false;
  std::string problem_;
};

}  // namespace tideline::context::sim
