// The suite of the archive runs against each implementation: ArchiveKind says how one is made, opened again and damaged.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hub/store/archive.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {

struct ArchiveKind {
  const char* name;
  Result<std::unique_ptr<Archive>> (*open)(const std::string& path, Log& log);
};

inline const ArchiveKind sqlite_archive = {"sqlite", [](const std::string& path, Log& log) { return open_sqlite_archive(path, ArchiveMode::write, log); }};

inline std::string kind_of(const ::testing::TestParamInfo<ArchiveKind>& test) { return test.param.name; }

class ArchiveTest : public ::testing::TestWithParam<ArchiveKind> {
 protected:
  static constexpr int64_t second = 1'000'000'000;

  void SetUp() override { reopen(); }
  void reopen() {
    archive_.reset();
    auto opened = GetParam().open(path(), log_);
    ASSERT_TRUE(opened) << opened.error().context;
    archive_ = std::move(*opened);
  }
  std::string path() const { return directory_.file("hub.db"); }

  DeviceKey device(const std::string& id = "edge-1", std::vector<std::pair<std::string, std::string>> labels = {}) {
    DeviceRecord record;
    record.id = id;
    record.labels = std::move(labels);
    auto put = archive_->put_device(record);
    EXPECT_TRUE(put);
    return put ? put->key : 0;
  }
  /// Defines series "s0" to "s<count - 1>".
  void define(DeviceKey key, uint32_t count = 1, model::Stream stream = model::Stream::normal) {
    IntakeBatch batch = source_.batch(key);
    for (uint32_t i = 0; i < count; ++i) batch.series.push_back(test::BlockSource::series("s" + std::to_string(i), stream));
    apply(std::move(batch));
  }
  std::vector<BlockVerdict> apply(IntakeBatch batch) {
    std::vector<IntakeBatch> batches;
    batches.push_back(std::move(batch));
    auto applied = archive_->apply(batches);
    EXPECT_TRUE(applied) << (applied ? "" : applied.error().context);
    return applied ? applied->at(0) : std::vector<BlockVerdict>{};
  }
  BlockVerdict apply(DeviceKey key, model::StoredBlock block) {
    const auto verdicts = apply(source_.batch(key, {std::move(block)}));
    EXPECT_EQ(verdicts.size(), 1u);
    return verdicts.empty() ? BlockVerdict{} : verdicts[0];
  }
  model::QueryAnswer ask(model::Query query = {}) {
    auto answer = archive_->query(query);
    EXPECT_TRUE(answer);
    return answer ? std::move(*answer) : model::QueryAnswer{};
  }
  size_t count_points(const model::QueryAnswer& answer) {
    size_t points = 0;
    for (const auto& series : answer.series) points += series.points.size();
    return points;
  }
  DeviceState state(DeviceKey key) {
    auto loaded = archive_->load_state(key, source_.epoch());
    EXPECT_TRUE(loaded);
    return loaded ? std::move(*loaded) : DeviceState{};
  }
  VerifyReport verify() {
    auto report = archive_->verify({});
    EXPECT_TRUE(report);
    return report ? std::move(*report) : VerifyReport{};
  }
  /// Nothing is wrong with what is stored.
  void expect_sound() {
    const VerifyReport report = verify();
    EXPECT_EQ(report.duplicates, 0u);
    EXPECT_EQ(report.unreadable_blocks, 0u);
    EXPECT_TRUE(report.problems.empty()) << report.problems[0];
  }

  test::NullLog log_;
  test::TempDir directory_;
  test::BlockSource source_;
  std::unique_ptr<Archive> archive_;
};

}  // namespace tideline::hub
