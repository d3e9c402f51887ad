// Hardware monitoring chips (Documentation/hwmon/sysfs-interface.rst): temperatures, voltages, currents, powers, fans, humidity.
#include <algorithm>
#include <map>

#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

struct Quantity {
  std::string_view prefix;  ///< of the file: temp1_input
  const char* series;
  const char* unit;
  double divisor;           ///< from the unit of the file
};
constexpr Quantity quantities[] = {
    {"temp", "hwmon.temperature", "Cel", 1e3}, {"in", "hwmon.voltage", "V", 1e3},  {"curr", "hwmon.current", "A", 1e3},
    {"power", "hwmon.power", "W", 1e6},        {"energy", "hwmon.energy", "J", 1e6}, {"fan", "hwmon.fan", "/min", 1},
    {"humidity", "hwmon.humidity", "%", 1e3},
};

/// The quantity of "temp1_input", nullptr for other files. `sensor` becomes "temp1".
const Quantity* quantity_of(const std::string& file, std::string& sensor) {
  constexpr std::string_view suffix = "_input";
  if (!file.ends_with(suffix)) return nullptr;
  sensor = file.substr(0, file.size() - suffix.size());
  const size_t digits = sensor.find_first_of("0123456789");
  if (digits == sensor.npos || sensor.find_first_not_of("0123456789", digits) != sensor.npos) return nullptr;
  const auto place = std::find_if(std::begin(quantities), std::end(quantities), [&](const Quantity& q) { return q.prefix == sensor.substr(0, digits); });
  return place == std::end(quantities) ? nullptr : place;
}

std::vector<FileChannel> discover(const std::string& root) {
  const std::string directory = root + "/sys/class/hwmon/";
  const std::vector<std::string> chips = list_names(directory);
  std::map<std::string, int> chips_of_name;
  for (const std::string& chip : chips) ++chips_of_name[read_word(directory + chip + "/name")];
  std::vector<FileChannel> found;
  for (const std::string& chip : chips) {
    const std::string path = directory + chip + "/";
    const std::string name = read_word(path + "name");
    // Two chips of one kind are told apart by their place on the bus: hwmon numbers change from boot to boot.
    std::string place = chips_of_name[name] > 1 ? link_target_name(path + "device") : "";
    if (place.empty() && chips_of_name[name] > 1) place = chip;
    for (const std::string& file : list_names(path)) {
      std::string sensor;
      const Quantity* quantity = quantity_of(file, sensor);
      if (quantity == nullptr) continue;
      std::vector<std::pair<std::string, std::string>> labels = {{"chip", name}, {"sensor", sensor}};
      if (const std::string label = read_word(path + sensor + "_label"); !label.empty()) labels.emplace_back("label", label);
      if (!place.empty()) labels.emplace_back("device", place);
      found.push_back({make_series(quantity->series, quantity->unit, std::move(labels)), path + file, 0, 1, quantity->divisor});
    }
  }
  return found;
}

}  // namespace

std::unique_ptr<SensorSource> make_hwmon_source(const std::string& root) {
  return std::make_unique<FileSource>(root, discover, "no sensor in /sys/class/hwmon");
}

}  // namespace tideline::platform
