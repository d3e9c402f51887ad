#include "agent/config_keys.hpp"

#include <iterator>

namespace tideline::agent {
namespace {

using toml::Key;
using toml::choice;
using toml::slot;

constexpr double span_of(Duration duration) { return static_cast<double>(duration.nanos); }
constexpr double bytes_of(uint64_t size) { return static_cast<double>(size); }

constexpr const char* level_names[] = {"debug", "info", "warning", "error"};
const char* level_name(LogLevel level) { return level_names[static_cast<size_t>(level)]; }
bool parse_level(std::string_view text, LogLevel& out) {
  for (size_t i = 0; i < std::size(level_names); ++i) {
    if (text == level_names[i]) return out = static_cast<LogLevel>(i), true;
  }
  return false;
}

constexpr const char* metered_names[] = {"auto", "false", "true"};

constexpr Key<DeviceConfig> device_rows[] = {
    {"id", slot<&DeviceConfig::id>, "Name of this device at the hub: a-z, 0-9, '.', '_' and '-'. Empty: the host name; one that every image has, such as raspberrypi, with digits of the machine's id."},
    {"labels", slot<&DeviceConfig::labels>, "What the hub can select this device by."},
};

constexpr Key<HubConfig> hub_rows[] = {
    {"address", slot<&HubConfig::address>, "Where the hub listens, \"host:port\". Empty: no hub."},
    {"server_name", slot<&HubConfig::server_name>, "Name in the hub's certificate. Empty: the host of the address."},
    {"keepalive", slot<&HubConfig::keepalive>, "Most time the link is silent before it is probed.", span_of(seconds(5)), span_of(hours(1))},
    {"metered", choice<&HubConfig::metered, parse_metered, metered_name, "auto, true or false">,
     "Bytes on this link cost money: metered_rate applies. auto: when it goes by one of metered_interfaces."},
    {"metered_interfaces", slot<&HubConfig::metered_interfaces>, "Globs over interface names. A VPN has the name of its own interface, not of the one below."},
    {"rate", slot<&HubConfig::rate>, "Most bytes sent per second. 0 B: no limit.", 0, bytes_of(uint64_t{1} << 40)},
    {"metered_rate", slot<&HubConfig::metered_rate>, "The same while metered. 0 B: no limit.", 0, bytes_of(uint64_t{1} << 40)},
    {"backoff_base", slot<&HubConfig::backoff_base>, "Shortest wait before connecting again.", span_of(milliseconds(50)), span_of(minutes(10))},
    {"backoff_cap", slot<&HubConfig::backoff_cap>, "Longest wait before connecting again.", span_of(milliseconds(100)), span_of(hours(24))},
};

constexpr Key<StoreConfig> store_rows[] = {
    {"directory", slot<&StoreConfig::directory>, "State directory. Empty: the one given by --state, else /var/lib/tideline."},
    {"size", slot<&StoreConfig::size>, "Most space for readings; beyond it bulk is thinned and dropped first, with a gap record.",
     bytes_of(limits::store_bytes_least), bytes_of(uint64_t{1} << 42)},
    {"history", slot<&StoreConfig::history>, "Space for readings the hub has already, kept for questions asked here. Part of size.", 0,
     bytes_of(uint64_t{1} << 42)},
    {"free_space", slot<&StoreConfig::free_space>, "Space left to other programs on the file system.", 0, bytes_of(uint64_t{1} << 42)},
    {"normal_commit", slot<&StoreConfig::normal_commit>, "Longest time a reading of class normal waits for the disk.",
     span_of(milliseconds(10)), span_of(hours(1))},
    {"bulk_commit", slot<&StoreConfig::bulk_commit>, "Longest time a reading of class bulk waits for the disk.",
     span_of(milliseconds(10)), span_of(hours(1))},
};

constexpr Key<IngestConfig> ingest_rows[] = {
    {"enabled", slot<&IngestConfig::enabled>, "Take readings from other programs on a Unix socket."},
    {"socket", slot<&IngestConfig::socket>, "Path of that socket. Empty: ingest.sock in the run directory."},
    {"class_tag", slot<&IngestConfig::class_tag>, "A tag or member \"class\" chooses the class of a reading; else it is a label."},
};

constexpr Key<LogConfig> log_rows[] = {
    {"level", choice<&LogConfig::level, parse_level, level_name, "debug, info, warning or error">, "Least important lines that are logged."},
};

constexpr Key<RemoteSettings> remote_rows[] = {
    {"config", slot<&RemoteSettings::config>, "The hub may change this configuration."},
    {"commands", slot<&RemoteSettings::commands>, "It may also change what runs programs: actions, child servers and exec inputs."},
    {"confirm_within", slot<&RemoteSettings::confirm_within>, "A change with which the hub is not reached again in this time is taken back.",
     span_of(seconds(5)), span_of(hours(24))},
};

constexpr Key<ContextConfig> context_rows[] = {
    {"enabled", slot<&ContextConfig::enabled>, "Keep context: settings, modes and notes that this device and the hub share."},
};

constexpr Key<context::Declaration> context_entry_rows[] = {
    {"rule", choice<&context::Declaration::rule, context::parse_rule, context::rule_name, "last_writer, device_wins, hub_wins or keep_both">,
     "Who wins when device and hub wrote without knowing of each other; the other value is kept beside it until somebody writes again."},
    {"type", choice<&context::Declaration::type, context::parse_value_type, context::value_type_name, "any, boolean, integer, number, string, object or array">,
     "What may be written."},
    {"enum", slot<&context::Declaration::allowed>, "The only values that may be written, of any type."},
    {"minimum", slot<&context::Declaration::minimum>, "Least number."},
    {"maximum", slot<&context::Declaration::maximum>, "Largest number."},
    {"description", slot<&context::Declaration::description>, "What it is for."},
};

constexpr Key<InputConfig> input_rows[] = {
    {"type", choice<&InputConfig::type, parse_input_type, input_type_name, "host, hwmon, thermal, iio, w1, power, gpio, serial, file or exec">,
     "Kind of input. Not needed when the section is called by a kind."},
    {"enabled", slot<&InputConfig::enabled>, "Whether it runs."},
    {"optional", slot<&InputConfig::optional>, "Finding no sensor is normal and not logged."},
    {"interval", slot<&InputConfig::interval>, "Time between two samples.", span_of(limits::interval_least), span_of(limits::interval_most)},
    {"class", choice<&InputConfig::stream, model::parse_stream, model::stream_name, "critical, normal or bulk">,
     "How soon readings are committed and who is dropped last."},
    {"unit", slot<&InputConfig::unit>, "Unit (UCUM) of every series of this input. Empty: what the sensor says."},
    {"deadband", [](InputConfig& input) -> toml::Slot { return &input.report.deadband; }, "Least change that makes a reading; 0: any change. Not set: every sample is a reading.", 0},
    {"min_interval", [](InputConfig& input) -> toml::Slot { return &input.report.min_interval; }, "Least time between two readings of a series.", 0, span_of(limits::interval_most)},
    {"max_interval", [](InputConfig& input) -> toml::Slot { return &input.report.max_interval; }, "With a deadband: most time between two readings. 0s: no such bound.", 0,
     span_of(limits::interval_most)},
    {"scale", slot<&InputConfig::scale>, "reading = sample * scale + offset."},
    {"offset", slot<&InputConfig::offset>, "See scale."},
    {"labels", slot<&InputConfig::labels>, "Added to every series of this input."},
    {"rename", slot<&InputConfig::rename>, "Series names to replace: { \"cpu.percent\" = \"cpu\" }."},
    {"include", slot<&InputConfig::include>, "Globs over series name or key; empty: all."},
    {"exclude", slot<&InputConfig::exclude>, "Globs over series name or key."},
    {"collect", slot<&InputConfig::collect>, "host: which groups, of cpu, memory, load, disk, network."},
    {"per_core", slot<&InputConfig::per_core>, "host: processor load of each core as well."},
    {"path", slot<&InputConfig::path>, "file: a file that holds one number."},
    {"series", slot<&InputConfig::series>, "file, exec, serial: series of a bare number, and before the fields of patterns. gpio: the series. Empty: the name of the section (gpio: after \"gpio.\")."},
    {"chip", slot<&InputConfig::chip>, "gpio: \"gpiochip0\", a path or the chip's label. Empty: the first chip with a line of that name."},
    {"line", slot<&InputConfig::line>, "gpio: name or number of the line, in quotes: \"GPIO17\", \"17\"."},
    {"active_low", slot<&InputConfig::active_low>, "gpio: low is active, which is told as true."},
    {"bias", choice<&InputConfig::bias, parse_gpio_bias, gpio_bias_name, "as-is, disabled, pull-up or pull-down">, "gpio: resistor inside the chip."},
    {"debounce", slot<&InputConfig::debounce>, "gpio: a state must last so long to count. 0s: none.", 0, span_of(seconds(60))},
    {"count", slot<&InputConfig::count>, "gpio: count pulses, told each interval as a counter; else each change of state is a reading."},
    {"device", slot<&InputConfig::device>, "serial: path of the port, best one in /dev/serial/by-id."},
    {"baud", slot<&InputConfig::baud>, "serial: bits per second, one of the usual rates.", 300, 3'000'000},
    {"frame", slot<&InputConfig::frame>, "serial: data bits, parity and stop bits: 8N1, 7E1, 8O1, 8N2 ..."},
    {"rts_cts", slot<&InputConfig::rts_cts>, "serial: hardware flow control."},
    {"patterns", slot<&InputConfig::patterns>, "exec, serial: of lines that are neither Influx nor JSON nor a number, such as \"T={temperature}C {}\"; the first that fits is taken."},
    {"command", slot<&InputConfig::command>, "exec: program and arguments; no shell. It prints Influx lines, JSON lines or a number."},
    {"environment", slot<&InputConfig::environment>, "exec: names of variables passed on to the program."},
    {"keep_running", slot<&InputConfig::keep_running>, "exec: start once and read lines for good; restarted after interval when it ends."},
    {"timeout", slot<&InputConfig::timeout>, "exec: longest run, unless it keeps running.", span_of(milliseconds(100)), span_of(hours(1))},
};

constexpr Key<SeriesRule> series_rows[] = {
    {"class", choice<&SeriesRule::stream, model::parse_stream, model::stream_name, "critical, normal or bulk">,
     "How soon readings are committed and who is dropped last."},
    {"kind", choice<&SeriesRule::kind, model::parse_kind, model::kind_name, "gauge, counter, state or event">, "What the values mean to an aggregate."},
    {"unit", slot<&SeriesRule::unit>, "Unit (UCUM). Empty: unchanged."},
    {"deadband", slot<&SeriesRule::deadband>, "Sampled inputs: least change that makes a reading; 0: any change.", 0},
    {"min_interval", slot<&SeriesRule::min_interval>, "Sampled inputs: least time between two readings.", 0, span_of(limits::interval_most)},
    {"max_interval", slot<&SeriesRule::max_interval>, "Sampled inputs: most time between two readings.", 0, span_of(limits::interval_most)},
};

constexpr Key<ActionConfig> action_rows[] = {
    {"description", slot<&ActionConfig::description>, "What the command does and when to use it. Required: models choose by it."},
    {"title", slot<&ActionConfig::title>, "Name for people. Empty: the section's."},
    {"command", slot<&ActionConfig::command>, "Program and arguments; no shell. {x} becomes the value of the argument x, always inside one element."},
    {"enabled", slot<&ActionConfig::enabled>, "Whether it is offered."},
    {"environment", slot<&ActionConfig::environment>, "Names of variables passed on to the program, beside PATH."},
    {"directory", slot<&ActionConfig::directory>, "Where it runs. Empty: the agent's directory."},
    {"timeout", slot<&ActionConfig::timeout>, "Longest run; then its process group gets SIGTERM, and SIGKILL 2s later.", span_of(milliseconds(100)), span_of(hours(24))},
    {"task_after", slot<&ActionConfig::task_after>, "A run that takes longer becomes a task, for clients that can. 0s: at once.", 0, span_of(hours(1))},
    {"output_limit", slot<&ActionConfig::output_limit>, "Of standard output; what is beyond is left out and said so.", 1024, bytes_of(limits::action_output_most)},
    {"at_once", slot<&ActionConfig::at_once>, "Runs of this action at a time; one more is answered busy.", 1, static_cast<double>(limits::action_runs)},
    {"confirm", slot<&ActionConfig::confirm>, "Ask the person at the client before each run; clients that cannot ask get an error."},
    {"read_only", slot<&ActionConfig::read_only>, "It changes nothing. Viewers of the hub may call it."},
    {"idempotent", slot<&ActionConfig::idempotent>, "Running it twice is as good as once."},
    {"destructive", slot<&ActionConfig::destructive>, "It may destroy something. No meaning with read_only."},
    {"structured", slot<&ActionConfig::structured>, "It prints one JSON value, which becomes structured content."},
};

constexpr Key<ActionArgument> action_argument_rows[] = {
    {"type", choice<&ActionArgument::type, parse_argument_type, argument_type_name, "string, integer, number or boolean">, "What may be given."},
    {"description", slot<&ActionArgument::description>, "What it means, with its unit and an example."},
    {"required", slot<&ActionArgument::required>, "Whether it must be given. An element of the command with an argument that is absent is left out."},
    {"default", slot<&ActionArgument::fallback>, "Value when none is given, of the argument's type. Not set: none."},
    {"values", slot<&ActionArgument::values>, "string: the only ones allowed."},
    {"minimum", slot<&ActionArgument::minimum>, "integer, number: least value. Negative ones need it."},
    {"maximum", slot<&ActionArgument::maximum>, "integer, number: largest value."},
    {"max_length", slot<&ActionArgument::max_length>, "string: most characters.", 0, static_cast<double>(limits::action_text_length)},
    {"allow_dash", slot<&ActionArgument::allow_dash>, "The value may begin an element of the command with '-', so that the program may take it for an option."},
};

constexpr Key<ChildConfig> child_rows[] = {
    {"command", slot<&ChildConfig::command>, "Program and arguments of a stdio MCP server; no shell."},
    {"enabled", slot<&ChildConfig::enabled>, "Whether it is served."},
    {"environment", slot<&ChildConfig::environment>, "Names of variables passed on to it, beside HOME, LOGNAME, PATH, SHELL, TERM and USER."},
    {"env", slot<&ChildConfig::env>, "Variables with their values, such as { API_KEY = \"...\" }; never logged."},
    {"directory", slot<&ChildConfig::directory>, "Where it runs. Empty: the agent's directory."},
    {"prefix", slot<&ChildConfig::prefix>, "Its tools and prompts are named prefix__name. Not set: the section's name. Empty: names as they are."},
    {"era", choice<&ChildConfig::era, parse_era_choice, era_choice_name, "auto, modern or legacy">, "Protocol it speaks; auto asks it."},
    {"start_timeout", slot<&ChildConfig::start_timeout>, "Longest start; package runners download first.", span_of(milliseconds(100)), span_of(minutes(30))},
    {"call_timeout", slot<&ChildConfig::call_timeout>, "Longest wait for an answer or for progress.", span_of(milliseconds(100)), span_of(hours(1))},
    {"idle_stop", slot<&ChildConfig::idle_stop>, "It is stopped when nobody used it for so long, and started by the next call. 0s: never.", 0, span_of(hours(24 * 7))},
    {"include", slot<&ChildConfig::include>, "Globs over its own tool names; empty: all."},
    {"exclude", slot<&ChildConfig::exclude>, "Globs over its own tool names."},
};

}  // namespace

const char* metered_name(Metered metered) { return metered_names[static_cast<size_t>(metered)]; }
bool parse_metered(std::string_view text, Metered& out) {
  for (size_t i = 0; i < std::size(metered_names); ++i) {
    if (text == metered_names[i]) return out = static_cast<Metered>(i), true;
  }
  return false;
}

std::span<const Key<DeviceConfig>> device_keys() { return device_rows; }
std::span<const Key<HubConfig>> hub_keys() { return hub_rows; }
std::span<const Key<StoreConfig>> store_keys() { return store_rows; }
std::span<const Key<IngestConfig>> ingest_keys() { return ingest_rows; }
std::span<const Key<LogConfig>> log_keys() { return log_rows; }
std::span<const Key<RemoteSettings>> remote_keys() { return remote_rows; }
std::span<const Key<ContextConfig>> context_keys() { return context_rows; }
std::span<const Key<context::Declaration>> context_entry_keys() { return context_entry_rows; }
std::span<const Key<InputConfig>> input_keys() { return input_rows; }
std::span<const Key<SeriesRule>> series_keys() { return series_rows; }
std::span<const Key<ActionConfig>> action_keys() { return action_rows; }
std::span<const Key<ActionArgument>> action_argument_keys() { return action_argument_rows; }
std::span<const Key<ChildConfig>> child_keys() { return child_rows; }

}  // namespace tideline::agent
