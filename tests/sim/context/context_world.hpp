// A device's context at both ends under every fault that we know, one step at a time: whatever could happen next is drawn from the seed,
// so that messages, stores, answers, writers, crashes and clocks interleave in every way.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sim/context/replica.hpp"

namespace tideline::context::sim {

struct Faults {
  bool clocks_jump = true;
  bool restores = false;  ///< of old images
  bool forgets = true;    ///< deletions, in half of the runs
};

struct Outcome {
  std::string wrong;          ///< "" when the law holds
  uint64_t writes = 0;
  uint64_t conflicts = 0;     ///< left at the end
  uint64_t resyncs = 0;
  uint64_t restores = 0;
  uint64_t thrown_away = 0;   ///< writes known to nobody but an image that was replaced
  uint64_t overtaken = 0;     ///< replaced by a write of the same side that did not know them: only after a restore
  uint64_t hidden = 0;        ///< replaced by a write of the other side that did not know them: only after a restore, with wrong clocks or forgotten deletions
  uint64_t settle_messages = 0;
};

class ContextWorld final : private Log {
 public:
  ContextWorld(uint64_t seed, Faults faults);
  Outcome run();

 private:
  struct Move {
    uint64_t weight;
    void (ContextWorld::*run)(Side);
    Side side;
  };
  static constexpr int64_t begin_ms = 1'790'000'000'000;

  Replica& at(Side side) { return *replicas_[index_of(side)]; }
  UtcNanos wall(Side side) const { return {(is_unset_[index_of(side)] ? now_ms_ - begin_ms : now_ms_ + offset_ms_[index_of(side)]) * 1'000'000}; }
  bool chance(uint64_t percent) { return random_.below(100) < percent; }

  void live(size_t steps);
  bool settle();
  bool step(bool is_faulty);
  void moves(bool is_faulty, std::vector<Move>& all);

  void write(Side side);
  void work(Side side);
  void answer(Side side);
  void deliver(Side from);
  void connect(Side);
  void cut(Side);
  void crash(Side side);
  void notice(Side side);
  void tick(Side side);
  void jump(Side side);
  void save(Side side);
  void restore(Side side);
  void expire(Side side) { at(side).expire(); }

  void judge();
  void judge_equal();
  void judge_fact(const Fact& fact, FactId id);
  void judge_order();
  void tell() const;
  void fail(const std::string& what) {
    if (outcome_.wrong.empty()) outcome_.wrong = what;
  }
  void write(LogLevel level, std::string_view area, std::string_view text) override;

  Faults faults_;
  Random random_;
  Outcome outcome_;
  std::vector<Fact> facts_;
  Declarations declarations_;
  std::vector<std::string> paths_;
  std::array<std::unique_ptr<Replica>, side_count> replicas_;
  std::array<std::vector<Image>, side_count> images_;
  std::array<int64_t, side_count> offset_ms_{};
  std::array<bool, side_count> is_unset_{};
  int64_t now_ms_ = begin_ms;
  bool is_up_ = false;
  bool is_failing_ = true;
  bool forgets_ = false;
  uint64_t messages_ = 0;
  std::vector<Move> scratch_;
};

}  // namespace tideline::context::sim
