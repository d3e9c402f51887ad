// The outbox as the loop sees it: answers in order, bounds kept, nothing after close().

#include "agent/store/outbox.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "clock.hpp"
#include "support/temp_dir.hpp"

namespace tideline::agent {
namespace {

using model::Seq;
using model::Stream;

class NoLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

class OutboxTest : public testing::Test, protected Outbox::Listener {
 protected:
  OutboxTest() {
    options_.directory = directory_.path();
    options_.free_bytes_least = 0;
    options_.free_inodes_least = 0;
    open();
  }
  void open() {
    const model::Anchor anchor{.boot_id = 7, .mono_ns = 0, .utc_ns = 1'700'000'000'000'000'000, .error_ns = 0, .quality = model::TimeQuality::rtc};
    auto opened = Outbox::open(options_, anchor, loop_, *this, log_);
    ASSERT_TRUE(opened.has_value());
    outbox_ = std::move(*opened);
    series_ = *outbox_->series_id({.name = "s", .labels = {}, .unit = ""});
  }
  model::ReadingBatch batch(size_t count) {
    model::ReadingBatch out;
    for (size_t i = 0; i < count; ++i) out.add_i64(series_, {static_cast<int64_t>(i), model::TimeSource::producer}, static_cast<int64_t>(i));
    return out;
  }
  Status append(size_t count, Durability durability = Durability::synced) {
    return outbox_->append(Stream::normal, batch(count), durability, ++token_, platform::now());
  }
  /// Turns the loop until `done` holds; an event stops each wait.
  void run_until(const std::function<bool()>& done) {
    while (!done()) loop_.run();
  }
  void append_and_wait(size_t count) {
    ASSERT_TRUE(append(count).has_value());
    run_until([&] { return appended_.size() == token_; });
  }

  void on_appended(Outbox::Token token, Status status) override {
    appended_.push_back(token);
    if (!status) errors_.push_back(status.error());
    loop_.stop();
  }
  void on_fetched(Stream, Seq, std::vector<model::StoredBlock> blocks, std::vector<model::Gap> gaps, Seq covered_to) override {
    fetched_blocks_ += blocks.size();
    fetched_gaps_ += gaps.size();
    covered_to_ = covered_to;
    ++fetches_;
    loop_.stop();
  }
  void on_answer(Outbox::Token, Result<model::QueryAnswer> answer) override {
    ++answers_;
    if (answer) rows_ = answer->series.empty() ? 0 : answer->series[0].points.size();
    else errors_.push_back(answer.error());
    loop_.stop();
  }
  void on_committed(Stream, Seq next) override {
    committed_ = next;
    loop_.stop();
  }
  void on_rebased(Stream, Status status) override {
    rebased_ = status.has_value();
    loop_.stop();
  }

  void on_noted(Outbox::Token token, Status status) override {
    noted_.push_back(token);
    if (!status) errors_.push_back(status.error());
    loop_.stop();
  }
  void on_note(Outbox::Token, Result<std::string> text) override {
    note_ = text ? *text : error_name(text.error().code);
    ++notes_read_;
    loop_.stop();
  }

  test::TempDir directory_;
  NoLog log_;
  StoreOptions options_;
  uv::Loop loop_;
  std::unique_ptr<Outbox> outbox_;
  model::SeriesId series_ = 0;
  Outbox::Token token_ = 0;
  std::vector<Outbox::Token> appended_;
  std::vector<Error> errors_;
  size_t fetched_blocks_ = 0;
  size_t fetched_gaps_ = 0;
  size_t fetches_ = 0;
  size_t answers_ = 0;
  size_t rows_ = 0;
  Seq covered_to_ = 0;
  Seq committed_ = 0;
  bool rebased_ = false;
  std::vector<Outbox::Token> noted_;
  std::string note_;
  size_t notes_read_ = 0;
};

TEST_F(OutboxTest, batches_are_answered_in_order) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(10).has_value());
  run_until([&] { return appended_.size() == 20; });
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(appended_[i], i + 1);
  EXPECT_TRUE(errors_.empty());
  run_until([&] { return committed_ == 201; });
  EXPECT_EQ(outbox_->status().streams[1].next, 201U);
}

TEST_F(OutboxTest, the_bound_on_pending_readings_is_inclusive) {
  ASSERT_TRUE(append(limits::pending_readings / 2, Durability::synced).has_value());
  ASSERT_TRUE(append(limits::pending_readings / 2, Durability::synced).has_value());
  EXPECT_FALSE(outbox_->has_room());
  EXPECT_EQ(append(1).error().code, ErrorCode::full);
  --token_;
  run_until([&] { return appended_.size() == 2; });
  EXPECT_TRUE(outbox_->has_room());
  EXPECT_TRUE(append(1).has_value());
}

TEST_F(OutboxTest, a_batch_that_can_never_fit_is_an_error_of_its_own) {
  EXPECT_TRUE(append(limits::pending_readings).has_value());
  EXPECT_EQ(append(limits::pending_readings + 1).error().code, ErrorCode::limit);
}

TEST_F(OutboxTest, pending_readings_are_the_loss_window) {
  ASSERT_TRUE(append(10, Durability::grouped).has_value());
  EXPECT_EQ(outbox_->status().streams[1].pending_readings, 10U);
  outbox_->flush();
  run_until([&] { return appended_.size() == 1; });
  EXPECT_EQ(outbox_->status().streams[1].pending_readings, 0U);
}

TEST_F(OutboxTest, a_question_right_after_a_reading_sees_it) {
  ASSERT_TRUE(append(10, Durability::grouped).has_value());
  outbox_->ask({}, 1);
  run_until([&] { return answers_ == 1; });
  EXPECT_EQ(rows_, 10U);
}

