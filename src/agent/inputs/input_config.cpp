#include "agent/inputs/input_config.hpp"

#include <iterator>

namespace tideline::agent {
namespace {
constexpr const char* type_names[] = {"host", "hwmon", "thermal", "iio", "file", "exec"};
}  // namespace

const char* input_type_name(InputType type) { return type_names[static_cast<size_t>(type)]; }

bool parse_input_type(std::string_view text, InputType& out) {
  for (size_t i = 0; i < std::size(type_names); ++i) {
    if (text != type_names[i]) continue;
    out = static_cast<InputType>(i);
    return true;
  }
  return false;
}

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
