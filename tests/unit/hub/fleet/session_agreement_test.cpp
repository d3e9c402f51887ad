// Where two timelines of one store parted (src/link/FORMAT.md, rollback). Stream normal throughout.
#include "hub/fleet/session_agreement.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

using model::Seq;
using model::SeqRange;
using model::Stream;

struct Case {
  link::Hello hello;
  DeviceState state;

  Case& claims(uint64_t run, Seq first) {
    hello.runs.push_back({run, {1, first, 1}});
    return *this;
  }
  Case& next(Seq value) {
    hello.streams[1].next = value;
    return *this;
  }
  Case& knows(uint64_t run, Seq first, Seq highest) {
    state.runs.push_back({run, {1, first, 1}, {0, highest, 0}});
    return *this;
  }
  Case& holds(SeqRange range) {
    EXPECT_TRUE(state.held[1].add(range, limits::cursor_ranges));
    return *this;
  }
  link::StreamHeld result() const { return compare_claims(hello, state, Stream::normal); }
  Seq agreed() const { return result().agreed; }
};

TEST(SessionAgreement, a_first_contact_agrees_about_nothing) {
  EXPECT_EQ(Case().claims(1, 1).next(50).agreed(), 0u);
}

TEST(SessionAgreement, what_a_known_run_delivered_is_agreed) {
  EXPECT_EQ(Case().claims(1, 1).next(150).knows(1, 1, 120).holds({1, 120}).agreed(), 120u);
}

TEST(SessionAgreement, new_runs_after_a_restart_change_nothing) {
  const Case offline = Case().claims(1, 1).claims(2, 130).claims(3, 140).next(150).knows(1, 1, 120).holds({1, 120});
  EXPECT_EQ(offline.agreed(), offline.result().highest);
}

TEST(SessionAgreement, an_image_from_inside_a_run_parts_at_its_own_new_run) {
  // The run went on to 200 after the image was taken at 100.
  const Case restored = Case().claims(1, 1).claims(2, 100).next(110).knows(1, 1, 200).holds({1, 200});
  EXPECT_EQ(restored.agreed(), 99u);
  EXPECT_EQ(restored.result().highest, 200u);
}

TEST(SessionAgreement, an_image_with_nothing_new_only_lacks_the_end) {
  EXPECT_EQ(Case().claims(1, 1).claims(2, 100).next(100).knows(1, 1, 200).holds({1, 200}).agreed(), 99u);
}

TEST(SessionAgreement, an_old_backlog_that_both_know_stays_where_it_is) {
  // Run 1 delivered up to 80; 81 to 99 are the image's backlog, which the original sent never. It went on in run 9 from 150.
  const Case restored = Case().claims(1, 1).claims(2, 100).next(110).knows(1, 1, 80).knows(9, 150, 170).holds({1, 80}).holds({150, 170});
  EXPECT_EQ(restored.agreed(), 99u);
}

TEST(SessionAgreement, a_foreign_run_inside_a_claimed_one_parts_where_it_began) {
  // A copy wrote run 9 from 90 on; this device's run 1 went on to 109, unsent from 81.
  EXPECT_EQ(Case().claims(1, 1).next(110).knows(1, 1, 80).knows(9, 90, 95).holds({1, 80}).holds({90, 95}).agreed(), 89u);
}

TEST(SessionAgreement, a_foreign_run_without_a_beginning_parts_at_once) {
  EXPECT_EQ(Case().claims(1, 1).next(110).knows(1, 1, 80).knows(9, 0, 95).holds({1, 80}).holds({90, 95}).agreed(), 80u);
}

TEST(SessionAgreement, numbers_that_no_run_explains_part_at_once) {
  EXPECT_EQ(Case().claims(1, 1).next(110).knows(1, 1, 80).holds({1, 80}).holds({90, 95}).agreed(), 80u);
}

TEST(SessionAgreement, foreign_runs_below_what_is_common_were_settled_before) {
  EXPECT_EQ(Case().claims(1, 1).claims(2, 100).next(300).knows(1, 1, 99).knows(9, 100, 200).knows(2, 201, 250).holds({1, 250}).agreed(), 250u);
}

TEST(SessionAgreement, more_runs_than_are_listed_are_trusted) {
  // The oldest listed run begins at 500; what the hub holds lies below.
  const Case much = Case().claims(70, 500).claims(71, 520).next(530).knows(1, 1, 480).holds({1, 480});
  EXPECT_EQ(much.agreed(), 480u);
}

TEST(SessionAgreement, it_never_agrees_to_what_the_device_does_not_have) {
  const Case odd = Case().claims(1, 1).next(10).knows(1, 1, 50).knows(9, 40, 90).holds({1, 90});
  EXPECT_EQ(odd.agreed(), 9u);
}

TEST(SessionAgreement, a_device_without_runs_agrees_to_nothing) {
  EXPECT_EQ(Case().next(10).knows(1, 1, 50).holds({1, 50}).agreed(), 0u);
}

TEST(SessionAgreement, gaps_count_for_the_run_whose_numbers_they_take) {
  Case device = Case().claims(1, 1).claims(2, 100).next(200);
  auto claims = claimed_runs(device.hello);
  EXPECT_TRUE(note_held(claims, Stream::normal, {90, 120}));
  EXPECT_EQ(claims[0].highest[1], 99u);
  EXPECT_EQ(claims[1].highest[1], 120u);
  EXPECT_FALSE(note_held(claims, Stream::normal, {95, 110}));
}

}  // namespace
}  // namespace tideline::hub
