// What the operator can say about inputs and series. Plain values, filled from agent.toml by agent/config.cpp; the rows of
// agent/config_keys.hpp document each member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "gpio.hpp"
#include "model/series.hpp"

namespace tideline::agent {

enum class InputType : uint8_t { host, hwmon, thermal, iio, w1, power, gpio, serial, file, exec };
inline constexpr const char* input_type_words = "host, hwmon, thermal, iio, w1, power, gpio, serial, file or exec";
const char* input_type_name(InputType type);
bool parse_input_type(std::string_view text, InputType& out);
const char* gpio_bias_name(platform::GpioBias bias);
bool parse_gpio_bias(std::string_view text, platform::GpioBias& out);

/// When a sampled value becomes a reading (report by exception).
struct ReportPolicy {
  std::optional<double> deadband;  ///< not set: every sample is a reading
  Duration min_interval{};         ///< never two readings closer than this
  Duration max_interval = minutes(10);  ///< with a deadband: a reading at least this often; 0 means never for its own sake
  bool operator==(const ReportPolicy&) const = default;
};

/// [input.NAME]
struct InputConfig {
  std::string name;
  InputType type = InputType::host;
  bool enabled = true;
  bool optional = false;           ///< finding no sensor is not worth a warning
  Duration interval = seconds(10);
  model::Stream stream = model::Stream::normal;
  std::string unit;                ///< "" keeps what the sensor says
  ReportPolicy report;
  double scale = 1;                ///< reading = sampled * scale + offset
  double offset = 0;
  std::vector<std::pair<std::string, std::string>> labels;  ///< added to every series
  std::vector<std::pair<std::string, std::string>> rename;  ///< series name to series name
  std::vector<std::string> include;  ///< globs over name or key; empty means all
  std::vector<std::string> exclude;

  // host
  std::vector<std::string> collect = {"cpu", "memory", "load", "disk", "network"};
  bool per_core = false;
  // file, exec
  std::string path;                ///< file: holds one number
  std::string series;              ///< of a file's, a program's or a line's number, of a GPIO line; "" means the input's name
  // gpio
  std::string chip;                ///< "gpiochip0", a path or a label; "" means whichever has the line
  std::string line;                ///< name or number
  bool active_low = false;
  platform::GpioBias bias = platform::GpioBias::as_is;
  Duration debounce{};
  bool count = false;              ///< pulses are counted, instead of the state told
  // serial
  std::string device;
  int64_t baud = 9600;
  std::string frame = "8N1";
  bool rts_cts = false;
  // exec, serial
  std::vector<std::string> patterns;  ///< of lines that are neither Influx nor JSON nor a number
  // exec
  std::vector<std::string> command;      ///< program and arguments; no shell
  std::vector<std::string> environment;  ///< names passed on from the agent's own environment
  bool keep_running = false;             ///< runs for good and prints lines, instead of once per interval
  Duration timeout = limits::exec_timeout;
};

/// [series."GLOB"]: of the rules that match, later ones win, and all of them win over the input. What is not set is left alone.
struct SeriesRule {
  std::string glob;                ///< over the name or the key "name{label=value}"
  std::optional<model::Stream> stream;
  std::optional<model::Kind> kind;
  std::string unit;                ///< "" is not set
  std::optional<double> deadband;
  std::optional<Duration> min_interval;
  std::optional<Duration> max_interval;
};

/// The inputs that run when the file says nothing else: host, hwmon and thermal, the latter two quiet when there are none.
std::vector<InputConfig> default_inputs();

}  // namespace tideline::agent
