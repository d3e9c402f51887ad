#include "serial.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace tideline::platform {
namespace {

struct Rate {
  int64_t baud;
  speed_t code;
};
constexpr Rate rates[] = {
    {300, B300},       {600, B600},       {1200, B1200},     {2400, B2400},     {4800, B4800},       {9600, B9600},
    {19200, B19200},   {38400, B38400},   {57600, B57600},   {115200, B115200}, {230400, B230400},   {460800, B460800},
    {921600, B921600}, {1000000, B1000000}, {2000000, B2000000}, {3000000, B3000000},
};

const Rate* rate_of(int64_t baud) {
  for (const Rate& rate : rates) {
    if (rate.baud == baud) return &rate;
  }
  return nullptr;
}

Error to_error(int number, const char* context) {
  switch (number) {
    case ENOENT: case ENODEV: case ENXIO: return {ErrorCode::not_found, number, context};
    case EACCES: case EPERM: return {ErrorCode::denied, number, context};
    case EBUSY: return {ErrorCode::busy, number, "in use by another program"};
    case ENOTTY: return {ErrorCode::invalid, number, "not a serial line"};
    default: return {ErrorCode::io, number, context};
  }
}

/// Bytes as they come, but for the ends of lines.
void shape(termios& state, const SerialSettings& settings, speed_t speed) {
  cfmakeraw(&state);
  state.c_iflag |= ICRNL | IGNBRK;
  state.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
  state.c_cflag |= CREAD | CLOCAL;  // no modem, no carrier to wait for
  state.c_cflag |= settings.frame[0] == '7' ? CS7 : CS8;
  if (settings.frame[1] != 'N') {
    state.c_cflag |= PARENB;
    state.c_iflag |= INPCK | IGNPAR;  // a byte that arrived wrong is left out, and its line is refused
  }
  if (settings.frame[1] == 'O') state.c_cflag |= PARODD;
  if (settings.frame[2] == '2') state.c_cflag |= CSTOPB;
  if (settings.rts_cts) state.c_cflag |= CRTSCTS;
  state.c_cc[VMIN] = 1;  // no bytes are EAGAIN then, and 0 is a line that hung up
  state.c_cc[VTIME] = 0;
  cfsetispeed(&state, speed);
  cfsetospeed(&state, speed);
}

}  // namespace

bool is_baud_rate(int64_t baud) { return rate_of(baud) != nullptr; }

bool is_serial_frame(std::string_view frame) {
  return frame.size() == 3 && (frame[0] == '7' || frame[0] == '8') && (frame[1] == 'N' || frame[1] == 'E' || frame[1] == 'O') &&
         (frame[2] == '1' || frame[2] == '2');
}

Result<std::unique_ptr<SerialPort>> SerialPort::open(const SerialSettings& settings) {
  const Rate* const rate = rate_of(settings.baud);
  if (rate == nullptr || !is_serial_frame(settings.frame)) return Error{ErrorCode::invalid, 0, "no such baud rate or frame"};
  const int descriptor = ::open(settings.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return to_error(errno, "open");
  std::unique_ptr<SerialPort> port(new SerialPort(descriptor));
  termios state{};
  if (::tcgetattr(descriptor, &state) != 0) return to_error(errno, "ask for the line's settings");
  shape(state, settings, rate->code);
  if (::tcsetattr(descriptor, TCSANOW, &state) != 0) return to_error(errno, "set the line's settings");
  termios result{};  // tcsetattr() is content when any of its changes was made
  if (::tcgetattr(descriptor, &result) != 0 || cfgetispeed(&result) != rate->code) return Error{ErrorCode::invalid, 0, "the port cannot do this baud rate"};
  (void)::ioctl(descriptor, TIOCEXCL);
  (void)::tcflush(descriptor, TCIFLUSH);
  return port;
}

SerialPort::~SerialPort() { ::close(descriptor_); }

Result<size_t> SerialPort::read(std::span<uint8_t> buffer) {
  while (true) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return size_t{0};
    const int number = got == 0 ? ENODEV : errno;
    if (number == EIO || number == ENODEV || number == ENXIO) return Error{ErrorCode::closed, number, "the line hung up"};
    return Error{ErrorCode::io, number, "read"};
  }
}

}  // namespace tideline::platform
