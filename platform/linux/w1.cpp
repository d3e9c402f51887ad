// Thermometers on a 1-wire bus (Documentation/w1/slaves/w1_therm.rst): the attribute `temperature`, or `w1_slave` of older kernels,
//
//   72 01 4b 46 7f ff 0e 10 57 : crc=57 YES
//   72 01 4b 46 7f ff 0e 10 57 t=23125
//
// Three values look right and are none: 85 °C, which a sensor holds after power-on until it has measured; -127 °C, which some drivers
// give for no answer; and nine zero bytes, whose checksum is right, from a bus that is shorted.
#include <algorithm>
#include <charconv>

#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

constexpr double power_on = 85'000;
constexpr double near_power_on = 5'000;  // a sensor that was this close before may well be there now
constexpr double coldest = -55'000;
constexpr double hottest = 125'000;

/// DS18S20, DS1822, DS18B20, MAX31850 (a thermocouple, with another range), DS28EA00.
constexpr std::string_view families[] = {"10-", "22-", "28-", "3b-", "42-"};
constexpr std::string_view thermocouple = "3b-";

Result<double> read_slave(const std::string& path) {
  std::string text;
  RETURN_IF_ERROR(read_file(path, text));
  const size_t first_line = text.find('\n');
  const std::string_view check = std::string_view(text).substr(0, first_line);
  if (check.find("YES") == check.npos) return Error{ErrorCode::corrupt, 0, "wrong checksum: look at wires and pull-up"};
  if (check.starts_with("00 00 00 00 00 00 00 00 00")) return Error{ErrorCode::corrupt, 0, "all bits are zero: the bus is shorted"};
  const size_t mark = text.find("t=");
  double value = 0;
  if (mark == text.npos || std::from_chars(text.data() + mark + 2, text.data() + text.size(), value).ec != std::errc{}) {
    return Error{ErrorCode::invalid, 0, "w1_slave holds no temperature"};
  }
  return value;
}

Result<double> read_any(const std::string& path, double) { return path.ends_with("w1_slave") ? read_slave(path) : read_number(path); }

Result<double> read_thermometer(const std::string& path, double before) {
  ASSIGN_OR_RETURN(const double value, read_any(path, before));
  if (value < coldest || value > hottest) return Error{ErrorCode::corrupt, 0, "no temperature that this sensor can measure"};
  const bool was_near = before >= power_on - near_power_on && before <= power_on + near_power_on;
  if (value == power_on && !was_near) return Error{ErrorCode::corrupt, 0, "85 Cel, the value of a sensor that was just switched on"};
  return value;
}

std::vector<FileChannel> discover(const std::string& root) {
  const std::string directory = root + "/sys/bus/w1/devices/";
  std::vector<FileChannel> found;
  for (const std::string& name : list_names(directory)) {
    bool is_thermometer = false;
    for (const std::string_view family : families) is_thermometer |= name.starts_with(family);
    if (!is_thermometer) continue;
    const std::vector<std::string> files = list_names(directory + name);
    const auto has = [&](std::string_view file) { return std::find(files.begin(), files.end(), file) != files.end(); };
    if (!has("temperature") && !has("w1_slave")) continue;  // found on the bus, but w1_therm is not loaded
    FileChannel channel;
    channel.series = make_series("w1.temperature", "Cel", {{"sensor", name}});
    channel.path = directory + name + (has("temperature") ? "/temperature" : "/w1_slave");
    channel.divisor = 1e3;
    channel.reader = name.starts_with(thermocouple) ? read_any : read_thermometer;
    found.push_back(std::move(channel));
  }
  return found;
}

}  // namespace

std::unique_ptr<SensorSource> make_w1_source(const std::string& root) {
  return std::make_unique<FileSource>(root, discover, "no thermometer in /sys/bus/w1/devices");
}

}  // namespace tideline::platform
