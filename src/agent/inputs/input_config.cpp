#include "agent/inputs/input_config.hpp"

namespace tideline::agent {
namespace {
constexpr const char* type_names[] = {"host", "hwmon", "thermal", "iio", "w1", "power", "gpio", "serial", "file", "exec"};
constexpr const char* bias_names[] = {"as-is", "disabled", "pull-up", "pull-down"};

template <class Enum, size_t N>
bool parse_name(std::string_view text, const char* const (&names)[N], Enum& out) {
  for (size_t i = 0; i < N; ++i) {
    if (text == names[i]) return out = static_cast<Enum>(i), true;
  }
  return false;
}

}  // namespace

const char* input_type_name(InputType type) { return type_names[static_cast<size_t>(type)]; }

bool parse_input_type(std::string_view text, InputType& out) { return parse_name(text, type_names, out); }
const char* gpio_bias_name(platform::GpioBias bias) { return bias_names[static_cast<size_t>(bias)]; }
bool parse_gpio_bias(std::string_view text, platform::GpioBias& out) { return parse_name(text, bias_names, out); }

std::vector<InputConfig> default_inputs() {
  std::vector<InputConfig> inputs(3);
  inputs[0].name = "host";
  inputs[1].name = "hwmon";
  inputs[1].type = InputType::hwmon;
  inputs[2].name = "thermal";
  inputs[2].type = InputType::thermal;
  for (InputConfig& input : inputs) input.optional = true;
  return inputs;
}

}  // namespace tideline::agent
