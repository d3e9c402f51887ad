#include "context/book.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"

namespace tideline::context {
namespace {

Register reg(const char* path, Side side, Stamp stamp, Stamp seen = 0, const char* value = "1") { return {path, side, {stamp, seen, false, 0, "", value}}; }
Register erased(const char* path, Side side, Stamp stamp, Stamp seen = 0) { return {path, side, {stamp, seen, true, 0, "", ""}}; }

std::vector<Register> registers_of(const Book& book) {
  std::vector<Register> all;
  for (const auto& [path, entry] : book.entries()) {
    for (const Side side : sides) {
      if (entry.of(side).stamp != 0) all.push_back({path, side, entry.of(side)});
    }
  }
  return all;
}

/// What state() and totals() should be, from scratch.
void expect_true(const Book& book) {
  ReplicaState state;
  Totals totals;
  for (const auto& [path, entry] : book.entries()) {
    const Weight weight = weight_of(path, entry);
    state.digest += digest_of(path, entry);
    state.entries += weight.entries;
    totals.bytes += weight.bytes;
    ++totals.paths;
    for (const Side side : sides) state.tops[side] = std::max(state.tops[side], entry.of(side).stamp);
  }
  EXPECT_EQ(book.state(), state);
  EXPECT_EQ(book.totals().entries, state.entries);
  EXPECT_EQ(book.totals().bytes, totals.bytes);
  EXPECT_EQ(book.totals().paths, totals.paths);
}

Register random_register(Random& random) {
  Register one{"k" + std::to_string(random.below(12)), random.below(2) == 0 ? Side::device : Side::hub, {}};
  one.write.stamp = 1 + random.below(400);
  one.write.seen = random.below(400);
  one.write.is_deleted = random.below(3) == 0;
  if (!one.write.is_deleted) one.write.value = std::string(static_cast<size_t>(1 + random.below(30)), '1');
  return one;
}

TEST(ContextBook, totals_and_digest_are_those_of_a_recount_after_anything) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Book book;
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(book.put(random_register(random)));
      if (random.below(20) == 0) (void)book.forget_tombstones(book.state().tops, static_cast<size_t>(random.below(4))).size();
      if (random.below(10) == 0) (void)book.page(Side::hub, random.below(400), 100).is_end;
      if (i % 50 == 0) expect_true(book);
    }
    expect_true(book);
  }
}

TEST(ContextBook, the_order_in_which_registers_come_and_how_often_does_not_matter) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<Register> all;
    for (int i = 0; i < 100; ++i) all.push_back(random_register(random));  // also different ones of one stamp
    Book one, two;
    for (const Register& each : all) ASSERT_TRUE(one.put(each));
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[static_cast<size_t>(random.below(i))]);
    for (const Register& each : all) ASSERT_TRUE(two.put(each));
    for (int i = 0; i < 30; ++i) EXPECT_FALSE(*two.put(all[static_cast<size_t>(random.below(all.size()))]));
    EXPECT_EQ(registers_of(one), registers_of(two));
    EXPECT_EQ(one.state(), two.state());
  }
}

TEST(ContextBook, two_writes_of_one_stamp_are_told_apart_by_the_digest_and_end_as_one) {
  Book one, two;
  ASSERT_TRUE(one.put(reg("a", Side::device, 5, 0, "1")));
  ASSERT_TRUE(two.put(reg("a", Side::device, 5, 0, "2")));
  EXPECT_NE(one.state().digest, two.state().digest);
  EXPECT_TRUE(*one.put(reg("a", Side::device, 5, 0, "2")));
  EXPECT_FALSE(*two.put(reg("a", Side::device, 5, 0, "1")));
  EXPECT_EQ(one.state(), two.state());
  EXPECT_EQ(one.page(Side::device, 0, 1000).registers.size(), 1u);
}

TEST(ContextBook, pages_are_in_the_order_of_stamps_and_hold_each_register_once) {
  Book book;
  for (const Stamp stamp : std::vector<Stamp>{50, 10, 40, 20, 30}) ASSERT_TRUE(book.put(reg(("k" + std::to_string(stamp)).c_str(), Side::hub, stamp)));
  ASSERT_TRUE(book.put(reg("k10", Side::hub, 60)));
  ASSERT_TRUE(book.put(reg("other", Side::device, 25)));
  std::vector<Stamp> stamps;
  Stamp after = 0;
  for (bool is_end = false; !is_end;) {
    const RegisterPage page = book.page(Side::hub, after, 100);
    EXPECT_EQ(page.after, after);
    EXPECT_LE(page.registers.size(), 2u);
    ASSERT_FALSE(page.registers.empty());
    for (const Register& one : page.registers) stamps.push_back(one.write.stamp);
    after = stamps.back();
    is_end = page.is_end;
  }
  EXPECT_EQ(stamps, (std::vector<Stamp>{20, 30, 40, 50, 60}));
  EXPECT_TRUE(book.page(Side::hub, 60, 100).registers.empty());
  EXPECT_TRUE(book.page(Side::hub, 60, 100).is_end);
}

