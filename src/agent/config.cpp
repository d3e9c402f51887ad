#include "agent/config.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "agent/config_keys.hpp"
#include "agent/config_overlay.hpp"
#include "agent/config_tools.hpp"
#include "agent/inputs/line_pattern.hpp"
#include "base/text.hpp"
#include "link/message.hpp"
#include "serial.hpp"

namespace tideline::agent {
namespace {

using toml::Reader;
using toml::Value;

constexpr std::string_view sections[] = {"device", "hub", "store", "ingest", "log", "input", "series", "action", "child", "remote", "context"};

uint32_t line_of(const Value* section, std::string_view key) {
  const Value* value = section == nullptr ? nullptr : section->find(key);
  return value != nullptr ? value->line : section != nullptr ? section->line : 0;
}

/// "host:port", "[::1]:port".
bool is_address(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == address.npos || colon == 0) return false;
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != host.npos) return false;
  unsigned port = 0;
  const char* end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  return error == std::errc{} && stop == end && port >= 1 && port <= 65535;
}

void check_labels(const std::vector<std::pair<std::string, std::string>>& labels, uint32_t line, const std::string& section, Reader& reader) {
  model::Series probe;
  probe.name = "x";
  probe.labels = labels;
  std::sort(probe.labels.begin(), probe.labels.end());
  if (const Status status = model::validate(probe); !status) reader.add_problem(line, "[" + section + "] labels: " + status.error().context);
}

void check_globs(const std::vector<std::string>& globs, uint32_t line, const std::string& where, Reader& reader) {
  for (const std::string& glob : globs) {
    if (glob.empty() || glob.size() > limits::pattern_bytes) reader.add_problem(line, where + ": a glob must have 1 to 256 bytes");
  }
}

void check_name(const std::string& name, uint32_t line, const std::string& where, Reader& reader) {
  model::Series probe;
  probe.name = name;
  if (const Status status = model::validate(probe); !status) reader.add_problem(line, where + ": " + status.error().context);
}

/// GPIO and serial lines, and the lines of text that those and programs print.
void check_lines_of_board(const InputConfig& input, const Value& section, const std::string& title, Reader& reader) {
  if (input.type == InputType::gpio && input.line.empty()) {
    reader.add_problem(section.line, "[" + title + "] line: a gpio input needs its line, such as \"GPIO17\" or, with chip, \"17\"");
  }
  const bool is_number = !input.line.empty() && input.line.find_first_not_of("0123456789") == input.line.npos;
  if (input.type == InputType::gpio && is_number && input.chip.empty()) {
    reader.add_problem(section.line, "[" + title + "] chip: a line given by number needs its chip, such as \"gpiochip0\"");
  }
  if (input.debounce.nanos % 1000 != 0) reader.add_problem(line_of(&section, "debounce"), "[" + title + "] debounce: whole microseconds");
  if (input.type == InputType::serial && input.device.empty()) {
    reader.add_problem(section.line, "[" + title + "] device: a serial input needs its port, such as \"/dev/ttyUSB0\"");
  }
  const bool is_in_range = input.baud >= 300 && input.baud <= 3'000'000;  // else its key says so
  if (is_in_range && !platform::is_baud_rate(input.baud)) {
    reader.add_problem(line_of(&section, "baud"), "[" + title + "] baud: " + std::to_string(input.baud) + " is no usual rate, such as 9600 or 115200");
  }
  if (!platform::is_serial_frame(input.frame)) {
    reader.add_problem(line_of(&section, "frame"), "[" + title + "] frame: '" + input.frame + "' is not 7 or 8, then N, E or O, then 1 or 2, such as 8N1");
  }
  for (const std::string& pattern : input.patterns) {
    if (const char* problem = LinePattern::problem(pattern); problem != nullptr) {
      reader.add_problem(line_of(&section, "patterns"), "[" + title + "] patterns: '" + pattern + "': " + problem);
    }
  }
  if (input.patterns.size() > 32) reader.add_problem(line_of(&section, "patterns"), "[" + title + "] patterns: more than 32");
}

void check_kind_of_input(const InputConfig& input, const Value& section, const std::string& title, Reader& reader) {
  if (input.type == InputType::file && input.path.empty()) {
    reader.add_problem(section.line, "[" + title + "] path: a file input needs the path of its file");
  }
  if (input.type == InputType::exec && (input.command.empty() || input.command.front().empty())) {
    reader.add_problem(section.line, "[" + title + "] command: an exec input needs its program, such as [\"/usr/bin/vcgencmd\", \"measure_temp\"]");
  }
  check_lines_of_board(input, section, title, reader);
  constexpr std::string_view groups[] = {"cpu", "memory", "load", "disk", "network"};
  for (const std::string& group : input.collect) {
    if (std::find(std::begin(groups), std::end(groups), group) == std::end(groups)) {
      reader.add_problem(line_of(&section, "collect"), "[" + title + "] collect: '" + group + "' is none of cpu, memory, load, disk, network");
    }
  }
}

