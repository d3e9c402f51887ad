#include "agent/remote_config.hpp"

#include <gtest/gtest.h>

namespace tideline::agent {
namespace {

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// A device: what is in force, what was saved, what was told.
class Device final : public RemoteConfig::Host {
 public:
  std::vector<std::string> check(const std::string& overlay) override {
    return overlay == "bad" ? std::vector<std::string>{"[hub] keepalive: at least 5s"} : std::vector<std::string>{};
  }
  bool apply(const std::string& overlay) override {
    if (overlay.starts_with("restart")) return false;
    in_force = overlay;
    return true;
  }
  void restart() override { ++restarts; }
  Status save(const RemoteConfigState& state) override {
    if (is_disk_full) return Error{ErrorCode::full, 0, "no space"};
    saved = state;
    return {};
  }
  void report(const std::string& overlay, std::string_view state, const std::string& version, const std::string& error) override {
    told_overlay = overlay;
    told = std::string(state) + " " + version;
    told_error = error;
  }

  std::string in_force, told_overlay, told, told_error;
  RemoteConfigState saved;
  int restarts = 0;
  bool is_disk_full = false;
};

class RemoteConfigTest : public testing::Test {
 protected:
  /// A process that begins with what the last one saved.
  void begin() {
    device_.saved = RemoteConfig::begin(device_.saved);
    device_.in_force = RemoteConfig::overlay_of(device_.saved);
    config_ = std::make_unique<RemoteConfig>(device_.saved, minutes(5), device_, log_);
    config_->start(version_, desired_, now_);
  }
  void want(std::string version, std::optional<std::string> overlay) {
    version_ = std::move(version);
    desired_ = std::move(overlay);
    config_->on_desired(version_, desired_, now_);
  }
  void wait(Duration time) {
    now_ = now_ + time;
    if (config_->next_wake() <= now_) config_->on_tick(now_);
  }

  QuietLog log_;
  Device device_;
  std::unique_ptr<RemoteConfig> config_;
  std::string version_;
  std::optional<std::string> desired_;
  Instant now_{1};
};

TEST_F(RemoteConfigTest, a_change_is_tried_at_once_and_kept_when_the_hub_heard_of_it) {
  begin();
  want("v1", "one");
  EXPECT_EQ(device_.in_force, "one");
  EXPECT_EQ(device_.told, "trying v1");
  EXPECT_TRUE(device_.saved.is_trying) << "a crash now must not lose that it is only tried";
  config_->on_heard(now_);
  EXPECT_EQ(device_.told, "applied v1");
  EXPECT_EQ(device_.saved.confirmed, "one");
  wait(hours(1));
  EXPECT_EQ(device_.in_force, "one");
}

TEST_F(RemoteConfigTest, a_wrong_change_leaves_the_device_as_it_is_and_says_why) {
  begin();
  want("v1", "one");
  config_->on_heard(now_);
  want("v2", "bad");
  EXPECT_EQ(device_.in_force, "one");
  EXPECT_EQ(device_.told, "refused v2");
  EXPECT_EQ(device_.told_overlay, "one");
  EXPECT_NE(device_.told_error.find("[hub] keepalive"), std::string::npos);
}

TEST_F(RemoteConfigTest, a_change_that_cuts_the_device_off_is_taken_back_and_not_tried_again) {
  begin();
  want("v1", "one");
  config_->on_heard(now_);
  want("v2", "two");
  EXPECT_EQ(device_.in_force, "two");
  wait(minutes(4));
  EXPECT_EQ(device_.in_force, "two");
  wait(minutes(1));
  EXPECT_EQ(device_.in_force, "one");
  EXPECT_EQ(device_.told, "refused v2");
  EXPECT_NE(device_.told_error.find("not reached"), std::string::npos);
  want("v2", "two");
  begin();
  EXPECT_EQ(device_.in_force, "one");
  want("v3", "three");
  EXPECT_EQ(device_.in_force, "three");
}

TEST_F(RemoteConfigTest, a_change_that_needs_a_restart_is_tried_by_the_next_process) {
  begin();
  want("v1", "restart one");
  EXPECT_EQ(device_.restarts, 1);
  begin();
  EXPECT_EQ(device_.in_force, "restart one");
  EXPECT_EQ(device_.told, "trying v1");
  wait(minutes(5));
  EXPECT_EQ(device_.in_force, "") << "the file alone, as before";
  EXPECT_EQ(device_.told, "refused v1");
}

TEST_F(RemoteConfigTest, a_change_that_the_process_does_not_survive_is_taken_back) {
  begin();
  want("v1", "one");
  for (unsigned start = 1; start < trial_starts_most; ++start) {
    begin();
    EXPECT_EQ(device_.in_force, "one");
  }
  begin();
  EXPECT_EQ(device_.in_force, "");
  EXPECT_EQ(device_.told, "refused v1");
  EXPECT_NE(device_.told_error.find("ended 3 times"), std::string::npos);
}

TEST_F(RemoteConfigTest, taking_the_change_away_is_a_change_too) {
  begin();
  want("v1", "one");
  config_->on_heard(now_);
  want("v2", std::nullopt);
  EXPECT_EQ(device_.in_force, "");
  EXPECT_EQ(device_.told, "trying v2");
  wait(minutes(5));
  EXPECT_EQ(device_.in_force, "one");
}

TEST_F(RemoteConfigTest, a_newer_change_replaces_one_that_is_tried_and_both_are_taken_back_together) {
  begin();
  want("v1", "one");
  want("v2", "two");
  EXPECT_EQ(device_.in_force, "two");
  wait(minutes(5));
  EXPECT_EQ(device_.in_force, "");
}

TEST_F(RemoteConfigTest, what_cannot_be_saved_is_not_tried) {
  begin();
  device_.is_disk_full = true;
  want("v1", "one");
  EXPECT_EQ(device_.in_force, "");
  EXPECT_EQ(device_.told, "refused v1");
}

TEST(RemoteConfigState, is_read_as_it_was_written_and_damage_is_seen) {
  const RemoteConfigState state{"{\"a\":1}", "v1", true, "{}", "v2", "v0", "why \"so\"", 2};
  const auto read = parse_remote_config_state(write_remote_config_state(state));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, state);
  EXPECT_FALSE(parse_remote_config_state("{\"confirmed\":").has_value());
  EXPECT_FALSE(parse_remote_config_state("").has_value());
}

}  // namespace
}  // namespace tideline::agent
