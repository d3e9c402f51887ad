// Damage of every kind: the store opens, says what is missing, keeps what is good (law 5).

#include <chrono>

#include "store_fixture.hpp"

namespace tideline::agent {
namespace {

class StoreRecovery : public StoreTest {
 protected:
  /// Opens within the promised time and accounts for every number made so far.
  void open_and_account(Stream stream, Seq next) {
    const auto started = std::chrono::steady_clock::now();
    open();
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(3));
    EXPECT_EQ(store_->next(stream), next);
    expect_accounted(stream);
    EXPECT_TRUE(record(stream, 5));
    EXPECT_LE(store_->status().bad_segments, limits::bad_segments);
  }
};

TEST_F(StoreRecovery, a_scrambled_sealed_segment_becomes_an_exact_gap) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  const SeqRange second = fetch_all(Stream::normal).blocks.at(8);
  close();
  scramble(files("seg-normal").at(1));
  open_and_account(Stream::normal, next);
  ASSERT_EQ(gaps(Stream::normal).size(), 1U);
  EXPECT_TRUE(gaps(Stream::normal)[0].range.contains(second.first));
  EXPECT_EQ(gaps(Stream::normal)[0].reason, GapReason::damaged);
  EXPECT_FALSE(gaps(Stream::normal)[0].at_least);
  EXPECT_EQ(gaps(Stream::normal)[0].count, gaps(Stream::normal)[0].range.count());
  EXPECT_EQ(files("bad-seg").size(), 1U);
}

TEST_F(StoreRecovery, a_scrambled_active_segment_after_a_kill_becomes_an_exact_gap) {
  fill(Stream::normal, 2);
  ASSERT_TRUE(record(Stream::normal, 10));
  const Seq next = store_->next(Stream::normal);
  crash();
  scramble(files("seg-normal").back());
  open_and_account(Stream::normal, next);
  for (const Gap& gap : gaps(Stream::normal)) EXPECT_FALSE(gap.at_least);
}

TEST_F(StoreRecovery, a_scrambled_active_segment_after_a_clean_stop_becomes_an_exact_gap) {
  ASSERT_TRUE(record(Stream::normal, 3000));
  const Seq next = store_->next(Stream::normal);
  close();
  scramble(files("seg-normal").back());
  open_and_account(Stream::normal, next);
  EXPECT_EQ(status(Stream::normal).lost_readings, 3000U);
  EXPECT_FALSE(gaps(Stream::normal).at(0).at_least);
}

TEST_F(StoreRecovery, without_its_wal_the_end_is_uncertain_and_numbers_are_skipped) {
  ASSERT_TRUE(record(Stream::normal, 3000));
  const uint32_t incarnation = store_->status().incarnation;
  crash();
  scramble(files("seg-normal").back());
  remove(files("seg-normal").back() + "-wal");
  open();
  EXPECT_GT(store_->next(Stream::normal), limits::skipped_readings);
  EXPECT_GT(store_->status().incarnation, incarnation);
  ASSERT_EQ(gaps(Stream::normal).size(), 1U);
  EXPECT_TRUE(gaps(Stream::normal)[0].at_least);
  EXPECT_TRUE(record(Stream::normal, 5));
}

TEST_F(StoreRecovery, what_is_good_of_a_damaged_segment_is_kept) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  close();
  scramble(files("seg-normal").at(1), 40'000);
  open_and_account(Stream::normal, next);
  const Held held = fetch_all(Stream::normal);
  EXPECT_GT(held.lost, 0U);
  EXPECT_LT(held.lost, 6000U);
  EXPECT_GT(held.readings, next / 2);
}

