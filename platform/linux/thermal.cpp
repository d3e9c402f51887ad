// Thermal zones (Documentation/driver-api/thermal/sysfs-api.rst): what most ARM boards tell of their processor's temperature.
#include <map>

#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

std::vector<FileChannel> discover(const std::string& root) {
  const std::string directory = root + "/sys/class/thermal/";
  std::vector<std::pair<std::string, std::string>> zones;  // directory name, type
  std::map<std::string, int> zones_of_type;
  for (const std::string& name : list_names(directory)) {
    if (!name.starts_with("thermal_zone")) continue;
    zones.emplace_back(name, read_word(directory + name + "/type"));
    ++zones_of_type[zones.back().second];
  }
  std::vector<FileChannel> found;
  for (const auto& [name, type] : zones) {
    std::vector<std::pair<std::string, std::string>> labels = {{"zone", type}};
    if (zones_of_type[type] > 1) labels.emplace_back("number", name.substr(name.find_first_of("0123456789")));
    found.push_back({make_series("thermal.temperature", "Cel", std::move(labels)), directory + name + "/temp", 0, 1, 1e3});
  }
  return found;
}

}  // namespace

std::unique_ptr<SensorSource> make_thermal_source(const std::string& root) {
  return std::make_unique<FileSource>(root, discover, "no thermal zone in /sys/class/thermal");
}

}  // namespace tideline::platform
