#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "agent/inputs/ingest_session.hpp"
#include "unit/agent/inputs/sink_fixture.hpp"

namespace tideline::agent {
namespace {

class IngestSessionTest : public ::testing::Test, protected IngestSession::Owner {
 protected:
  size_t feed(std::string_view text) { return session.feed(as_bytes(text), UtcNanos{1}); }
  void request_sync(IngestSession&, IngestSession::SyncId id) override { asked.push_back(id); }
  void send_reply(IngestSession&, std::string line) override { replies.push_back(std::move(line)); }

  KeepingSink sink;
  SeriesRules rules;
  IngestSession session{rules, sink, *this};
  std::deque<IngestSession::SyncId> asked;
  Lines replies;
};

TEST_F(IngestSessionTest, good_lines_around_a_wrong_one_are_kept) {
  feed("a v=1\nbroken\n\n# comment\r\n  b v=2  \r\n");
  EXPECT_EQ(sink.lines(), (Lines{"a=1@agent", "b=2@agent"}));
  EXPECT_EQ(session.totals().accepted, 2u);
  EXPECT_EQ(session.totals().rejected, 1u);
  EXPECT_EQ(session.totals().errors.at(0).line, 2u);
  EXPECT_TRUE(replies.empty());
}

TEST_F(IngestSessionTest, a_sync_is_answered_once_what_it_covers_is_durable) {
  feed("a v=1,w=2\nbad\n#sync\nc v=1\n");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(replies.empty());
  session.on_durable(asked[0], {});
  EXPECT_EQ(replies, (Lines{"{\"accepted\":1,\"rejected\":1,\"readings\":2,\"errors\":[{\"line\":2,\"reason\":\"line has no field\"}]}\n"}));
  feed("#sync\n");
  session.on_durable(asked[1], Error{ErrorCode::full, 0, "store"});
  EXPECT_EQ(replies[1], "{\"accepted\":1,\"rejected\":0,\"readings\":1,\"errors\":[],\"error\":\"no space: store\"}\n");
}

TEST_F(IngestSessionTest, replies_keep_the_order_of_the_questions) {
  feed("#sync\na v=1\n#sync\n");
  session.on_durable(asked[1], {});
  EXPECT_TRUE(replies.empty());
  session.on_durable(asked[0], {});
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_TRUE(replies[0].starts_with("{\"accepted\":0,"));
  EXPECT_TRUE(replies[1].starts_with("{\"accepted\":1,"));
}

TEST_F(IngestSessionTest, too_many_open_syncs_stop_the_producer) {
  std::string text;
  for (size_t i = 0; i <= limits::ingest_syncs; ++i) text += "#sync\n";
  const size_t used = feed(text);
  EXPECT_EQ(used, limits::ingest_syncs * 6);
  EXPECT_EQ(feed(std::string_view(text).substr(used)), 0u);
  session.on_durable(asked[0], {});
  EXPECT_EQ(feed(std::string_view(text).substr(used)), 6u);
}

TEST_F(IngestSessionTest, a_full_sink_stops_the_producer_without_losing_a_line) {
  sink.room = 2;
  const std::string_view text = "a v=1\nb v=2\nc v=3\nd v=4\n";
  size_t used = feed(text);
  EXPECT_EQ(used, 12u);
  EXPECT_FALSE(session.finish(UtcNanos{1}));
  sink.room = 4;
  used += feed(text.substr(used));
  EXPECT_EQ(used, text.size());
  EXPECT_EQ(sink.lines(), (Lines{"a=1@agent", "b=2@agent", "c=3@agent", "d=4@agent"}));
}

TEST_F(IngestSessionTest, only_the_first_errors_are_told) {
  for (size_t i = 0; i < limits::ingest_errors_reported + 3; ++i) feed("wrong\n");
  EXPECT_EQ(session.totals().errors.size(), limits::ingest_errors_reported);
  EXPECT_EQ(session.totals().rejected, limits::ingest_errors_reported + 3);
}

TEST_F(IngestSessionTest, a_line_beyond_the_bound_is_skipped_whole) {
  feed(std::string(limits::ingest_line_bytes - 5, 'n') + " v=1\n");  // one byte within, too long a name
  EXPECT_STREQ(session.totals().errors.at(0).reason, "series name is longer than 128 bytes");
  for (int i = 0; i < 40; ++i) feed(std::string(limits::ingest_line_bytes / 8, 'x'));
  feed(" v=1\na v=1\n");
  EXPECT_STREQ(session.totals().errors.at(1).reason, "line is longer than 65536 bytes");
  EXPECT_EQ(session.totals().errors.at(1).line, 2u);
  EXPECT_EQ(sink.lines(), (Lines{"a=1@agent"}));
}

TEST_F(IngestSessionTest, the_last_line_may_lack_its_end) {
  feed("a v=1\nb v=2");
  EXPECT_EQ(sink.size(), 1u);
  EXPECT_TRUE(session.finish(UtcNanos{1}));
  EXPECT_TRUE(session.finish(UtcNanos{1}));
  EXPECT_EQ(sink.size(), 2u);
}

TEST_F(IngestSessionTest, cuts_between_reads_change_nothing) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += i % 7 == 0 ? "broken line\r\n" : "t,n=" + std::to_string(i % 13) + " v=" + std::to_string(i) + " " + std::to_string(i) + "\n";
  feed(text);
  const Lines whole = sink.lines();
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    sink.clear();
    IngestSession cut(rules, sink, *this);
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min<size_t>(1 + random() % 40, text.size() - at);
      ASSERT_EQ(cut.feed(as_bytes(std::string_view(text).substr(at, size)), UtcNanos{1}), size);
      at += size;
    }
    EXPECT_EQ(sink.lines(), whole);
    EXPECT_EQ(cut.totals().rejected, 29u);
  }
}

TEST(LineSplitter, the_longest_line_is_given_and_one_more_byte_is_not) {
  for (const size_t extra : {size_t{0}, size_t{1}}) {
    for (const size_t cut : {size_t{0}, size_t{1000}}) {
      LineSplitter splitter;
      const std::string text = std::string(limits::ingest_line_bytes + extra, 'x') + "\n";
      LineSplitter::Line line;
      Bytes first = as_bytes(text).first(cut);
      EXPECT_FALSE(splitter.next(first, line));
      Bytes rest = as_bytes(text).subspan(cut);
      ASSERT_TRUE(splitter.next(rest, line));
      EXPECT_EQ(line.is_too_long, extra == 1);
      EXPECT_EQ(line.text.size(), extra == 1 ? 0 : limits::ingest_line_bytes);
      EXPECT_FALSE(splitter.finish(line));
    }
  }
}

TEST(LineSplitter, an_endless_line_is_not_kept) {
  LineSplitter splitter;
  LineSplitter::Line line;
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 10; ++i) {
    Bytes bytes = as_bytes(piece);
    EXPECT_FALSE(splitter.next(bytes, line));
    EXPECT_LE(splitter.kept_bytes(), limits::ingest_line_bytes);
  }
  ASSERT_TRUE(splitter.finish(line));
  EXPECT_TRUE(line.is_too_long);
}

}  // namespace
}  // namespace tideline::agent