void check_input(const InputConfig& input, const Value& section, Reader& reader) {
  const std::string title = "input." + input.name;
  check_kind_of_input(input, section, title, reader);
  check_labels(input.labels, line_of(&section, "labels"), title, reader);
  check_globs(input.include, line_of(&section, "include"), "[" + title + "] include", reader);
  check_globs(input.exclude, line_of(&section, "exclude"), "[" + title + "] exclude", reader);
  if (!input.series.empty()) check_name(input.series, line_of(&section, "series"), "[" + title + "] series", reader);
  check_name(input.name, section.line, "[" + title + "]", reader);  // it names a series where no other name is given
  for (const auto& [from, to] : input.rename) {
    if (!to.empty()) check_name(to, line_of(&section, "rename"), "[" + title + "] rename", reader);
    if (to.empty()) reader.add_problem(line_of(&section, "rename"), "[" + title + "] rename: '" + from + "' has no new name; use exclude to leave it out");
  }
  if (input.unit.size() > limits::unit_bytes) reader.add_problem(line_of(&section, "unit"), "[" + title + "] unit: at most 32 bytes");
  if (input.report.max_interval.nanos != 0 && input.report.max_interval < input.report.min_interval) {
    reader.add_problem(line_of(&section, "max_interval"), "[" + title + "] max_interval: must not be less than min_interval");
  }
}

/// [input.NAME]: a new input, or a change to the default one of that name.
void read_inputs(const Value& inputs, Reader& reader, std::vector<InputConfig>& out) {
  if (!reader.check_table(inputs, "input")) return;
  for (size_t i = 0; i < inputs.names.size(); ++i) {
    const Value& section = inputs.items[i];
    InputConfig fresh;
    fresh.name = inputs.names[i];
    const std::string title = "input." + fresh.name;
    if (!reader.check_table(section, title)) continue;
    auto place = std::find_if(out.begin(), out.end(), [&](const InputConfig& known) { return known.name == fresh.name; });
    if (place == out.end()) {
      if (out.size() >= limits::inputs) {
        reader.add_problem(section.line, "[" + title + "]: more than 256 inputs");
        return;
      }
      if (!parse_input_type(fresh.name, fresh.type) && section.find("type") == nullptr) {
        reader.add_problem(section.line, "[" + title + "] type: must be given: " + input_type_words);
      }
      place = out.insert(out.end(), std::move(fresh));
    } else {
      place->optional = false;  // named by the operator: it is expected to be there
    }
    reader.read(section, title, input_keys(), *place);
    check_input(*place, section, reader);
  }
}

void read_series(const Value& series, Reader& reader, std::vector<SeriesRule>& out) {
  if (!reader.check_table(series, "series")) return;
  for (size_t i = 0; i < series.names.size(); ++i) {
    SeriesRule rule;
    rule.glob = series.names[i];
    const std::string title = "series.\"" + rule.glob + "\"";
    check_globs({rule.glob}, series.items[i].line, "[" + title + "]", reader);
    if (out.size() >= limits::series_rules) {
      reader.add_problem(series.items[i].line, "[" + title + "]: more than 256 rules");
      return;
    }
    reader.read(series.items[i], title, series_keys(), rule);
    if (rule.unit.size() > limits::unit_bytes) reader.add_problem(series.items[i].line, "[" + title + "] unit: at most 32 bytes");
    out.push_back(std::move(rule));
  }
}

template <class Section>
const Value* read_section(const Value& root, const char* name, std::span<const toml::Key<Section>> keys, Section& out, Reader& reader) {
  const Value* section = root.find(name);
  if (section != nullptr) reader.read(*section, name, keys, out);
  return section;
}

void check_sections(const Value& root, const Config& config, Reader& reader) {
  const Value* device = root.find("device");
  if (!config.device.id.empty() && !link::is_device_id(config.device.id)) {
    reader.add_problem(line_of(device, "id"), "[device] id: 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit");
  }
  check_labels(config.device.labels, line_of(device, "labels"), "device", reader);
  if (!config.hub.address.empty() && !is_address(config.hub.address)) {
    reader.add_problem(line_of(root.find("hub"), "address"), "[hub] address: expected \"host:port\", found \"" + config.hub.address + "\"");
  }
  check_globs(config.hub.metered_interfaces, line_of(root.find("hub"), "metered_interfaces"), "[hub] metered_interfaces", reader);
  if (config.hub.backoff_cap < config.hub.backoff_base) {
    reader.add_problem(line_of(root.find("hub"), "backoff_cap"), "[hub] backoff_cap: must not be less than backoff_base");
  }
  if (config.store.history > config.store.size) {
    reader.add_problem(line_of(root.find("store"), "history"), "[store] history: must not be more than size");
  }
}

}  // namespace

