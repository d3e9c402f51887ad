#include "sim/context/context_world.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/log.hpp"

namespace tideline::context::sim {

ContextWorld::ContextWorld(uint64_t seed, Faults faults) : faults_(faults), random_(seed) {
  static constexpr const char* all[] = {"a", "b", "c/d", "desired/x", "reported/y"};
  const size_t count = static_cast<size_t>(1 + random_.below(std::size(all)));
  for (size_t i = 0; i < count; ++i) paths_.push_back(all[i]);
  Declaration everything;
  everything.pattern = "*";
  everything.rule = static_cast<Rule>(random_.below(4));
  (void)declarations_.add(everything).has_value();
  forgets_ = faults.forgets && chance(50);
  for (const Side side : sides) {
    replicas_[index_of(side)] = std::make_unique<Replica>(side, declarations_, facts_, static_cast<Log&>(*this));
    Habits& habits = at(side).habits;
    habits.page_bytes = chance(50) ? 1 : 0;
    if (forgets_) habits.tombstones = random_.below(3);
    habits.reads_at_once = chance(50);
    habits.minds_tops = chance(70);
    offset_ms_[index_of(side)] = chance(50) || !faults.clocks_jump ? 0 : static_cast<int64_t>(random_.below(2'000)) - 1'000;
  }
}

Outcome ContextWorld::run() {
  live(static_cast<size_t>(40 + random_.below(120)));
  if (!settle()) fail("it does not come to rest");
  if (outcome_.wrong.empty()) judge();
  if (!outcome_.wrong.empty() && std::getenv("SIM_TRACE") != nullptr) tell();
  outcome_.writes = facts_.size();
  return outcome_;
}

void ContextWorld::moves(bool is_faulty, std::vector<Move>& all) {
  all.clear();
  for (const Side side : sides) {
    if (at(side).has_work()) all.push_back({20, &ContextWorld::work, side});
    if (at(side).has_answers()) all.push_back({20, &ContextWorld::answer, side});
    if (is_up_ && !at(side).outgoing.empty()) all.push_back({20, &ContextWorld::deliver, side});
    if (at(side).wants_cut() || (!is_up_ && at(side).is_connected())) all.push_back({3, &ContextWorld::notice, side});
    if (at(side).is_connected() && at(side).sync()->next_wake() != never) all.push_back({3, &ContextWorld::tick, side});
    if (!is_faulty) continue;
    all.push_back({12, &ContextWorld::write, side});
    all.push_back({1, &ContextWorld::crash, side});
    all.push_back({2, &ContextWorld::expire, side});
    if (faults_.clocks_jump) all.push_back({2, &ContextWorld::jump, side});
    if (faults_.restores && images_[index_of(side)].size() < 3) all.push_back({1, &ContextWorld::save, side});
    if (faults_.restores && !images_[index_of(side)].empty()) all.push_back({1, &ContextWorld::restore, side});
  }
  if (!is_up_) all.push_back({6, &ContextWorld::connect, Side::device});
  else if (is_faulty) all.push_back({3, &ContextWorld::cut, Side::device});
}

bool ContextWorld::step(bool is_faulty) {
  moves(is_faulty, scratch_);
  uint64_t sum = 0;
  for (const Move& move : scratch_) sum += move.weight;
  if (sum == 0) return false;
  uint64_t drawn = random_.below(sum);
  now_ms_ += static_cast<int64_t>(faults_.clocks_jump ? random_.below(3) : 1 + random_.below(3));
  for (const Move& move : scratch_) {
    if (drawn < move.weight) {
      (this->*move.run)(move.side);
      break;
    }
    drawn -= move.weight;
  }
  for (const Side side : sides) {
    if (!at(side).problem().empty()) fail(at(side).problem());
  }
  return outcome_.wrong.empty();
}

void ContextWorld::live(size_t steps) {
  for (size_t i = 0; i < steps && step(true); ++i) {
  }
}

bool ContextWorld::settle() {
  is_failing_ = false;
  const uint64_t before = messages_;
  for (size_t i = 0; i < 3'000; ++i) {
    if (!step(false)) {
      outcome_.settle_messages = messages_ - before;
      return true;
    }
  }
  return false;
}

// ---- Moves

void ContextWorld::write(Side side) {
  Change change;
  change.path = paths_[static_cast<size_t>(random_.below(paths_.size()))];
  change.author = "writer";
  const uint64_t drawn = random_.below(100);
  change.operation = drawn < 55 ? Operation::set : drawn < 70 ? Operation::patch : Operation::erase;
  if (change.operation != Operation::erase) change.value = chance(50) ? format("{\"n\":%zu}", facts_.size()) : format("%zu", facts_.size() / 2);
  if (change.operation == Operation::patch) change.value = format("{\"p%zu\":%zu}", static_cast<size_t>(random_.below(3)), facts_.size());
  if (chance(15)) change.time_to_live_ms = 1 + static_cast<int64_t>(random_.below(200));
  if (chance(30)) {
    const Entry* held = at(side).book().find(change.path);
    const View view = held == nullptr ? View{} : view_of(*held, declarations_.rule(change.path), wall(side).nanos / 1'000'000);
    change.if_version = view.value == nullptr || chance(20) ? "" : version_of(view);
  }
  at(side).change(std::move(change));
}

void ContextWorld::work(Side side) { at(side).work(wall(side), is_failing_ && chance(5), chance(50)); }

void ContextWorld::answer(Side side) { at(side).answer(); }

void ContextWorld::deliver(Side from) {
  const ByteBuffer message = std::move(at(from).outgoing.front());
  at(from).outgoing.pop_front();
  ++messages_;
  Replica& to = at(other(from));
  if (!to.is_connected()) return;
  if (const Status taken = to.deliver(message, Instant{now_ms_ * 1'000'000}); !taken) fail(std::string("a message is refused: ") + taken.error().context);
}

void ContextWorld::connect(Side) {
  is_up_ = true;
  // Also of a side that has not noticed that its former connection is dead.
  if (chance(50)) {
    at(Side::hub).connect();
    at(Side::device).connect();
  } else {
    at(Side::device).connect();
    at(Side::hub).connect();
  }
}

void ContextWorld::cut(Side) {
  is_up_ = false;
  for (const Side side : sides) {
    if (at(side).is_connected()) outcome_.resyncs += at(side).sync()->status().resyncs;
    at(side).outgoing.clear();
  }
}

void ContextWorld::notice(Side side) {
  if (is_up_) cut(side);
  at(side).disconnect();
}

void ContextWorld::crash(Side side) {
  if (is_up_) cut(side);
  at(side).crash();
}

void ContextWorld::tick(Side side) {
  now_ms_ += 31'000;
  at(side).sync()->on_tick(Instant{now_ms_ * 1'000'000});
}

void ContextWorld::jump(Side side) {
  is_unset_[index_of(side)] = chance(30);
  static constexpr int64_t offsets[] = {0, 30LL * 86'400'000, -3'600'000, -50, 50};
  offset_ms_[index_of(side)] = offsets[random_.below(std::size(offsets))];
}

void ContextWorld::save(Side side) { images_[index_of(side)].push_back(at(side).image()); }

void ContextWorld::restore(Side side) {
  std::vector<Image>& images = images_[index_of(side)];
  const Image image = images[static_cast<size_t>(random_.below(images.size()))];
  if (is_up_) cut(side);
  for (const FactId id : at(side).memory().facts) {
    if (!image.memory.facts.contains(id) && !at(other(side)).memory().facts.contains(id)) facts_[id].is_thrown_away = true;
  }
  at(side).restore(image);
  ++outcome_.restores;
}

// ---- Judgement

void ContextWorld::judge() {
  for (const Side side : sides) {
    if (!at(side).is_connected()) return fail("there is no connection at the end");
    const SyncStatus& status = at(side).sync()->status();
    outcome_.resyncs += status.resyncs;
    if (!status.is_settled || !status.last_failure.empty()) fail(format("the %s has not settled: %s", side_name(side), status.last_failure.c_str()));
  }
  if (!at(Side::device).sync()->status().is_same && !at(Side::hub).sync()->status().is_same) fail("nobody compared what both hold");
  if (!faults_.restores && outcome_.resyncs != 0) fail("everything was sent again without need");
  if (outcome_.settle_messages > 120) fail(format("it took %llu messages to settle", static_cast<unsigned long long>(outcome_.settle_messages)));
  judge_equal();
  if (!faults_.restores && !forgets_) judge_order();
  for (FactId id = 0; id < facts_.size(); ++id) judge_fact(facts_[id], id);
}

void ContextWorld::judge_equal() {
  const Book& device = at(Side::device).book();
  const Book& hub = at(Side::hub).book();
  if (device.state().digest != hub.state().digest || !(device.state().tops == hub.state().tops)) fail("digests or tops differ");
  static const Entry nothing;
  const auto entry_at = [&](const Book& book, const std::string& path) -> const Entry& {
    const Entry* held = book.find(path);
    return held == nullptr ? nothing : *held;
  };
  for (const std::string& path : paths_) {
    const Entry& a = entry_at(device, path);
    const Entry& b = entry_at(hub, path);
    if (!faults_.restores && !forgets_ && !(a == b)) fail("registers differ at " + path);
    if (a.is_conflict()) ++outcome_.conflicts;
    const bool is_living = weight_of(path, a).entries + weight_of(path, b).entries != 0;
    for (const Side side : sides) {
      if (is_living && a.is_current(side) != b.is_current(side)) fail("what is in force differs at " + path);
      if (is_living && a.is_current(side) && !(a.of(side) == b.of(side))) fail("registers in force differ at " + path);
    }
    for (const Rule rule : {Rule::last_writer, Rule::device_wins, Rule::hub_wins, Rule::keep_both}) {
      for (const int64_t now : std::array<int64_t, 3>{begin_ms, now_ms_, now_ms_ + 31LL * 86'400'000}) {
        const View x = view_of(a, rule, now), y = view_of(b, rule, now);
        if ((x.value == nullptr) != (y.value == nullptr) || (x.value != nullptr && !(*x.value == *y.value))) fail("readers see different values at " + path);
        if (is_living && (x.loser == nullptr) != (y.loser == nullptr)) fail("one side lists a conflict that the other does not, at " + path);
      }
    }
  }
}

/// The state is a function of the set of writes, not of how they travelled.
void ContextWorld::judge_order() {
  std::map<std::string, Entry> all;
  for (const Fact& fact : facts_) merge(all[fact.reg.path], fact.reg.side, fact.reg.write);
  for (const auto& [path, entry] : all) {
    const Entry* held = at(Side::hub).book().find(path);
    if (held == nullptr || !(*held == entry)) fail("the result depends on the order of delivery at " + path);
  }
}

/// An acknowledged write is in force, or replaced by one that knew it.
void ContextWorld::judge_fact(const Fact& fact, FactId id) {
  if (fact.is_thrown_away) {
    ++outcome_.thrown_away;
    return;
  }
  if (!fact.is_acknowledged) return;
  const bool may_hide = faults_.restores && (faults_.clocks_jump || forgets_);
  const std::string name = format("write %zu of the %s at %s", id, side_name(fact.reg.side), fact.reg.path.c_str());
  const Entry* entry = at(fact.reg.side).book().find(fact.reg.path);
  const Write* own = entry == nullptr ? nullptr : &entry->of(fact.reg.side);
  if (own != nullptr && own->stamp != 0) {
    if (fact_of(*own) == id) {
      if (entry->is_current(fact.reg.side)) return;
      const Fact& by = facts_[fact_of(entry->of(other(fact.reg.side)))];
      if (by.known >= fact.reg.write.stamp) return;
      ++outcome_.hidden;
      if (!may_hide) fail(name + " was replaced by one that did not know it");
      return;
    }
    if (facts_[fact_of(*own)].held.contains(id)) return;
    ++outcome_.overtaken;
    if (!faults_.restores) fail(name + " was replaced by one of its own side that did not know it");
    return;
  }
  // Forgotten: it was a deletion, or somebody who knew it replaced it, and that was one at last.
  if (fact.reg.write.is_deleted) return;
  for (const Fact& later : facts_) {
    if (later.reg.path != fact.reg.path) continue;
    if (later.reg.side == fact.reg.side ? later.held.contains(id) : later.known >= fact.reg.write.stamp) return;
  }
  ++outcome_.hidden;
  if (!may_hide) fail(name + " has vanished");
}

void ContextWorld::tell() const {
  const auto line = [](const Register& reg) {
    const auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
    return format("%s %s #%s stamp %llx seen %llx expires %lld %s", side_name(reg.side), reg.path.c_str(), reg.write.author.c_str(), number(reg.write.stamp),
                  number(reg.write.seen), static_cast<long long>(reg.write.expires_ms), reg.write.is_deleted ? "(deleted)" : reg.write.value.c_str());
  };
  for (const Fact& fact : facts_) std::printf("made: %s%s%s\n", line(fact.reg).c_str(), fact.is_acknowledged ? "" : ", not acknowledged", fact.is_thrown_away ? ", thrown away" : "");
  for (const Side side : sides) {
    std::printf("the %s holds%s:\n", side_name(side), replicas_[index_of(side)]->habits.tombstones ? " (it forgets)" : "");
    for (const Register& reg : replicas_[index_of(side)]->image().registers) std::printf("  %s\n", line(reg).c_str());
  }
}

void ContextWorld::write(LogLevel level, std::string_view, std::string_view text) {
  if (level == LogLevel::error) fail("logged: " + std::string(text));
  static const bool is_told = std::getenv("SIM_TRACE") != nullptr;
  if (is_told) std::printf("log: %.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace tideline::context::sim
