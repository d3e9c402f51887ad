// A store in a directory of its own, with verbs for what tests do to it. Time moves only when a test says so.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "agent/store/store.hpp"
#include "agent/store/store_query.hpp"
#include "base/random.hpp"
#include "support/temp_dir.hpp"

namespace tideline::agent {

using model::Gap;
using model::GapReason;
using model::Seq;
using model::SeqRange;
using model::Stream;

class SilentLog : public Log {
 public:
  void write(LogLevel level, std::string_view, std::string_view text) override {
    lines.push_back(std::string(text));
    if (std::getenv("TIDELINE_TEST_LOG") != nullptr) std::fprintf(stderr, "[%d] %s\n", static_cast<int>(level), lines.back().c_str());
  }
  std::vector<std::string> lines;
};

class StoreTest : public testing::Test {
 protected:
  static constexpr int64_t base_utc = 1'700'000'000'000'000'000;

  StoreTest() {
    options_.directory = directory_.path();
    options_.segment_bytes = 64 * 1024;
    options_.free_bytes_least = 0;
    options_.free_inodes_least = 0;
    anchor_ = {.boot_id = 7, .mono_ns = 0, .utc_ns = base_utc, .error_ns = 0, .quality = model::TimeQuality::rtc};
    open();
  }

  // ---- Life
  void open() {
    auto opened = Store::open(options_, anchor_, now_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().context;
    store_ = std::move(*opened);
    for (const Stream stream : model::streams) {
      ids_[model::index_of(stream)] = *store_->series_id({.name = "s", .labels = {}, .unit = "", .kind = model::Kind::gauge, .stream = stream});
    }
  }
  void close() {
    store_->close(now_);
    take_results();
    store_.reset();
  }
  void reopen() {
    close();
    open();
  }
  /// The files as kill -9 leaves them.
  void crash() {
    const std::string copy = directory_.path() + ".crashed";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory_.path(), copy);
    store_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) std::filesystem::remove(entry.path());
    for (const auto& entry : std::filesystem::directory_iterator(copy)) {
      std::filesystem::copy(entry.path(), std::filesystem::path(directory_.path()) / entry.path().filename());
    }
    std::filesystem::remove_all(copy);
  }
  void pass(Duration time) {
    now_ = now_ + time;
    store_->commit_due(now_);
    take_results();
    store_->tick(now_);
  }

