// Sources of sensors against the trees of three kinds of board.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "machine.hpp"
#include "sensors.hpp"
#include "support/temp_dir.hpp"

namespace tideline::platform {
namespace {

using Values = std::map<std::string, double>;

const std::string golden = std::string(TIDELINE_TEST_DATA) + "/golden/sysfs/";

struct Sampled {
  Values values;
  std::vector<std::string> failures;  ///< contexts
};

Sampled sample(SensorSource& source, Instant now = {}) {
  Sampled result;
  SampleSet set;
  EXPECT_TRUE(source.sample(now, set));
  for (const Sample& one : set.samples) {
    const model::Series& series = source.channels()[one.channel];
    EXPECT_TRUE(model::validate(series)) << series.key();
    result.values[series.key() + (series.unit.empty() ? "" : " " + series.unit)] = one.value;
  }
  for (const SampleFailure& failure : set.failures) result.failures.push_back(failure.error.context);
  return result;
}

TEST(Boards, raspberry_pi) {
  EXPECT_EQ(sample(*make_thermal_source(golden + "raspberry_pi")).values, (Values{{"thermal.temperature{zone=cpu-thermal} Cel", 51.121}}));
  EXPECT_EQ(sample(*make_hwmon_source(golden + "raspberry_pi")).values, (Values{{"hwmon.temperature{chip=cpu_thermal,sensor=temp1} Cel", 51.121}}));
  EXPECT_EQ(sample(*make_w1_source(golden + "raspberry_pi")).values,
            (Values{{"w1.temperature{sensor=28-0316a2795f8c} Cel", 21.437}, {"w1.temperature{sensor=28-3c01d607d2a1} Cel", -0.5}}));
}

TEST(Boards, beaglebone) {
  const Values values = sample(*make_iio_source(golden + "beaglebone")).values;
  ASSERT_EQ(values.size(), 8u);
  EXPECT_NEAR(values.at("iio.voltage{channel=voltage0,device=TI-am335x-adc.0.auto} V"), 0.439453, 1e-6);
  EXPECT_NEAR(values.at("iio.voltage{channel=voltage7,device=TI-am335x-adc.0.auto} V"), 1.362305, 1e-6);
  EXPECT_EQ(sample(*make_power_source(golden + "beaglebone")).values, (Values{{"power.online{supply=tps65217-charger}", 1}}));
}

TEST(Boards, mini_pc) {
  EXPECT_EQ(sample(*make_hwmon_source(golden + "mini_pc")).values, (Values{{"hwmon.temperature{chip=coretemp,label=Package id 0,sensor=temp1} Cel", 47},
                                                                           {"hwmon.temperature{chip=coretemp,label=Core 0,sensor=temp2} Cel", 45},
                                                                           {"hwmon.temperature{chip=nvme,label=Composite,sensor=temp1} Cel", 38.85}}));
  EXPECT_EQ(sample(*make_thermal_source(golden + "mini_pc")).values.size(), 2u);
  EXPECT_EQ(sample(*make_power_source(golden + "mini_pc")).values, (Values{{"power.online{supply=AC}", 0},
                                                                           {"power.charging{supply=BAT0}", 0},
                                                                           {"power.capacity{supply=BAT0} %", 84},
                                                                           {"power.voltage{supply=BAT0} V", 12.104},
                                                                           {"power.power{supply=BAT0} W", 6.532}}));
}

TEST(Boards, without_any_sensor_each_source_says_where_it_looked) {
  test::TempDir empty;
  const auto problem = [&](std::unique_ptr<SensorSource> source) {
    SampleSet set;
    const Status status = source->sample({}, set);
    EXPECT_FALSE(status);
    return std::string(status.error().context);
  };
  EXPECT_EQ(problem(make_w1_source(empty.path())), "no thermometer in /sys/bus/w1/devices");
  EXPECT_EQ(problem(make_power_source(empty.path())), "no supply in /sys/class/power_supply");
  EXPECT_EQ(problem(make_thermal_source(empty.path())), "no thermal zone in /sys/class/thermal");
  EXPECT_EQ(problem(make_hwmon_source(empty.path())), "no sensor in /sys/class/hwmon");
  EXPECT_EQ(problem(make_iio_source(empty.path())), "no device in /sys/bus/iio/devices");
}

TEST(Boards, a_machine_tells_what_it_is) {
  const MachineFacts pi = machine_facts(golden + "raspberry_pi");
  EXPECT_EQ(pi.machine_id, "4c1f2a9bd0e84f5c8f2f6f0f2d7f6a11");
  EXPECT_EQ(pi.model, "Raspberry Pi 4 Model B Rev 1.4");
  EXPECT_EQ(pi.serial, "10000000a1b2c3d4");
  EXPECT_EQ(pi.system, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_FALSE(pi.kernel.empty());
  EXPECT_FALSE(pi.processor.empty());
  const MachineFacts bone = machine_facts(golden + "beaglebone");
  EXPECT_EQ(bone.machine_id, "");  // "uninitialized": its first boot
  EXPECT_EQ(bone.model, "TI AM335x BeagleBone Black");
  EXPECT_EQ(bone.system, "Debian");
  const MachineFacts pc = machine_facts(golden + "mini_pc");
  EXPECT_EQ(pc.model, "NUC7i3BNH");  // the vendor is not filled in
  EXPECT_EQ(pc.serial, "");
  EXPECT_EQ(pc.system, "Debian GNU/Linux 13 (trixie)");
  test::TempDir empty;
  EXPECT_EQ(machine_facts(empty.path()).model, "");
}

/// One thermometer whose file is rewritten between samples.
class W1SourceTest : public ::testing::Test {
 protected:
  W1SourceTest() { std::filesystem::create_directories(device()); }
  std::string device(const char* family = "28") const { return directory.file("sys/bus/w1/devices/" + std::string(family) + "-000000000001"); }
  void set(const std::string& text, const char* file = "temperature") { std::ofstream(device() + "/" + file) << text; }
  /// The value, or NaN with the failure in `problem`.
  double read() {
    if (source == nullptr) source = make_w1_source(directory.path());
    const Sampled sampled = sample(*source);
    problem = sampled.failures.empty() ? "" : sampled.failures.front();
    return sampled.values.empty() ? std::nan("") : sampled.values.begin()->second;
  }
  test::TempDir directory;
  std::unique_ptr<SensorSource> source;
  std::string problem;
};

TEST_F(W1SourceTest, the_value_after_power_on_is_no_temperature_unless_it_was_nearly_that_hot) {
  set("85000\n");
  EXPECT_TRUE(std::isnan(read()));
  EXPECT_EQ(problem, "85 Cel, the value of a sensor that was just switched on");
  set("21000\n");
  EXPECT_EQ(read(), 21);
  set("85000\n");
  EXPECT_TRUE(std::isnan(read()));
  set("84937\n");
  EXPECT_EQ(read(), 84.937);
  set("85000\n");
  EXPECT_EQ(read(), 85);
}

TEST_F(W1SourceTest, values_beyond_the_sensor_are_failures) {
  for (const char* wrong : {"-127000\n", "-55062\n", "127937\n"}) {
    set(wrong);
    EXPECT_TRUE(std::isnan(read())) << wrong;
    EXPECT_EQ(problem, "no temperature that this sensor can measure");
  }
  set("-55000\n");
  EXPECT_EQ(read(), -55);
  set("125000\n");
  EXPECT_EQ(read(), 125);
}

TEST_F(W1SourceTest, older_kernels_show_the_checksum) {
  set("57 01 55 05 7f a5 81 66 3c : crc=3c YES\n57 01 55 05 7f a5 81 66 3c t=21437\n", "w1_slave");
  EXPECT_EQ(read(), 21.437);
  set("57 01 55 05 7f a5 81 66 3d : crc=3c NO\n57 01 55 05 7f a5 81 66 3d t=21437\n", "w1_slave");
  EXPECT_TRUE(std::isnan(read()));
  EXPECT_EQ(problem, "wrong checksum: look at wires and pull-up");
  set("00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n", "w1_slave");
  EXPECT_TRUE(std::isnan(read()));
  EXPECT_EQ(problem, "all bits are zero: the bus is shorted");
  set("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n", "w1_slave");
  EXPECT_TRUE(std::isnan(read()));
  set("", "w1_slave");
  EXPECT_TRUE(std::isnan(read()));
}

TEST_F(W1SourceTest, a_thermocouple_has_a_wider_range) {
  std::filesystem::remove_all(device());
  std::filesystem::create_directories(device("3b"));
  std::ofstream(device("3b") + "/w1_slave") << "b0 46 f0 19 f0 ff ff ff 6b : crc=6b YES\nb0 46 f0 19 f0 ff ff ff 6b t=1131000\n";
  EXPECT_EQ(read(), 1131);
}

TEST_F(W1SourceTest, a_sensor_that_is_gone_fails_and_is_found_again) {
  set("20000\n");
  EXPECT_EQ(read(), 20);
  std::filesystem::remove_all(device());
  EXPECT_TRUE(std::isnan(read()));
  EXPECT_EQ(problem, "open");
  std::filesystem::create_directories(device());
  set("20500\n");
  EXPECT_EQ(read(), 20.5);
  EXPECT_EQ(source->channels().size(), 1u);
}

}  // namespace
}  // namespace tideline::platform
