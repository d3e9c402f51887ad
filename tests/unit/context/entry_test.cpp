#include "context/entry.hpp"

#include <gtest/gtest.h>

namespace tideline::context {
namespace {

Write write(Stamp stamp, Stamp seen, const char* value) { return Write{stamp, seen, false, 0, "test", value}; }

Entry entry_of(const Write& device, const Write& hub) {
  Entry entry;
  entry.of(Side::device) = device;
  entry.of(Side::hub) = hub;
  return entry;
}

TEST(ContextEntry, a_write_that_knew_the_other_replaces_it_whatever_the_stamps_say) {
  const Entry entry = entry_of(write(900, 0, "1"), write(1000, 900, "2"));
  EXPECT_FALSE(entry.is_conflict());
  for (const Rule rule : {Rule::last_writer, Rule::device_wins, Rule::hub_wins, Rule::keep_both}) {
    EXPECT_EQ(view_of(entry, rule, 0).value->value, "2");
    EXPECT_EQ(view_of(entry, rule, 0).loser, nullptr);
  }
}

TEST(ContextEntry, writes_that_did_not_know_each_other_are_a_conflict_that_the_rule_decides_and_the_loser_is_shown) {
  const Entry entry = entry_of(write(1000, 0, "1"), write(900, 0, "2"));
  ASSERT_TRUE(entry.is_conflict());
  EXPECT_EQ(view_of(entry, Rule::last_writer, 0).value->value, "1");
  EXPECT_EQ(view_of(entry, Rule::device_wins, 0).value->value, "1");
  EXPECT_EQ(view_of(entry, Rule::hub_wins, 0).value->value, "2");
  EXPECT_EQ(view_of(entry, Rule::hub_wins, 0).loser->value, "1");
  EXPECT_EQ(view_of(entry_of(write(7, 0, "1"), write(7, 0, "2")), Rule::last_writer, 0).value->value, "2") << "the hub's of equal stamps";
}

TEST(ContextEntry, deleted_and_expired_values_are_not_there_but_their_writes_are_known) {
  Entry entry;
  entry.of(Side::hub) = Write{5, 0, true, 0, "", ""};
  EXPECT_EQ(view_of(entry, Rule::last_writer, 0).value, nullptr);
  EXPECT_NE(view_of(entry, Rule::last_writer, 0).winner, nullptr);
  entry.of(Side::hub) = Write{6, 0, false, 1000, "", "1"};
  EXPECT_NE(view_of(entry, Rule::last_writer, 999).value, nullptr);
  EXPECT_EQ(view_of(entry, Rule::last_writer, 1000).value, nullptr);
}

TEST(ContextEntry, merging_takes_the_later_register_of_a_side_and_nothing_twice) {
  Entry entry;
  EXPECT_TRUE(merge(entry, Side::device, write(5, 0, "5")));
  EXPECT_FALSE(merge(entry, Side::device, write(5, 0, "5")));
  EXPECT_FALSE(merge(entry, Side::device, write(4, 0, "4")));
  EXPECT_TRUE(merge(entry, Side::device, write(6, 0, "6")));
  EXPECT_EQ(entry.of(Side::device).value, "6");
}

TEST(ContextEntry, an_entry_is_copied_with_both_registers_and_compared_by_them) {
  Entry hub_first;
  hub_first.of(Side::hub) = write(2, 0, "2");
  hub_first.of(Side::device) = write(1, 0, "1");
  const Entry device_first = entry_of(write(1, 0, "1"), write(2, 0, "2"));
  EXPECT_EQ(hub_first, device_first);
  Entry copy = hub_first;
  copy.of(Side::device).value = "3";
  EXPECT_EQ(hub_first.of(Side::device).value, "1");
  EXPECT_FALSE(copy == hub_first);
  copy = device_first;
  EXPECT_EQ(copy, hub_first);
  const Entry nothing;
  EXPECT_EQ(nothing.of(Side::hub), Write{});
  Entry touched;
  (void)touched.of(Side::hub).stamp;
  EXPECT_EQ(touched, nothing);
}

TEST(ContextEntry, of_two_writes_with_one_stamp_the_contents_decide_the_same_everywhere) {
  const Write a = write(5, 0, "1"), b = write(5, 0, "2");
  EXPECT_TRUE(replaces(b, a));
  EXPECT_FALSE(replaces(a, b));
  EXPECT_FALSE(replaces(a, a));
  EXPECT_TRUE(replaces(write(6, 0, "0"), b));
}

TEST(ContextEntry, the_digest_tells_apart_what_is_in_force_and_forgets_deletions) {
  const Entry one = entry_of(write(5, 0, "1"), {});
  EXPECT_NE(digest_of("a", one), 0u);
  EXPECT_NE(digest_of("a", one), digest_of("b", one));
  EXPECT_NE(digest_of("a", one), digest_of("a", entry_of(write(6, 0, "1"), {})));
  EXPECT_EQ(digest_of("a", entry_of(write(5, 0, "1"), Write{6, 5, true, 0, "", ""})), 0u);
}

}  // namespace
}  // namespace tideline::context
