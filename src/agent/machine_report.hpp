// The machine as the agent names and shows it: what platform/machine.hpp tells, without what is confidential. Pure, but for
// describe_machine(), which reads a few small files.
#pragma once

#include <string>

namespace tideline::agent {

/// "" for what is not known.
struct MachineReport {
  std::string id;         ///< 32 hexadecimal digits, derived from the machine id for this program alone
  std::string model;
  std::string serial;
  std::string system;
  std::string kernel;
  std::string processor;
};
MachineReport describe_machine(const std::string& root = "");

/// As sd_id128_get_machine_app_specific(3) derives it: HMAC-SHA256 of our own id with the machine id as key, made a UUID of version
/// 4. Nobody can get back from it, and other programs derive others. "" unless `machine_id` is 32 hexadecimal digits.
std::string app_specific_id(const std::string& machine_id);

/// What a device is called that nobody named: its host name as a valid id. A name that every fresh image has ("raspberrypi")
/// gets the beginning of `id`, so that two boards from one image are not one device.
std::string default_device_id(const std::string& host_name, const std::string& id);

}  // namespace tideline::agent
