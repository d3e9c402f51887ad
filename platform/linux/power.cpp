// Power supplies (Documentation/ABI/testing/sysfs-class-power): whether the mains are there, what is left in a battery.
#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

Result<double> read_charging(const std::string& path, double) {
  std::string text;
  RETURN_IF_ERROR(read_file(path, text));
  return text.starts_with("Charging") ? 1.0 : 0.0;
}

struct Quantity {
  const char* file;
  const char* series;
  const char* unit;
  double divisor;
  model::Kind kind = model::Kind::gauge;
  FileReader reader = nullptr;
};
constexpr Quantity quantities[] = {
    {"online", "power.online", "", 1, model::Kind::state, nullptr},
    {"status", "power.charging", "", 1, model::Kind::state, read_charging},
    {"capacity", "power.capacity", "%", 1},
    {"voltage_now", "power.voltage", "V", 1e6},
    {"current_now", "power.current", "A", 1e6},
    {"power_now", "power.power", "W", 1e6},
    {"temp", "power.temperature", "Cel", 10},
};

std::vector<FileChannel> discover(const std::string& root) {
  const std::string directory = root + "/sys/class/power_supply/";
  std::vector<FileChannel> found;
  for (const std::string& name : list_names(directory)) {
    const std::vector<std::string> files = list_names(directory + name);
    for (const Quantity& quantity : quantities) {
      bool is_there = false;
      for (const std::string& file : files) is_there |= file == quantity.file;
      if (!is_there) continue;
      FileChannel channel;
      channel.series = make_series(quantity.series, quantity.unit, {{"supply", name}});
      channel.series.kind = quantity.kind;
      channel.path = directory + name + "/" + quantity.file;
      channel.divisor = quantity.divisor;
      channel.reader = quantity.reader;
      found.push_back(std::move(channel));
    }
  }
  return found;
}

}  // namespace

std::unique_ptr<SensorSource> make_power_source(const std::string& root) {
  return std::make_unique<FileSource>(root, discover, "no supply in /sys/class/power_supply");
}

}  // namespace tideline::platform