TEST_F(StoreRecovery, a_lost_header_page_costs_nothing_but_itself) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  close();
  std::fstream file(directory_.file(files("seg-normal").at(1)), std::ios::in | std::ios::out | std::ios::binary);
  file.write(std::string(100, 'x').data(), 100);
  file.close();
  open_and_account(Stream::normal, next);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, a_killed_active_segment_with_a_lost_header_keeps_its_wal) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(record(Stream::normal, 500));
  const Seq next = store_->next(Stream::normal);
  crash();
  scramble(files("seg-normal").back());
  open_and_account(Stream::normal, next);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, truncated_and_empty_files_are_survived) {
  fill(Stream::normal, 4);
  const Seq next = store_->next(Stream::normal);
  close();
  truncate(files("seg-normal").at(0), 0);
  truncate(files("seg-normal").at(1), 20'000);
  truncate(files("seg-normal").at(2), 10);
  open_and_account(Stream::normal, next);
  EXPECT_LE(files("bad-seg").size(), limits::bad_segments);
}

TEST_F(StoreRecovery, an_empty_active_segment_after_a_kill_is_read_from_its_wal) {
  ASSERT_TRUE(record(Stream::normal, 500));
  const Seq next = store_->next(Stream::normal);
  crash();
  truncate(files("seg-normal").back(), 0);
  open_and_account(Stream::normal, next);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, a_missing_segment_is_a_gap) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  close();
  remove(files("seg-normal").at(1));
  open_and_account(Stream::normal, next);
  EXPECT_GT(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, a_missing_newest_segment_is_an_exact_gap_after_a_clean_stop) {
  ASSERT_TRUE(record(Stream::normal, 700));
  close();
  remove(files("seg-normal").back());
  open_and_account(Stream::normal, 701);
  EXPECT_EQ(status(Stream::normal).lost_readings, 700U);
}

TEST_F(StoreRecovery, a_missing_newest_segment_after_a_kill_is_uncertain) {
  ASSERT_TRUE(record(Stream::normal, 700));
  crash();
  remove(files("seg-normal").back() + "-wal");
  remove(files("seg-normal").back());
  open();
  EXPECT_GT(store_->next(Stream::normal), limits::skipped_readings);
  EXPECT_TRUE(gaps(Stream::normal).at(0).at_least);
}

TEST_F(StoreRecovery, a_damaged_state_file_is_restored_from_its_copy) {
  fill(Stream::normal, 2);
  const std::string epoch = store_->status().epoch;
  const uint32_t incarnation = store_->status().incarnation;
  const Seq next = store_->next(Stream::normal);
  close();
  scramble("state.db");
  open_and_account(Stream::normal, next);
  EXPECT_EQ(store_->status().epoch, epoch);
  EXPECT_GT(store_->status().incarnation, incarnation);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, without_state_and_copy_the_segments_say_who_they_are) {
  fill(Stream::normal, 2);
  const std::string epoch = store_->status().epoch;
  const Seq next = store_->next(Stream::normal);
  close();
  scramble("state.db");
  scramble("state.db.bak");
  open_and_account(Stream::normal, next);
  EXPECT_EQ(store_->status().epoch, epoch);
  EXPECT_EQ(store_->dictionary().at(ids_[1]).name, "s");
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
}

TEST_F(StoreRecovery, a_series_made_after_state_was_lost_gets_a_fresh_number) {
  ASSERT_TRUE(record(Stream::normal, 5));
  const auto unused = store_->series_id({.name = "unused", .labels = {}, .unit = ""});
  close();
  scramble("state.db");
  remove("state.db.bak");
  open();
  EXPECT_GT(*store_->series_id({.name = "new", .labels = {}, .unit = ""}), *unused);
}

TEST_F(StoreRecovery, when_nothing_is_left_a_new_epoch_begins) {
  ASSERT_TRUE(record(Stream::normal, 5));
  const std::string epoch = store_->status().epoch;
  close();
  for (const char* const name : {"state.db", "state.db.bak"}) scramble(name);
  remove(files("seg-normal").back());
  open();
  EXPECT_NE(store_->status().epoch, epoch);
  EXPECT_EQ(store_->next(Stream::normal), 1U);
}

TEST_F(StoreRecovery, a_segment_of_another_store_is_not_adopted) {
  fill(Stream::normal, 1);
  close();
  test::TempDir other;
  std::filesystem::copy(directory_.file(files("seg-normal").at(0)), other.file("foreign"));
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) std::filesystem::remove(entry.path());
  open();
  close();
  std::filesystem::copy(other.file("foreign"), directory_.file("seg-normal-00000001.db"));
  open();
  EXPECT_EQ(status(Stream::normal).held_readings, 0U);
  EXPECT_EQ(store_->next(Stream::normal), 1U);
}

TEST_F(StoreRecovery, damage_found_while_reading_is_quarantined_then) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  reopen();
  // The header stays as it was read at start.
  scramble(files("seg-normal").at(1), 8'192);
  EXPECT_EQ(fetch_all(Stream::normal).covered_to, next - 1);
  EXPECT_GT(status(Stream::normal).lost_readings, 0U);
  EXPECT_EQ(store_->status().bad_segments, 1U);
  expect_accounted(Stream::normal);
}

TEST_F(StoreRecovery, a_salvage_that_was_cut_short_is_finished) {
  fill(Stream::normal, 2);
  const Seq next = store_->next(Stream::normal);
  close();
  const std::string name = files("seg-normal").at(0);
  std::filesystem::rename(directory_.file(name), directory_.file("salvage" + name.substr(3)));
  std::ofstream(directory_.file(name)) << "damaged";
  std::ofstream(directory_.file("salvage.tmp")) << "half a copy";
  open_and_account(Stream::normal, next);
  EXPECT_EQ(status(Stream::normal).lost_readings, 0U);
  EXPECT_TRUE(files("salvage").empty());
}

TEST_F(StoreRecovery, one_flipped_bit_costs_one_block) {
  fill(Stream::normal, 3);
  const Seq next = store_->next(Stream::normal);
  close();
  const std::string path = directory_.file(files("seg-normal").at(1));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(30'500);
  const char old = static_cast<char>(file.get());
  file.seekp(30'500);
  file.put(static_cast<char>(old ^ 1));
  file.close();
  open();
  EXPECT_EQ(fetch_all(Stream::normal).covered_to, next - 1);
  EXPECT_LE(status(Stream::normal).lost_readings, 1000U);
  EXPECT_GT(status(Stream::normal).lost_readings, 0U);
  expect_accounted(Stream::normal);
}

}  // namespace
}  // namespace tideline::agent