  // ---- Readings
  /// `count` readings whose values go on from the last ones, one second apart.
  model::ReadingBatch make(Stream stream, size_t count) {
    model::ReadingBatch batch;
    int64_t& value = made_[model::index_of(stream)];
    for (size_t i = 0; i < count; ++i, ++value) {
      batch.add_i64(ids_[model::index_of(stream)], {time_of(value), model::TimeSource::agent}, scatter(value));
    }
    return batch;
  }
  static int64_t time_of(int64_t value) { return base_utc + value * 1'000'000'000; }
  /// Takes readings in; `token` says which.
  uint64_t append(Stream stream, size_t count, Durability durability = Durability::synced) {
    store_->append(stream, make(stream, count), durability, ++token_, now_);
    return token_;
  }
  /// Appends and commits; true when durable.
  bool record(Stream stream, size_t count, Durability durability = Durability::synced) {
    const uint64_t token = append(stream, count, durability);
    store_->commit_due(now_);
    take_results();
    return results_.contains(token) && results_.at(token).has_value();
  }
  /// Records until `segments` are sealed and one more is active.
  void fill(Stream stream, size_t segments) {
    while (store_->status().streams[model::index_of(stream)].held_bytes < segments * (options_.segment_bytes + 9000)) {
      ASSERT_TRUE(record(stream, 1000));
    }
  }
  void take_results() {
    for (Completion& completion : store_->take_completions()) results_.insert_or_assign(completion.token, completion.status);
  }
  bool is_answered(uint64_t token) {
    take_results();
    return results_.contains(token);
  }

  // ---- Reading back
  /// Everything that fetch() hands out from the first number on: values in order, numbers checked.
  struct Held {
    std::vector<int64_t> values;
    std::vector<SeqRange> blocks;
    std::vector<Gap> gaps;
    uint64_t readings = 0;
    uint64_t lost = 0;
    Seq covered_to = 0;
  };
  Held fetch_all(Stream stream) {
    Held held;
    for (Seq from = 1; from < store_->next(stream);) {
      Fetched part = store_->fetch(stream, from, 100'000, now_);
      if (part.covered_to < from) break;
      for (const model::StoredBlock& block : part.blocks) {
        held.blocks.push_back(block.range);
        held.readings += block.range.count();
        decode(block, held.values);
      }
      for (const Gap& gap : part.gaps) {
        held.gaps.push_back(gap);
        held.lost += gap.count;
      }
      from = part.covered_to + 1;
      held.covered_to = part.covered_to;
    }
    return held;
  }
  static void decode(const model::StoredBlock& block, std::vector<int64_t>& values) {
    const auto view = block::BlockView::open(block.bytes);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->range(), block.range);
    for (const block::Column& column : view->columns()) {
      std::vector<uint64_t> bits(column.count);
      ASSERT_TRUE(block::BlockView::read_values(column, bits).has_value());
      for (const uint64_t value : bits) values.push_back(static_cast<int64_t>(value & 0xffffff));
    }
  }
  std::vector<int64_t> query(const model::Query& question) {
    StoreQuery running(*store_, question);
    while (!running.step(4, now_)) {
    }
    answer_ = running.take();
    std::vector<int64_t> values;
    for (const model::SeriesAnswer& series : answer_.series) {
      for (const model::Point& point : series.points) values.push_back(static_cast<int64_t>(point.bits & 0xffffff));
    }
    return values;
  }
  const StreamStatus& status(Stream stream) const { return store_->status().streams[model::index_of(stream)]; }
  const std::vector<Gap>& gaps(Stream stream) const { return std::as_const(*store_).state().of(stream).gaps.all(); }
  /// The law of the store: every number is held, lost or given up, once.
  void expect_accounted(Stream stream) {
    const Held held = fetch_all(stream);
    uint64_t given_up = 0;
    for (const Gap& gap : held.gaps) given_up += gap.reason == GapReason::rollback ? gap.range.count() : 0;
    EXPECT_EQ(held.readings + held.lost + given_up, store_->next(stream) - 1);
    EXPECT_EQ(held.readings, status(stream).held_readings);
    EXPECT_EQ(held.lost, status(stream).lost_readings);
  }

  // ---- Files
  std::vector<std::string> files(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      const std::string name = entry.path().filename();
      if (name.starts_with(prefix) && !name.ends_with("-wal")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  /// Replaces every byte, keeps the size.
  void scramble(const std::string& name, size_t from = 0) const {
    const std::string path = directory_.file(name);
    const auto size = std::filesystem::file_size(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(from));
    std::mt19937 random(1);
    for (size_t i = from; i < size; ++i) file.put(static_cast<char>(random()));
  }
  void truncate(const std::string& name, size_t size) const { std::filesystem::resize_file(directory_.file(name), size); }
  void remove(const std::string& name) const { std::filesystem::remove(directory_.file(name)); }

  /// Makes values hard to compress, so that small tests fill segments; the low 24 bits stay.
  static int64_t scatter(int64_t value) {
    return static_cast<int64_t>(Random(static_cast<uint64_t>(value)).next() << 24 | static_cast<uint64_t>(value & 0xffffff));
  }

  test::TempDir directory_;
  StoreOptions options_;
  model::Anchor anchor_;
  SilentLog log_;
  Instant now_{1'000'000'000};
  std::unique_ptr<Store> store_;
  std::array<model::SeriesId, model::stream_count> ids_{};
  std::array<int64_t, model::stream_count> made_{};
  std::map<uint64_t, Status> results_;
  uint64_t token_ = 0;
  model::QueryAnswer answer_;
};

}  // namespace tideline::agent
