// The law of the link under every fault that we know, with seeds: produced = delivered + declared lost, exactly once, and
// everything is delivered once the faults stop. SIM_SEED=n replays one seed, SIM_SEEDS=n tries that many, SIM_TRACE=1 tells the story.
#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/world.hpp"

namespace tideline::sim {
namespace {

struct Totals {
  uint64_t produced = 0;
  uint64_t delivered = 0;
  uint64_t rebases = 0;
  uint64_t restores = 0;
};

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

Totals try_seeds(Faults faults, uint64_t base) {
  Totals totals;
  const uint64_t one = number_from("SIM_SEED", 0);
  const uint64_t count = one != 0 ? 1 : number_from("SIM_SEEDS", 350);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t seed = one != 0 ? one : base + i;
    World world(seed, faults);
    world.live(minutes(10));
    world.settle();
    const std::string wrong = world.verdict();
    EXPECT_EQ(wrong, "") << "SIM_SEED=" << seed;
    if (!wrong.empty()) break;
    totals.produced += world.produced();
    totals.delivered += world.delivered();
    totals.rebases += world.rebases();
    totals.restores += world.restores();
  }
  std::printf("%llu readings, %llu delivered, %llu restores, %llu rebases\n", static_cast<unsigned long long>(totals.produced),
              static_cast<unsigned long long>(totals.delivered), static_cast<unsigned long long>(totals.restores),
              static_cast<unsigned long long>(totals.rebases));
  return totals;
}

constexpr Faults no_restores{true, true, false, false, false, true, true, true};

TEST(LinkSim, everything_arrives_once_over_a_bad_link_with_crashes) {
  const Totals totals = try_seeds(no_restores, 1'000);
  EXPECT_EQ(totals.rebases, 0u);  // nobody rolled back: no new numbers
}

TEST(LinkSim, nothing_evicted_means_everything_is_delivered) {
  Faults faults = no_restores;
  faults.evict = false;
  faults.poison = false;
  try_seeds(faults, 20'000);
}

TEST(LinkSim, a_restored_device_image_neither_collides_nor_repeats) {
  Faults faults = no_restores;
  faults.restore_device = true;
  const Totals totals = try_seeds(faults, 30'000);
  EXPECT_GT(totals.rebases, 0u);
}

TEST(LinkSim, two_copies_of_a_store_in_turns_lose_nothing) {
  Faults faults = no_restores;
  faults.swap_device = true;
  const Totals totals = try_seeds(faults, 40'000);
  EXPECT_GT(totals.rebases, 0u);
}

TEST(LinkSim, a_restored_hub_is_refilled_or_told) {
  Faults faults = no_restores;
  faults.restore_hub = true;
  try_seeds(faults, 50'000);
}

TEST(LinkSim, both_ends_restored_at_will) {
  try_seeds(Faults{}, 60'000);
}

}  // namespace
}  // namespace tideline::sim
