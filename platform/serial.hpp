// A serial line that is listened to: a port of the board, a USB adapter, a modem.
//
// Thread: one at a time; nothing here waits. Nothing durable. While open no other program can open it (root apart).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace tideline::platform {

struct SerialSettings {
  std::string device;         ///< "/dev/ttyUSB0", better "/dev/serial/by-id/..."
  int64_t baud = 9600;
  std::string frame = "8N1";  ///< data bits, parity (N, E or O), stop bits
  bool rts_cts = false;       ///< hardware flow control
};
bool is_baud_rate(int64_t baud);
/// "8N1", "7E1", "8O2".
bool is_serial_frame(std::string_view frame);

class SerialPort {
 public:
  /// Any of CR, LF and CR LF ends a line: each arrives as LF. What was received before is thrown away.
  /// Errors: not_found, denied, busy, invalid (not a serial line, or it cannot do these settings), io.
  static Result<std::unique_ptr<SerialPort>> open(const SerialSettings& settings);
  ~SerialPort();
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;

  /// How many bytes were there, 0 for none just now. Errors: closed (the adapter was pulled out), io.
  Result<size_t> read(std::span<uint8_t> buffer);
  int descriptor() const { return descriptor_; }

 private:
  explicit SerialPort(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace tideline::platform
