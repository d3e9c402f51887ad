#include "context/expiry.hpp"

#include <gtest/gtest.h>

namespace tideline::context {
namespace {

constexpr int64_t now = 1'790'000'000'000;

Entry entry_of(const Write& device, const Write& hub) {
  Entry entry;
  entry.of(Side::device) = device;
  entry.of(Side::hub) = hub;
  return entry;
}
Write value(Stamp stamp, Stamp seen, int64_t expires) { return {stamp, seen, false, expires, "", "1"}; }

TEST(ContextExpiry, the_side_that_wrote_what_expired_deletes_it) {
  const Entry entry = entry_of(value(10, 0, now), {});
  EXPECT_TRUE(is_to_be_deleted(entry, Side::device, now));
  EXPECT_FALSE(is_to_be_deleted(entry, Side::device, now - 1));
  EXPECT_FALSE(is_to_be_deleted(entry, Side::hub, now));
}

TEST(ContextExpiry, what_is_replaced_or_deleted_is_let_be) {
  EXPECT_FALSE(is_to_be_deleted(entry_of(value(10, 0, now), value(11, 10, 0)), Side::device, now));
  EXPECT_FALSE(is_to_be_deleted(entry_of({10, 0, true, 0, "", ""}, {}), Side::device, now));
  EXPECT_FALSE(is_to_be_deleted(entry_of(value(10, 0, 0), {}), Side::device, now));
}

TEST(ContextExpiry, a_conflict_with_a_living_value_is_for_people) {
  EXPECT_FALSE(is_to_be_deleted(entry_of(value(10, 0, now), value(11, 0, 0)), Side::device, now));
  EXPECT_FALSE(is_to_be_deleted(entry_of(value(10, 0, now), value(11, 0, now + 1)), Side::device, now));
  EXPECT_TRUE(is_to_be_deleted(entry_of(value(10, 0, now), value(11, 0, now)), Side::device, now));
  EXPECT_TRUE(is_to_be_deleted(entry_of(value(10, 0, now), {11, 0, true, 0, "", ""}), Side::device, now));
}

TEST(ContextExpiry, the_deletion_has_seen_what_the_value_had_seen) {
  const Entry entry = entry_of(value(10, 5, now), value(11, 0, now));
  const Declarations none;
  HybridClock clock;
  Register made;
  ASSERT_TRUE(make_expiry("a", entry, Judge{Side::device, none, {}, {now * 1'000'000}, {}}, clock, made));
  EXPECT_EQ(made, (Register{"a", Side::device, {stamp_at(now), 5, true, 0, "expired", ""}}));
  EXPECT_FALSE(make_expiry("a", entry, Judge{Side::device, none, {}, {(now - 1) * 1'000'000}, {}}, clock, made));
}

TEST(ContextExpiry, so_many_are_named_and_when_to_look_again) {
  Book::Entries entries;
  entries["a"] = entry_of(value(1, 0, now), {});
  entries["b"] = entry_of(value(2, 0, now - 5), {});
  entries["c"] = entry_of(value(3, 0, now + 7), {});
  entries["d"] = entry_of({}, value(4, 0, now));
  entries["e"] = entry_of(value(5, 0, 0), {});
  int64_t next = 0;
  EXPECT_EQ(expired_paths(entries, Side::device, now, 10, next), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(next, now + 7);
  EXPECT_EQ(expired_paths(entries, Side::device, now, 1, next), (std::vector<std::string>{"a"}));
  EXPECT_EQ(next, now - 5) << "at once";
  EXPECT_TRUE(expired_paths({}, Side::device, now, 10, next).empty());
  EXPECT_EQ(next, INT64_MAX);
  const Book::Entries blocked{{"f", entry_of(value(1, 0, now - 9), value(2, 0, now + 3))}};
  EXPECT_TRUE(expired_paths(blocked, Side::device, now, 10, next).empty());
  EXPECT_EQ(next, now + 3) << "then the conflict is over";
}

}  // namespace
}  // namespace tideline::context
