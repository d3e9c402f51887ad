#include "machine.hpp"

#include <sys/utsname.h>

#include "base/text.hpp"
#include "linux/sysfs.hpp"

namespace tideline::platform {
namespace {

/// Makers leave these in boards that nobody filled in.
bool is_filled_in(const std::string& text) {
  for (const char* empty : {"", "To Be Filled By O.E.M.", "To be filled by O.E.M.", "Default string", "System Product Name", "System manufacturer", "None", "Not Specified"}) {
    if (text == empty) return false;
  }
  return is_utf8(text);
}

std::string word_of(const std::string& path) {
  std::string text = read_word(path);
  return is_filled_in(text) ? text : "";
}

std::string model_of(const std::string& root) {
  if (std::string model = word_of(root + "/proc/device-tree/model"); !model.empty()) return model;
  const std::string vendor = word_of(root + "/sys/class/dmi/id/sys_vendor");
  const std::string product = word_of(root + "/sys/class/dmi/id/product_name");
  return vendor.empty() || product.starts_with(vendor) ? product : product.empty() ? vendor : vendor + " " + product;
}

/// PRETTY_NAME of os-release(5), with or without quotation marks.
std::string system_of(const std::string& root) {
  std::string text;
  if (!read_file(root + "/etc/os-release", text) && !read_file(root + "/usr/lib/os-release", text)) return "";
  constexpr std::string_view key = "PRETTY_NAME=";
  const size_t place = text.starts_with(key) ? 0 : text.find("\n" + std::string(key));
  if (place == text.npos) return "";
  const size_t start = text.find('=', place) + 1;
  std::string value = text.substr(start, text.find('\n', start) - start);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) value = value.substr(1, value.size() - 2);
  return is_utf8(value) ? value : "";
}

}  // namespace

MachineFacts machine_facts(const std::string& root) {
  MachineFacts facts;
  facts.machine_id = read_word(root + "/etc/machine-id");
  uint8_t id[16];
  if (!from_hex(facts.machine_id, id, sizeof id)) facts.machine_id.clear();  // "uninitialized" during the first boot
  facts.model = model_of(root);
  facts.serial = word_of(root + "/proc/device-tree/serial-number");
  facts.system = system_of(root);
  utsname names{};
  if (::uname(&names) == 0) {
    facts.kernel = names.release;
    facts.processor = names.machine;
  }
  return facts;
}

}  // namespace tideline::platform
