// Which machine this is, as far as it can tell without being root.
//
// Plain values; reads a few small files. Thread: any. Bounds: limits::sensor_file_bytes each.
#pragma once

#include <string>

namespace tideline::platform {

/// "" for what the machine does not tell.
struct MachineFacts {
  std::string machine_id;  ///< 32 hexadecimal digits, confidential as of machine-id(5): publish only what is derived from it
  std::string model;       ///< "Raspberry Pi 4 Model B Rev 1.4", or vendor and product of a PC
  std::string serial;      ///< of the board, where anybody may read it (boards with a device tree)
  std::string system;      ///< "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;      ///< "6.1.0-18-arm64"
  std::string processor;   ///< "aarch64"
};
/// `root` stands before /etc, /proc and /sys; kernel and processor are always those of the running machine.
MachineFacts machine_facts(const std::string& root);

}  // namespace tideline::platform