TEST(ContextBook, a_page_has_at_least_one_register_and_at_most_1024) {
  Book book;
  ASSERT_TRUE(book.put({"big", Side::device, {1, 0, false, 0, "", "\"" + std::string(60'000, 'x') + "\""}}));
  EXPECT_EQ(book.page(Side::device, 0, 1).registers.size(), 1u);
  EXPECT_TRUE(book.page(Side::device, 0, 1).is_end);
  for (size_t i = 0; i < limits::message_registers + 1; ++i) ASSERT_TRUE(book.put(reg(("k" + std::to_string(i)).c_str(), Side::hub, 10 + i)));
  const RegisterPage page = book.page(Side::hub, 0, 1'000'000);
  EXPECT_EQ(page.registers.size(), limits::message_registers);
  EXPECT_FALSE(page.is_end);
}

TEST(ContextBook, a_deletion_is_forgotten_only_when_the_peer_holds_it) {
  Book book;
  ASSERT_TRUE(book.put(erased("a", Side::device, 10)));
  ASSERT_TRUE(book.put(erased("b", Side::device, 20)));
  ASSERT_TRUE(book.put(reg("c", Side::device, 30)));
  ASSERT_TRUE(book.put(erased("d", Side::hub, 40)));
  ASSERT_TRUE(book.put(reg("e", Side::hub, 50)));
  EXPECT_TRUE(book.forget_tombstones(Tops{}, 0).empty());
  EXPECT_EQ(book.forget_tombstones(Tops{{10, 0}}, 0), std::vector<std::string>{"a"});
  EXPECT_EQ(book.find("a"), nullptr);
  EXPECT_TRUE(book.forget_tombstones(Tops{{30, 50}}, 2).empty()) << "two may stay";
  EXPECT_EQ(book.forget_tombstones(Tops{{30, 50}}, 0).size(), 2u);
  EXPECT_NE(book.find("c"), nullptr) << "a value";
  expect_true(book);
}

TEST(ContextBook, a_deletion_stays_while_the_peer_may_have_written_without_knowing_it) {
  Book book;
  ASSERT_TRUE(book.put(erased("a", Side::device, 10)));
  ASSERT_TRUE(book.put(reg("b", Side::device, 11)));
  EXPECT_TRUE(book.forget_tombstones(Tops{{11, 5}}, 0).empty()) << "its writes up to 5 have not come";
  ASSERT_TRUE(book.put(reg("c", Side::hub, 5)));
  EXPECT_EQ(book.forget_tombstones(Tops{{11, 5}}, 0).size(), 1u);
}

TEST(ContextBook, the_last_write_of_a_side_is_never_forgotten_so_that_tops_stay) {
  Book book;
  ASSERT_TRUE(book.put(reg("a", Side::device, 10)));
  ASSERT_TRUE(book.put(erased("b", Side::device, 20)));
  EXPECT_TRUE(book.forget_tombstones(book.state().tops, 0).empty());
  expect_true(book);
}

TEST(ContextBook, deletions_are_forgotten_where_the_other_side_never_wrote) {
  Book book;
  ASSERT_TRUE(book.put(erased("a", Side::device, 10)));
  ASSERT_TRUE(book.put(erased("b", Side::device, 20)));
  EXPECT_EQ(book.forget_tombstones(book.state().tops, 0), std::vector<std::string>{"a"});
}

TEST(ContextBook, deletions_go_when_what_they_keep_is_large) {
  Book book;
  const std::string value = "\"" + std::string(60'000, 'x') + "\"";
  Stamp stamp = 0;
  for (int i = 0; i < 12; ++i) {
    const std::string path = "k" + std::to_string(i);
    ASSERT_TRUE(book.put({path, Side::device, {++stamp, 0, false, 0, "", value}}));
    ASSERT_TRUE(book.put({path, Side::hub, {stamp, stamp, true, 0, "", ""}}));
  }
  const std::vector<std::string> forgotten = book.forget_tombstones(book.state().tops);
  EXPECT_EQ(forgotten.size(), 5u);
  EXPECT_LE(book.totals().bytes, limits::tombstone_bytes);
  EXPECT_NE(book.find("k11"), nullptr) << "the oldest go first";
  expect_true(book);
}

TEST(ContextBook, a_full_replica_refuses_what_makes_it_larger_and_nothing_else) {
  const Entry nothing;
  Entry held;
  held.of(Side::hub) = {5, 0, false, 0, "", "12345"};
  Totals full{limits::entries, limits::replica_bytes, limits::replica_paths};
  EXPECT_FALSE(room_for(full, nothing, reg("a", Side::hub, 6)));
  EXPECT_FALSE(room_for(full, held, reg("a", Side::hub, 6, 0, "123456")));
  EXPECT_TRUE(room_for(full, held, reg("a", Side::hub, 6, 0, "54321")));
  EXPECT_TRUE(room_for(full, held, erased("a", Side::hub, 6)));
  EXPECT_TRUE(room_for(full, held, erased("a", Side::device, 6)));
  full.bytes -= 2;
  --full.paths;
  EXPECT_TRUE(room_for(full, nothing, reg("a", Side::hub, 6)));
  EXPECT_FALSE(room_for(full, nothing, reg("aa", Side::hub, 6)));
}

}  // namespace
}  // namespace tideline::context
