#include "hub/http/metrics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace tideline::hub {
namespace {

TEST(Metrics, a_histogram_counts_each_observation_in_every_bucket_above_it) {
  SecondsHistogram histogram;
  histogram.add(milliseconds(1));
  histogram.add(milliseconds(3));
  histogram.add(seconds(60));
  EXPECT_EQ(histogram.at_most(0), 1u);
  EXPECT_EQ(histogram.at_most(1), 1u);
  EXPECT_EQ(histogram.at_most(2), 2u);
  EXPECT_EQ(histogram.at_most(SecondsHistogram::bounds.size() - 1), 2u);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_DOUBLE_EQ(histogram.sum(), 60.004);
}

TEST(Metrics, the_page_shows_the_counted_values) {
  Metrics metrics;
  metrics.devices_online = 3;
  metrics.blocks_duplicate = 7;
  metrics.backlog_readings = {1, 20, 300};
  metrics.commit_seconds.add(milliseconds(2));
  const std::string page = prometheus_text(metrics);
  EXPECT_NE(page.find("\ntideline_hub_devices_online 3\n"), std::string::npos);
  EXPECT_NE(page.find("\ntideline_hub_blocks_total{result=\"duplicate\"} 7\n"), std::string::npos);
  EXPECT_NE(page.find("\ntideline_hub_backlog_readings{stream=\"bulk\"} 300\n"), std::string::npos);
  EXPECT_NE(page.find("\ntideline_hub_commit_seconds_bucket{le=\"0.001\"} 0\n"), std::string::npos);
  EXPECT_NE(page.find("\ntideline_hub_commit_seconds_bucket{le=\"+Inf\"} 1\n"), std::string::npos);
}

/// The rules of the text format 0.0.4 that scrapers insist on.
TEST(Metrics, every_sample_follows_its_own_help_and_type_and_no_name_comes_twice) {
  std::istringstream page(prometheus_text({}));
  std::set<std::string> described;
  std::string line;
  std::string current;
  std::string type;
  while (std::getline(page, line)) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(described.insert(current).second) << current << " is described twice";
      ASSERT_TRUE(std::getline(page, line));
      ASSERT_TRUE(line.starts_with("# TYPE " + current + " ")) << line;
      type = line.substr(line.rfind(' ') + 1);
      EXPECT_EQ(type == "counter", current.ends_with("_total")) << current;
    } else {
      EXPECT_TRUE(line.starts_with(current)) << line;
      EXPECT_NE(line.find_last_of("0123456789"), std::string::npos);
    }
  }
  EXPECT_GT(described.size(), 15u);
}

TEST(Metrics, resident_memory_is_read) { EXPECT_GT(read_resident_bytes(), 100'000u); }

}  // namespace
}  // namespace tideline::hub