ConfigResult parse_config(std::string_view text, std::string_view file, std::string_view overlay) {
  ConfigResult result;
  Reader reader{std::string(file)};
  Value root;
  toml::Problem problem;
  if (!toml::parse(text, root, problem)) {
    reader.add_problem(problem.line, problem.text);
    result.problems = reader.problems();
    return result;
  }
  Config& config = result.config;
  if (const Value* remote = root.find("remote")) reader.read(*remote, "remote", remote_keys(), config.remote);
  if (!overlay.empty() && config.remote.config) {
    lay_over(root, overlay, config.remote.commands, result.problems);
    if (!result.problems.empty()) return result;
  }
  for (size_t i = 0; i < root.names.size(); ++i) reader.check_known(root, i, "", sections);
  read_section(root, "device", device_keys(), config.device, reader);
  read_section(root, "hub", hub_keys(), config.hub, reader);
  read_section(root, "store", store_keys(), config.store, reader);
  read_section(root, "ingest", ingest_keys(), config.ingest, reader);
  read_section(root, "log", log_keys(), config.log, reader);
  if (const Value* inputs = root.find("input")) read_inputs(*inputs, reader, config.inputs);
  if (const Value* series = root.find("series")) read_series(*series, reader, config.series);
  if (const Value* context = root.find("context")) read_context(*context, reader, config.context);
  if (const Value* actions = root.find("action")) read_actions(*actions, reader, config.actions);
  if (const Value* children = root.find("child")) read_children(*children, reader, config.children);
  if (reader.problems().empty()) check_sections(root, config, reader);
  result.problems = reader.problems();
  return result;
}

ConfigResult load_config(const std::string& path, ConfigFile presence, std::string_view overlay) {
  ConfigResult result;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    const int error = errno;
    if (error == ENOENT && presence == ConfigFile::optional) return parse_config("", path, overlay);
    result.problems.push_back(path + ": cannot be read: " + std::strerror(error));
    return result;
  }
  std::string text(limits::config_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const int error = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (error != 0) {
    result.problems.push_back(path + ": cannot be read: " + std::strerror(error));
    return result;
  }
  return parse_config(text, path, overlay);
}

/// Keys without a default show an example, so that the printed text is a file that can be used.
ActionConfig example_action() {
  ActionConfig action;
  action.description = "Restarts the service X.";
  action.command = {"/usr/bin/systemctl", "restart", "{X}"};
  return action;
}

ChildConfig example_child() {
  ChildConfig child;
  child.command = {"/usr/bin/python3", "/opt/server.py"};
  child.prefix = "NAME";
  return child;
}

std::string config_help() {
  std::string text =
      "# Configuration of the Tideline agent, /etc/tideline/agent.toml. Every key is optional; shown are the defaults.\n"
      "# Durations: ns us ms s m h d. Sizes: B KB MB GB KiB MiB GiB. Unknown keys are errors.\n\n";
  text += toml::describe_section("device", "Who this device is.", device_keys());
  text += toml::describe_section("hub", "The link to the hub.", hub_keys());
  text += toml::describe_section("store", "What is kept on disk while there is no connection.", store_keys());
  text += toml::describe_section("ingest", "Readings from other programs.", ingest_keys());
  text += toml::describe_section("log", "Lines on standard error.", log_keys());
  text += toml::describe_section("remote", "Changes to this configuration that come from the hub as desired/config. [store], [remote] and the device's id stay as they are here.", remote_keys());
  text += toml::describe_section("context", "What this device and the hub share.", context_keys());
  text += toml::describe_section("context.entry.\"GLOB\"", "What may be written under the paths that match, and who wins; the first section that matches counts.", context_entry_keys());
  text += toml::describe_section("input.NAME", "One input; any number of them. host, hwmon and thermal run unless enabled = false.", input_keys());
  text += toml::describe_section("series.\"GLOB\"", "Changes the series whose name or key matches; later sections win.", series_keys());
  text += toml::describe_section("action.NAME", "A command of yours as a tool for AI clients; any number of them.", action_keys(), example_action());
  text += toml::describe_section("action.NAME.arguments.X", "One argument of such a tool.", action_argument_keys());
  text += toml::describe_section("child.NAME", "A third-party stdio MCP server, supervised; its tools appear beside the agent's own.", child_keys(), example_child());
  return text;
}

}  // namespace tideline::agent
