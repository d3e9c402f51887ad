#include "agent/machine_report.hpp"

#include <algorithm>
#include <iterator>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "link/message.hpp"
#include "machine.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::agent {
namespace {

/// Of this program. Never change it: devices would get other names.
constexpr uint8_t app_id[16] = {0x9c, 0x1e, 0x4d, 0x52, 0x7a, 0x03, 0x4b, 0x8e, 0xa6, 0x5f, 0x21, 0xd8, 0x0b, 0x93, 0xe7, 0x44};
constexpr size_t name_digits = 8;

constexpr std::string_view names_of_images[] = {"",          "(none)",   "localhost", "device",      "debian", "ubuntu",   "raspbian", "raspberrypi",
                                                "beaglebone", "armbian", "openwrt",   "buildroot", "yocto",  "orangepi", "rock",     "linux"};

std::string as_device_id(const std::string& host) {
  std::string id;
  for (const char c : host.substr(0, limits::device_id_bytes)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '.' || lower == '_' || lower == '-';
    id += is_plain ? lower : '-';
  }
  return link::is_device_id(id) ? id : "device";
}

}  // namespace

std::string app_specific_id(const std::string& machine_id) {
  uint8_t key[16];
  if (!from_hex(machine_id, key, sizeof key)) return "";
  tls::Digest digest = tls::hmac_sha256(Bytes(key), Bytes(app_id));
  digest[6] = static_cast<uint8_t>((digest[6] & 0x0f) | 0x40);
  digest[8] = static_cast<uint8_t>((digest[8] & 0x3f) | 0x80);
  return to_hex(digest.data(), 16);
}

std::string default_device_id(const std::string& host_name, const std::string& id) {
  const std::string name = as_device_id(host_name);
  const bool is_of_image = std::find(std::begin(names_of_images), std::end(names_of_images), name) != std::end(names_of_images);
  return is_of_image && !id.empty() ? name + "-" + id.substr(0, name_digits) : name;
}

MachineReport describe_machine(const std::string& root) {
  platform::MachineFacts facts = platform::machine_facts(root);
  return {app_specific_id(facts.machine_id), std::move(facts.model),  std::move(facts.serial),
          std::move(facts.system),           std::move(facts.kernel), std::move(facts.processor)};
}

}  // namespace tideline::agent
