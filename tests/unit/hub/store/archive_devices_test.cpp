#include "archive_fixture.hpp"
#include "base/limits.hpp"

namespace tideline::hub {
namespace {

using ArchiveDevicesTest = ArchiveTest;
INSTANTIATE_TEST_SUITE_P(Embedded, ArchiveDevicesTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(ArchiveDevicesTest, ADeviceReadsBackWithItsLabels) {
  DeviceRecord record;
  record.id = "edge-1";
  record.labels = {{"site", "berlin"}, {"line", "3"}};
  record.certificate_fingerprint = "ab";
  record.enrolled_ns = 5;
  const auto put = archive_->put_device(record);
  ASSERT_TRUE(put);
  record.key = put->key;
  record.revoked = true;
  record.labels = {{"site", "bern"}};
  ASSERT_TRUE(archive_->put_device(record));
  ASSERT_TRUE(archive_->touch_device(put->key, 99, "1.2"));
  reopen();
  const auto read = archive_->device("edge-1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, put->key);
  EXPECT_TRUE(read->revoked);
  EXPECT_EQ(read->labels, record.labels);
  EXPECT_EQ(read->last_seen_ns, 99);
  EXPECT_EQ(read->agent_version, "1.2");
  EXPECT_EQ(archive_->devices()->size(), 1u);
  EXPECT_EQ(archive_->device("edge-2").error().code, ErrorCode::not_found);
}

TEST_P(ArchiveDevicesTest, IdsAndLabelsAreBounded) {
  DeviceRecord record;
  for (const char* id : {"", "-a", "A", "a b", "a/b", "\xc3\xa4"}) {
    record.id = id;
    EXPECT_EQ(archive_->put_device(record).error().code, ErrorCode::invalid) << id;
  }
  record.id = std::string(limits::device_id_bytes, 'a');
  EXPECT_TRUE(archive_->put_device(record));
  record.id += 'a';
  EXPECT_FALSE(archive_->put_device(record));
  record.id = "a";
  for (size_t i = 0; i < limits::labels; ++i) record.labels.emplace_back(std::string(1, static_cast<char>('a' + i)), "v");
  EXPECT_TRUE(archive_->put_device(record));
  record.labels.emplace_back("z", "v");
  EXPECT_EQ(archive_->put_device(record).error().code, ErrorCode::limit);
  record.labels = {{"a", "1"}, {"a", "2"}};
  EXPECT_EQ(archive_->put_device(record).error().code, ErrorCode::invalid);
}

TEST_P(ArchiveDevicesTest, ATokenIsUsedOnceByItsDeviceInTime) {
  ASSERT_TRUE(archive_->put_token({"hash", "edge-1", 1000, 0}));
  EXPECT_EQ(archive_->put_token({"hash", "edge-2", 1000, 0}).error().code, ErrorCode::exists);
  EXPECT_EQ(archive_->use_token("other", "edge-1", 10).error().code, ErrorCode::denied);
  EXPECT_EQ(archive_->use_token("hash", "edge-2", 10).error().code, ErrorCode::denied);
  EXPECT_EQ(archive_->use_token("hash", "edge-1", 1000).error().code, ErrorCode::timeout);
  const auto used = archive_->use_token("hash", "edge-1", 999);
  ASSERT_TRUE(used);
  EXPECT_EQ(used->used_ns, 999);
  reopen();
  EXPECT_EQ(archive_->use_token("hash", "edge-1", 999).error().code, ErrorCode::exists);
  EXPECT_EQ(archive_->tokens()->at(0).used_ns, 999);
}

TEST_P(ArchiveDevicesTest, TouchingAnUnknownDeviceFailsAndHarmsNothing) {
  EXPECT_EQ(archive_->touch_device(5, 1, "").error().code, ErrorCode::not_found);
  EXPECT_NE(device(), 0);
}

}  // namespace
}  // namespace tideline::hub
