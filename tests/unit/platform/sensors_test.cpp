#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/limits.hpp"
#include "sensors.hpp"
#include "support/temp_dir.hpp"

namespace tideline::platform {
namespace {

using Values = std::map<std::string, double>;

const std::string golden = std::string(TIDELINE_TEST_DATA) + "/golden/sysfs/";

struct Sampled {
  Values values;
  size_t failures = 0;
  Status status;
};

Sampled sample(SensorSource& source, Instant now = {}) {
  Sampled result;
  SampleSet set;
  result.status = source.sample(now, set);
  for (const Sample& one : set.samples) {
    const model::Series& series = source.channels()[one.channel];
    EXPECT_TRUE(model::validate(series)) << series.key();
    result.values[series.key() + " " + series.unit] = one.value;
  }
  result.failures = set.failures.size();
  return result;
}

TEST(ThermalSource, every_zone_is_a_series_in_degrees) {
  const auto source = make_thermal_source(golden + "board");
  EXPECT_EQ(sample(*source).values, (Values{{"thermal.temperature{zone=cpu-thermal} Cel", 48.212}, {"thermal.temperature{zone=ddr} Cel", 41}}));
}

TEST(HwmonSource, files_become_units_and_equal_chips_stay_apart) {
  const auto source = make_hwmon_source(golden + "board");
  EXPECT_EQ(sample(*source).values, (Values{{"hwmon.temperature{chip=cpu_thermal,sensor=temp1} Cel", 48.212},
                                            {"hwmon.voltage{chip=ina219,sensor=in0} V", 0.012},
                                            {"hwmon.voltage{chip=ina219,sensor=in1} V", 5.104},
                                            {"hwmon.current{chip=ina219,sensor=curr1} A", 0.742},
                                            {"hwmon.power{chip=ina219,sensor=power1} W", 3.78},
                                            {"hwmon.fan{chip=pwmfan,label=case _rear_,sensor=fan1} /min", 3120},
                                            {"hwmon.temperature{chip=lm75,device=1-0048,sensor=temp1} Cel", -3.25},
                                            {"hwmon.temperature{chip=lm75,device=1-0049,sensor=temp1} Cel", 21.5}}));
}

TEST(IioSource, raw_values_get_offset_and_scale_of_the_channel_or_its_type) {
  const auto source = make_iio_source(golden + "board");
  const Values values = sample(*source).values;
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values.at("iio.voltage{channel=voltage0,device=ads1015} V"), 3.072);
  EXPECT_EQ(values.at("iio.voltage{channel=voltage0-voltage1,device=ads1015} V"), -0.024);
  EXPECT_NEAR(values.at("iio.temperature{channel=temp,device=sht3x} Cel"), 24.428, 0.001);
  EXPECT_EQ(values.at("iio.humidity{channel=humidityrelative,device=sht3x} %"), 43.125);
}

TEST(SensorSources, a_machine_without_sensors_says_so) {
  test::TempDir empty;
  for (const auto& source : {make_hwmon_source(empty.path()), make_thermal_source(empty.path()), make_iio_source(empty.path())}) {
    EXPECT_EQ(sample(*source).status.error().code, ErrorCode::not_found);
  }
}

TEST(SensorSources, a_sensor_that_goes_away_fails_and_is_found_again_under_another_number) {
  test::TempDir root;
  const auto chip = [&](const std::string& number) { return root.file("sys/class/hwmon/hwmon" + number); };
  const auto plug = [&](const std::string& number) {
    std::filesystem::create_directories(chip(number));
    std::ofstream(chip(number) + "/name") << "lm75\n";
    std::ofstream(chip(number) + "/temp1_input") << "20000\n";
  };
  plug("3");
  const auto source = make_hwmon_source(root.path());
  EXPECT_EQ(sample(*source).values.size(), 1u);
  std::filesystem::remove_all(chip("3"));
  EXPECT_EQ(sample(*source).failures, 1u);
  plug("7");
  EXPECT_EQ(sample(*source).values.size(), 1u);
  EXPECT_EQ(source->channels().size(), 1u);
}

TEST(SensorSources, a_sensor_plugged_in_later_is_found_within_a_minute) {
  test::TempDir root;
  const std::string zone = root.file("sys/class/thermal/thermal_zone");
  std::filesystem::create_directories(zone + "0");
  std::ofstream(zone + "0/type") << "a\n";
  std::ofstream(zone + "0/temp") << "1000\n";
  const auto source = make_thermal_source(root.path());
  const Instant start{seconds(100).nanos};
  EXPECT_EQ(sample(*source, start).values.size(), 1u);
  std::filesystem::create_directories(zone + "1");
  std::ofstream(zone + "1/type") << "b\n";
  std::ofstream(zone + "1/temp") << "1000\n";
  EXPECT_EQ(sample(*source, start + seconds(59)).values.size(), 1u);
  EXPECT_EQ(sample(*source, start + seconds(60)).values.size(), 2u);
}

TEST(FileSource, holds_one_number_or_says_what_is_wrong) {
  test::TempDir root;
  const auto read = [&](const std::string& text) {
    std::ofstream(root.file("x")) << text;
    const auto source = make_file_source(root.file("x"), "level");
    return sample(*source);
  };
  EXPECT_EQ(read(" 21.5 Cel\n").values, (Values{{"level ", 21.5}}));
  EXPECT_EQ(read("-7").values, (Values{{"level ", -7}}));
  EXPECT_EQ(read("").failures, 1u);
  EXPECT_EQ(read("12x").failures, 1u);
  EXPECT_EQ(read("abc").failures, 1u);
}

/// A machine whose /proc is exchanged between two samples.
class HostSourceTest : public ::testing::Test {
 protected:
  void show(const std::string& tree) {
    std::filesystem::remove(root());
    std::filesystem::create_directory_symlink(golden + tree, root());
  }
  std::string root() const { return directory.file("root"); }
  test::TempDir directory;
};

TEST_F(HostSourceTest, rates_come_from_two_samples) {
  show("host_before");
  const auto source = make_host_source(root(), {true, true, true, true, true, true});
  const Instant start{seconds(50).nanos};
  const Values first = sample(*source, start).values;
  EXPECT_EQ(first.at("memory.available By"), 256'000'000);
  EXPECT_EQ(first.at("memory.used_percent %"), 75);
  EXPECT_EQ(first.at("memory.swap_percent %"), 25);
  EXPECT_EQ(first.at("load.1m 1"), 0.52);
  EXPECT_FALSE(first.contains("cpu.percent %"));
  show("host_after");
  const Values second = sample(*source, start + seconds(10)).values;
  EXPECT_EQ(second.at("cpu.percent %"), 60);
  EXPECT_EQ(second.at("cpu.iowait_percent %"), 10);
  EXPECT_EQ(second.at("cpu.core.percent{core=0} %"), 60);
  EXPECT_EQ(second.at("disk.read_rate{disk=mmcblk0} By/s"), 10240);
  EXPECT_EQ(second.at("disk.write_rate{disk=mmcblk0} By/s"), 20480);
  EXPECT_EQ(second.at("disk.busy_percent{disk=mmcblk0} %"), 10);
  EXPECT_EQ(second.at("network.receive_rate{interface=eth0} By/s"), 500);
  EXPECT_EQ(second.at("network.send_rate{interface=eth0} By/s"), 100);
  EXPECT_FALSE(second.contains("disk.read_rate{disk=mmcblk0p1} By/s"));
  EXPECT_FALSE(second.contains("network.receive_rate{interface=lo} By/s"));
}

TEST_F(HostSourceTest, file_systems_on_a_device_are_measured_and_others_left_alone) {
  show("host_before");
  const auto source = make_host_source(root(), {false, false, false, true, false, false});
  const Values values = sample(*source).values;
  EXPECT_EQ(values.size(), 4u);
  EXPECT_GT(values.at("disk.free{mount=/} By"), 0);
  EXPECT_GT(values.at("disk.used_percent{mount=/mnt/a b} %"), 0);
}

TEST_F(HostSourceTest, a_counter_that_went_backwards_gives_no_rate) {
  show("host_after");
  const auto source = make_host_source(root(), {true, false, false, false, true, false});
  sample(*source, Instant{seconds(1).nanos});
  show("host_before");
  const Values values = sample(*source, Instant{seconds(2).nanos}).values;
  EXPECT_EQ(values, (Values{{"network.error_rate{interface=eth0} /s", 0}}));
}

TEST_F(HostSourceTest, one_part_that_is_missing_leaves_the_others) {
  std::filesystem::create_directories(root() + "/proc");
  std::ofstream(root() + "/proc/loadavg") << "1.5 1 1 1/1 1\n";
  const auto source = make_host_source(root(), {});
  const Sampled sampled = sample(*source);
  EXPECT_EQ(sampled.status.error().code, ErrorCode::not_found);
  EXPECT_EQ(sampled.values.at("load.1m 1"), 1.5);
}

TEST(HostSource, this_machine_can_be_read) {
  const auto source = make_host_source("", {true, true, true, false, false, false});
  EXPECT_TRUE(sample(*source).values.contains("memory.available By"));
}

}  // namespace
}  // namespace tideline::platform