TEST_F(OutboxTest, questions_are_bounded) {
  for (size_t i = 0; i < limits::outbox_queries * 4; ++i) outbox_->ask({}, i);
  run_until([&] { return answers_ == limits::outbox_queries * 4; });
  for (const Error& error : errors_) EXPECT_EQ(error.code, ErrorCode::busy);
}

TEST_F(OutboxTest, fetch_says_how_far_it_covers) {
  append_and_wait(100);
  outbox_->fetch(Stream::normal, 1, 1'000'000);
  run_until([&] { return fetches_ == 1; });
  EXPECT_EQ(covered_to_, 100U);
  outbox_->fetch(Stream::normal, 101, 1'000'000);
  run_until([&] { return fetches_ == 2; });
  EXPECT_EQ(covered_to_, 100U);
}

TEST_F(OutboxTest, gaps_runs_and_settings_are_answered_from_memory) {
  append_and_wait(10);
  outbox_->set_aside(Stream::normal, {1, 10});
  outbox_->set_setting("a", "b");
  outbox_->fetch(Stream::normal, 1, 1'000'000);
  run_until([&] { return fetches_ == 1; });
  EXPECT_EQ(fetched_gaps_, 1U);
  EXPECT_EQ(outbox_->gaps(Stream::normal, 1).size(), 1U);
  EXPECT_EQ(outbox_->runs().size(), 1U);
  EXPECT_EQ(outbox_->setting("a"), "b");
}

TEST_F(OutboxTest, rebase_moves_the_next_number) {
  append_and_wait(10);
  outbox_->rebase(Stream::normal, 5, 50);
  run_until([&] { return rebased_; });
  EXPECT_EQ(outbox_->status().streams[1].next, 56U);
  EXPECT_EQ(outbox_->status().incarnation, 1U);
}

TEST_F(OutboxTest, close_commits_what_is_pending_and_then_is_silent) {
  ASSERT_TRUE(append(10, Durability::grouped).has_value());
  outbox_->close();
  loop_.run_once();
  EXPECT_TRUE(appended_.empty());
  EXPECT_EQ(append(1).error().code, ErrorCode::closed);
  outbox_.reset();
  open();
  EXPECT_EQ(outbox_->status().streams[1].held_readings, 10U);
}

TEST_F(OutboxTest, an_anchor_is_in_force_at_once) {
  model::Anchor better = outbox_->status().anchor;
  better.utc_ns += 9;
  outbox_->set_anchor(better);
  EXPECT_EQ(outbox_->status().anchor, better);
  append_and_wait(1);
  EXPECT_EQ(outbox_->status().anchor, better);
}

TEST_F(OutboxTest, a_note_is_read_back_as_it_was_put_before) {
  ASSERT_TRUE(outbox_->put_note("call/7", "one", 1));
  ASSERT_TRUE(outbox_->put_note("call/7", "two", 2));
  outbox_->get_note("call/7", 3);
  run_until([&] { return notes_read_ == 1; });
  EXPECT_EQ(noted_, (std::vector<Outbox::Token>{1, 2}));
  EXPECT_EQ(note_, "two");
  outbox_->get_note("call/8", 4);
  run_until([&] { return notes_read_ == 2; });
  EXPECT_EQ(note_, "not found");
}

TEST_F(OutboxTest, keys_of_notes_are_known_after_a_restart) {
  for (const char* key : {"call/2", "child/a", "call/1", "calls"}) ASSERT_TRUE(outbox_->put_note(key, "x", 1));
  ASSERT_TRUE(outbox_->put_note("call/2", "", 1));
  run_until([&] { return noted_.size() == 5; });
  EXPECT_EQ(outbox_->note_keys("call/"), (std::vector<std::string>{"call/1"}));
  outbox_.reset();
  open();
  EXPECT_EQ(outbox_->note_keys(""), (std::vector<std::string>{"call/1", "calls", "child/a"}));
}

TEST_F(OutboxTest, the_bounds_of_notes_are_inclusive) {
  EXPECT_EQ(outbox_->put_note("", "x", 1).error().code, ErrorCode::invalid);
  EXPECT_EQ(outbox_->put_note(std::string(limits::note_key_bytes + 1, 'k'), "x", 1).error().code, ErrorCode::invalid);
  EXPECT_EQ(outbox_->put_note("k", std::string(limits::note_bytes + 1, 'x'), 1).error().code, ErrorCode::limit);
  EXPECT_TRUE(outbox_->put_note(std::string(limits::note_key_bytes, 'k'), std::string(limits::note_bytes, 'x'), 1));
  size_t taken = 1;
  while (outbox_->put_note("k", std::string(limits::note_bytes, 'x'), 1)) ++taken;
  EXPECT_EQ(taken, limits::note_puts_bytes / limits::note_bytes - 1);  // the keys count too
  run_until([&] { return noted_.size() == taken; });
  EXPECT_TRUE(outbox_->put_note("k", "x", 1));
  EXPECT_TRUE(errors_.empty());
}

TEST_F(OutboxTest, reads_of_notes_beyond_the_bound_are_answered_all_the_same) {
  ASSERT_TRUE(outbox_->put_note("k", "x", 1));
  for (size_t i = 0; i < limits::note_reads; ++i) outbox_->get_note("k", i);
  outbox_->get_note("k", 99);
  run_until([&] { return notes_read_ == limits::note_reads + 1; });
  EXPECT_EQ(note_, "busy");
  outbox_->get_note("k", 100);
  run_until([&] { return notes_read_ == limits::note_reads + 2; });
  EXPECT_EQ(note_, "x");
}

}  // namespace
}  // namespace tideline::agent
