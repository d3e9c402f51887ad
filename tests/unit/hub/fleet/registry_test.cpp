#include "hub/fleet/registry.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

DeviceRecord record(DeviceKey key, std::string id, std::string site = "berlin") {
  DeviceRecord made;
  made.key = key;
  made.id = std::move(id);
  made.labels = {{"site", std::move(site)}};
  return made;
}

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() { registry_.load({record(1, "edge-1"), record(2, "edge-2", "bern")}); }
  Registry registry_;
};

TEST_F(RegistryTest, FindsByIdAndKeyAndSelector) {
  EXPECT_EQ(registry_.find("edge-2")->record.key, 2);
  EXPECT_EQ(registry_.find(DeviceKey{1})->record.id, "edge-1");
  EXPECT_EQ(registry_.find("edge-3"), nullptr);
  const auto chosen = registry_.select(*model::parse_device_selector("{site=bern}"));
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0]->record.id, "edge-2");
}

TEST_F(RegistryTest, PresenceFollowsTheSession) {
  registry_.go_online(1, 10, "1.0", UtcNanos{100});
  EXPECT_EQ(registry_.online(), 1u);
  EXPECT_EQ(registry_.find("edge-1")->record.agent_version, "1.0");
  EXPECT_TRUE(registry_.go_offline(1, 10, UtcNanos{200}));
  EXPECT_EQ(registry_.online(), 0u);
  EXPECT_EQ(registry_.find("edge-1")->record.last_seen_ns, 200);
  EXPECT_FALSE(registry_.go_offline(1, 10, UtcNanos{300}));
}

TEST_F(RegistryTest, TheEndOfAReplacedSessionDoesNotTakeTheDeviceOffline) {
  registry_.go_online(1, 10, "1.0", UtcNanos{100});
  registry_.go_online(1, 11, "1.0", UtcNanos{110});
  EXPECT_FALSE(registry_.go_offline(1, 10, UtcNanos{120}));
  EXPECT_EQ(registry_.online(), 1u);
  EXPECT_TRUE(registry_.find("edge-1")->presence.is_online);
}

TEST_F(RegistryTest, ReloadKeepsPresenceOfThoseThatStay) {
  registry_.go_online(1, 10, "1.0", UtcNanos{100});
  registry_.go_online(2, 11, "1.0", UtcNanos{100});
  registry_.load({record(1, "edge-1"), record(3, "edge-3")});
  EXPECT_EQ(registry_.online(), 1u);
  EXPECT_EQ(registry_.find("edge-1")->presence.session, 10u);
  EXPECT_EQ(registry_.find(DeviceKey{2}), nullptr);
}

TEST_F(RegistryTest, BacklogCountsOnlineDevicesAndNeverWraps) {
  registry_.go_online(1, 10, "1.0", UtcNanos{100});
  registry_.set_backlog(1, {1, 20, 300});
  registry_.set_backlog(2, {5, 5, 5});
  registry_.reduce_backlog(1, model::Stream::normal, 15);
  registry_.reduce_backlog(1, model::Stream::critical, 15);
  EXPECT_EQ(registry_.backlog(), (std::array<uint64_t, model::stream_count>{0, 5, 300}));
}

TEST_F(RegistryTest, IsBounded) {
  for (size_t i = registry_.size(); i < limits::hub_devices; ++i) ASSERT_TRUE(registry_.put(record(static_cast<DeviceKey>(i + 10), "d" + std::to_string(i))));
  EXPECT_EQ(registry_.put(record(9, "one-more")).error().code, ErrorCode::limit);
  EXPECT_TRUE(registry_.put(record(1, "edge-1", "bonn")));
}

}  // namespace
}  // namespace tideline::hub
