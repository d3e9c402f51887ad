#include "agent/findings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tideline::test {
namespace {

using agent::Config;
using agent::Finding;
using agent::Health;
using agent::StatusReport;

StatusReport healthy() {
  StatusReport report;
  report.now = {1'800'000'000'000'000'000};
  report.mono_now = Instant{} + hours(1);
  report.store.disk_free_bytes = uint64_t{1} << 40;
  report.store.anchor.quality = model::TimeQuality::synced;
  report.hub = "hub:7443";
  report.link.state = agent::UplinkState::online;
  report.certificate_ends = report.now + hours(24 * 60);
  return report;
}

Health health_of(const StatusReport& report, const std::string& check, const Config& config = {}) {
  const std::vector<Finding> all = agent::findings_of(report, config);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Finding& one) { return one.check == check; });
  EXPECT_NE(found, all.end()) << check;
  if (found != all.end() && found->health != Health::good) {
    EXPECT_FALSE(found->advice.empty()) << check << " says what to do";
  }
  return found != all.end() ? found->health : Health::good;
}

TEST(Findings, AHealthyDeviceHasNothingToAdvise) {
  for (const Finding& one : agent::findings_of(healthy(), {})) EXPECT_EQ(one.health, Health::good) << one.check << ": " << one.what;
}

TEST(Findings, AStoreThatFailsOrIsFullIsBad) {
  StatusReport failed = healthy();
  failed.store.failed = true;
  EXPECT_EQ(health_of(failed, "store"), Health::bad);
  StatusReport full = healthy();
  full.store.disk_free_bytes = 0;
  EXPECT_EQ(health_of(full, "store"), Health::bad);
  StatusReport damaged = healthy();
  damaged.store.bad_segments = 1;
  EXPECT_EQ(health_of(damaged, "store"), Health::warning);
}

TEST(Findings, SlowOrRefusedCommitsAreSaid) {
  StatusReport slow = healthy();
  slow.store.slowest_commit = limits::slow_commit;
  EXPECT_EQ(health_of(slow, "commits"), Health::warning);
  StatusReport dropped = healthy();
  dropped.store.dropped = 1;
  EXPECT_EQ(health_of(dropped, "commits"), Health::warning);
}

TEST(Findings, AnUnknownTimeIsBadAnUndisciplinedOneAWarning) {
  StatusReport report = healthy();
  report.store.anchor.quality = model::TimeQuality::floor;
  EXPECT_EQ(health_of(report, "clock"), Health::bad);
  report.store.anchor.quality = model::TimeQuality::rtc;
  EXPECT_EQ(health_of(report, "clock"), Health::warning);
}

TEST(Findings, NoHubIsAWarningNoEnrolmentIsBad) {
  StatusReport report = healthy();
  report.hub.clear();
  EXPECT_EQ(health_of(report, "hub"), Health::warning);
  report = healthy();
  report.idle_reason = "not enrolled";
  EXPECT_EQ(health_of(report, "hub"), Health::bad);
}

TEST(Findings, CertificatesAreWatchedBeforeTheyEnd) {
  StatusReport report = healthy();
  report.certificate_ends = report.now + hours(24);
  EXPECT_EQ(health_of(report, "identity"), Health::warning);
  report.certificate_ends = report.now - seconds(1);
  EXPECT_EQ(health_of(report, "identity"), Health::bad);
}

TEST(Findings, ASensorThatIsOptionalMayBeMissing) {
  StatusReport report = healthy();
  agent::InputStatus input;
  input.name = "boiler";
  input.last_error = "not found";
  report.inputs = {input};
  EXPECT_EQ(health_of(report, "input boiler"), Health::warning);
  Config config;
  config.inputs.clear();
  config.inputs.emplace_back();
  config.inputs.back().name = "boiler";
  config.inputs.back().optional = true;
  EXPECT_EQ(health_of(report, "input boiler", config), Health::good);
  report.inputs[0].last_success = Instant{} + seconds(1);
  EXPECT_EQ(health_of(report, "input boiler", config), Health::warning) << "it was there and is gone";
}

}  // namespace
}  // namespace tideline::test
