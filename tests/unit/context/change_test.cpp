#include "context/change.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "context/limits.hpp"

namespace tideline::context {
namespace {

constexpr int64_t now = 1'790'000'000'000;

struct ContextChange : testing::Test {
  Declarations declarations;
  Entry entry;
  HybridClock clock;
  Totals totals;
  UtcNanos wall{now * 1'000'000};
  Tops tops{};
  Side me = Side::device;
  Register made;
  Refusal refusal;

  bool make(const Change& change) {
    refusal = {};
    return make_register(change, entry, Judge{me, declarations, totals, wall, tops}, clock, made, refusal);
  }
  bool set(const char* path, std::string value) { return make({path, Operation::set, std::move(value), std::nullopt, 0, "me"}); }
  void take() { merge(entry, made.side, made.write); }
  View view() { return view_of(entry, declarations.rule("a"), now); }
};

TEST_F(ContextChange, a_set_is_a_register_with_the_next_stamp_that_saw_the_other_sides) {
  entry.of(Side::hub) = Write{stamp_at(now) + 5, 0, false, 0, "hub", "1"};
  ASSERT_TRUE(set("a", " { \"x\" : 1 } "));
  EXPECT_EQ(made.path, "a");
  EXPECT_EQ(made.side, Side::device);
  EXPECT_EQ(made.write, (Write{stamp_at(now) + 6, stamp_at(now) + 5, false, 0, "me", "{\"x\":1}"}));
  take();
  EXPECT_FALSE(entry.is_conflict());
  EXPECT_EQ(view().value->value, "{\"x\":1}");
}

TEST_F(ContextChange, where_nothing_is_held_everything_that_is_held_of_the_other_side_was_seen) {
  tops[Side::hub] = 77;
  tops[Side::device] = 99;
  ASSERT_TRUE(set("a", "1"));
  EXPECT_EQ(made.write.seen, 77u);
}

TEST_F(ContextChange, only_the_owner_writes_desired_and_reported) {
  EXPECT_FALSE(set("desired/mode", "1"));
  EXPECT_EQ(refusal.code, ErrorCode::denied);
  EXPECT_EQ(refusal.what, "desired/mode: desired/ is written at the hub; a device writes reported/");
  EXPECT_TRUE(set("reported/mode", "1"));
  me = Side::hub;
  EXPECT_FALSE(set("reported/mode", "1"));
  EXPECT_EQ(refusal.code, ErrorCode::denied);
  EXPECT_EQ(refusal.what, "reported/mode: reported/ is written by the device; the hub writes desired/");
  EXPECT_TRUE(set("desired/mode", "1"));
}

TEST_F(ContextChange, a_wrong_path_or_value_is_refused_and_takes_no_stamp) {
  EXPECT_FALSE(set("a//b", "1"));
  EXPECT_EQ(refusal.what, "'a//b': a path has no / at its ends and no two together");
  EXPECT_FALSE(set("a", "{"));
  EXPECT_EQ(refusal.code, ErrorCode::invalid);
  EXPECT_TRUE(refusal.what.starts_with("a: the value is not taken: ")) << refusal.what;
  EXPECT_FALSE(set("a", "\"" + std::string(limits::value_bytes - 1, 'x') + "\""));
  EXPECT_EQ(refusal.code, ErrorCode::limit);
  EXPECT_TRUE(set("a", "\"" + std::string(limits::value_bytes - 2, 'x') + "\""));
  EXPECT_EQ(stamp_ms(made.write.stamp), now);
  EXPECT_EQ(clock.last(), stamp_at(now));
}

TEST_F(ContextChange, a_declared_value_is_checked_after_the_patch) {
  Declaration one;
  one.pattern = "a";
  one.type = ValueType::object;
  ASSERT_TRUE(declarations.add(one));
  EXPECT_FALSE(set("a", "1"));
  EXPECT_EQ(refusal.what, "a: the value must be of type object");
  EXPECT_TRUE(make({"a", Operation::patch, "{\"x\":1}", std::nullopt, 0, ""}));
  EXPECT_FALSE(make({"a", Operation::patch, "5", std::nullopt, 0, ""}));
}

TEST_F(ContextChange, a_patch_merges_into_what_readers_see) {
  ASSERT_TRUE(make({"a", Operation::patch, "{\"x\":1,\"y\":null}", std::nullopt, 0, ""}));
  EXPECT_EQ(made.write.value, "{\"x\":1}") << "of nothing";
  take();
  ASSERT_TRUE(make({"a", Operation::patch, "{\"y\":2}", std::nullopt, 0, ""}));
  EXPECT_EQ(made.write.value, "{\"x\":1,\"y\":2}");
  entry.of(Side::device).expires_ms = now;
  ASSERT_TRUE(make({"a", Operation::patch, "{\"y\":2}", std::nullopt, 0, ""}));
  EXPECT_EQ(made.write.value, "{\"y\":2}") << "what expired is not there";
}

TEST_F(ContextChange, a_patch_may_not_grow_a_value_beyond_the_limit) {
  ASSERT_TRUE(set("a", "{\"x\":\"" + std::string(40'000, 'x') + "\"}"));
  take();
  EXPECT_FALSE(make({"a", Operation::patch, "{\"y\":\"" + std::string(40'000, 'y') + "\"}", std::nullopt, 0, ""}));
  EXPECT_EQ(refusal.code, ErrorCode::limit);
  EXPECT_EQ(refusal.what, "a: a value has at most 64 KiB of JSON");
}

TEST_F(ContextChange, if_version_writes_only_over_that_version) {
  ASSERT_TRUE(make({"a", Operation::set, "1", "", 0, ""})) << "nothing was there";
  take();
  const std::string version = version_of(view());
  EXPECT_FALSE(make({"a", Operation::set, "2", "", 0, ""}));
  EXPECT_EQ(refusal.code, ErrorCode::exists);
  EXPECT_EQ(refusal.what, "a: the version is " + version + " now, not absent");
  ASSERT_TRUE(make({"a", Operation::set, "2", version, 0, ""}));
  take();
  EXPECT_FALSE(make({"a", Operation::erase, "", version, 0, ""}));
  EXPECT_EQ(refusal.what, "a: the version is " + version_of(view()) + " now, not " + version);
  ASSERT_TRUE(make({"a", Operation::erase, "", version_of(view()), 0, ""}));
  take();
  EXPECT_FALSE(make({"a", Operation::set, "3", version, 0, ""}));
  EXPECT_EQ(refusal.what, "a: nothing is there now, not " + version);
  EXPECT_TRUE(make({"a", Operation::set, "3", "", 0, ""})) << "a deletion is nothing";
}

TEST_F(ContextChange, nothing_is_not_erased_but_the_loser_of_a_conflict_is) {
  EXPECT_FALSE(make({"a", Operation::erase, "", std::nullopt, 0, ""}));
  EXPECT_EQ(refusal.code, ErrorCode::not_found);
  EXPECT_EQ(refusal.what, "a: nothing is there");
  entry.of(Side::device) = Write{20, 0, true, 0, "", ""};
  EXPECT_FALSE(make({"a", Operation::erase, "", std::nullopt, 0, ""}));
  entry.of(Side::hub) = Write{10, 0, false, 0, "", "1"};
  ASSERT_TRUE(make({"a", Operation::erase, "", std::nullopt, 0, ""}));
  take();
  EXPECT_FALSE(entry.is_conflict());
  EXPECT_TRUE(made.write.is_deleted);
  EXPECT_EQ(made.write.value, "");
}

TEST_F(ContextChange, a_time_to_live_counts_from_now_and_has_bounds) {
  ASSERT_TRUE(make({"a", Operation::set, "1", std::nullopt, 1'000, ""}));
  EXPECT_EQ(made.write.expires_ms, now + 1'000);
  EXPECT_TRUE(make({"a", Operation::set, "1", std::nullopt, limits::time_to_live_most_ms, ""}));
  EXPECT_FALSE(make({"a", Operation::set, "1", std::nullopt, limits::time_to_live_most_ms + 1, ""}));
  EXPECT_EQ(refusal.what, "a: a time to live is more than 0 and at most ten years");
  EXPECT_FALSE(make({"a", Operation::set, "1", std::nullopt, -1, ""}));
  ASSERT_TRUE(make({"a", Operation::set, "1", std::nullopt, 0, ""}));
  EXPECT_EQ(made.write.expires_ms, 0);
}

TEST_F(ContextChange, a_clock_of_1970_takes_the_newest_stamp_for_the_time) {
  wall = {5'000'000'000};
  clock.observe(stamp_at(now));
  ASSERT_TRUE(make({"a", Operation::set, "1", std::nullopt, 1'000, ""}));
  EXPECT_EQ(made.write.stamp, stamp_at(now) + 1);
  EXPECT_EQ(made.write.expires_ms, now + 1'000);
  EXPECT_EQ(now_ms(wall, clock), now);
}

TEST_F(ContextChange, a_clock_of_2150_orders_its_writes_and_those_after_it_is_right_again) {
  wall = {5'680'281'600'000'000'000};
  ASSERT_TRUE(set("a", "1"));
  const Stamp wrong = made.write.stamp;
  take();
  wall = {now * 1'000'000};
  ASSERT_TRUE(set("a", "2"));
  EXPECT_EQ(made.write.stamp, wrong + 1);
  EXPECT_EQ(now_ms(wall, clock), now) << "the wall clock is believed again";
}

TEST_F(ContextChange, when_no_stamp_is_left_nothing_is_written) {
  clock.observe(stamp_end - 1);
  EXPECT_FALSE(set("a", "1"));
  EXPECT_EQ(refusal.code, ErrorCode::limit);
  EXPECT_EQ(refusal.what, "a: no version is left: it was written when a clock stood at the year 2199");
}

TEST_F(ContextChange, there_are_10000_entries_and_replacing_one_is_always_possible) {
  totals.entries = limits::entries - 1;
  EXPECT_TRUE(set("a", "1"));
  totals.entries = limits::entries;
  EXPECT_FALSE(set("a", "1"));
  EXPECT_EQ(refusal.what, "a: the context has 10,000 entries, which is all it may have");
  entry.of(Side::hub) = Write{10, 0, false, now - 1, "", "1"};
  EXPECT_TRUE(set("a", "1")) << "one that expired is counted already";
}

TEST_F(ContextChange, deletions_that_the_other_side_does_not_know_take_room_too) {
  totals.paths = limits::paths;
  EXPECT_FALSE(set("a", "1"));
  EXPECT_EQ(refusal.what, "a: the context holds too many deletions that the other side does not know yet");
  entry.of(Side::device) = Write{10, 0, true, 0, "", ""};
  EXPECT_TRUE(set("a", "1"));
}

TEST_F(ContextChange, values_may_hold_4_mib_and_only_what_the_same_side_wrote_makes_room) {
  totals.bytes = limits::bytes - 4;
  EXPECT_TRUE(set("a", "123"));
  EXPECT_FALSE(set("a", "1234"));
  EXPECT_EQ(refusal.what, "a: the context would hold more than 4.0 MiB");
  totals.bytes = limits::bytes;
  entry.of(Side::hub) = Write{10, 0, false, 0, "", "12345"};
  EXPECT_FALSE(set("a", "1")) << "the hub's value stays beside it";
  entry.of(Side::device) = Write{11, 10, false, 0, "", "12"};
  EXPECT_TRUE(set("a", "12"));
  EXPECT_FALSE(set("a", "123"));
  EXPECT_TRUE(make({"a", Operation::erase, "", std::nullopt, 0, ""}));
}

TEST_F(ContextChange, an_author_is_cut_between_characters_and_is_always_utf8) {
  const auto author_of = [&](std::string author) {
    EXPECT_TRUE(make({"a", Operation::set, "1", std::nullopt, 0, std::move(author)}));
    return made.write.author;
  };
  EXPECT_EQ(author_of(std::string(127, 'a') + "\u00e4"), std::string(127, 'a'));
  EXPECT_EQ(author_of(std::string(126, 'a') + "\u00e4"), std::string(126, 'a') + "\u00e4");
  EXPECT_EQ(author_of("x\xff"), "x?");
}

}  // namespace
}  // namespace tideline::context
