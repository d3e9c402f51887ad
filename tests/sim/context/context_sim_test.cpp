// The law of the context under every fault that we know, with seeds: both replicas come to hold the same, the sync ends, and no
// acknowledged write is lost in silence. SIM_SEED=n replays one seed, SIM_SEEDS=n tries that many in each test, SIM_TRACE=1 tells more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "sim/context/context_world.hpp"

namespace tideline::context::sim {
namespace {

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

Outcome try_seeds(Faults faults, uint64_t base) {
  Outcome sum;
  const uint64_t one = number_from("SIM_SEED", 0);
  const uint64_t count = one != 0 ? 1 : number_from("SIM_SEEDS", 12'000);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t seed = one != 0 ? one : base + i;
    const Outcome outcome = ContextWorld(seed, faults).run();
    EXPECT_EQ(outcome.wrong, "") << "SIM_SEED=" << seed;
    if (!outcome.wrong.empty()) break;
    sum.writes += outcome.writes;
    sum.conflicts += outcome.conflicts;
    sum.resyncs += outcome.resyncs;
    sum.restores += outcome.restores;
    sum.thrown_away += outcome.thrown_away;
    sum.overtaken += outcome.overtaken;
    sum.hidden += outcome.hidden;
    sum.settle_messages = std::max(sum.settle_messages, outcome.settle_messages);
  }
  const auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("%llu runs: %llu writes, %llu conflicts left, %llu restores, %llu resyncs, lost with an image %llu, overtaken %llu, hidden %llu, at most %llu messages to settle\n",
              number(count), number(sum.writes), number(sum.conflicts), number(sum.restores), number(sum.resyncs), number(sum.thrown_away), number(sum.overtaken),
              number(sum.hidden), number(sum.settle_messages));
  return sum;
}

TEST(ContextSim, both_ends_agree_and_no_acknowledged_write_is_lost_whatever_clocks_links_and_crashes_do) {
  const Outcome sum = try_seeds({true, false, true}, 1'000'000);
  EXPECT_EQ(sum.hidden + sum.overtaken + sum.thrown_away + sum.resyncs, 0u);
}

TEST(ContextSim, an_old_image_with_a_right_clock_costs_only_what_it_alone_knew) {
  const Outcome sum = try_seeds({false, true, false}, 2'000'000);
  EXPECT_EQ(sum.hidden, 0u);
}

TEST(ContextSim, old_images_wrong_clocks_and_forgotten_deletions_still_end_in_agreement) { try_seeds({true, true, true}, 3'000'000); }

}  // namespace
}  // namespace tideline::context::sim
