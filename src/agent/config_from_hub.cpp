#include "agent/config_from_hub.hpp"

#include "base/limits.hpp"
#include "small_file.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

constexpr const char* area = "config";
constexpr const char* desired_path = "desired/config";
constexpr const char* reported_path = "reported/config";
constexpr const char* state_path = "reported/_state/config";
constexpr const char* error_path = "reported/_error/config";

std::string file_in(const std::string& state_directory) { return state_directory + "/remote-config.json"; }

std::string quoted(const std::string& text) {
  std::string out;
  json::append_quoted(text, out);
  return out;
}

}  // namespace

RemoteConfigState begin_remote_config(const std::string& state_directory, Log& log) {
  const std::string file = file_in(state_directory);
  const auto text = platform::read_small_file(file, 4 * limits::config_bytes);
  if (!text) {
    if (text.error().code != ErrorCode::not_found) log_warning(log, area, "%s cannot be read: the configuration file alone is in force", file.c_str());
    return {};
  }
  const auto state = parse_remote_config_state(*text);
  if (!state) {
    log_warning(log, area, "%s: %s: the configuration file alone is in force", file.c_str(), state.error().context);
    return {};
  }
  RemoteConfigState begun = RemoteConfig::begin(*state);
  if (begun == *state) return begun;
  if (!platform::write_small_file(file, write_remote_config_state(begun), platform::FileMode::secret)) {
    log_warning(log, area, "%s cannot be written", file.c_str());
  }
  return begun;
}

ConfigFromHub::ConfigFromHub(RemoteConfigState state, const Config& running, std::string state_directory, ConfigLoader load, ContextKeeper& keeper,
                             Owner& owner, Log& log)
    : running_(running), state_directory_(std::move(state_directory)), load_(std::move(load)), keeper_(keeper), owner_(owner),
      remote_(std::move(state), running.remote.confirm_within, *this, log) {
  keeper_.add_watcher(*this);
}

ConfigFromHub::~ConfigFromHub() { keeper_.remove_watcher(*this); }

void ConfigFromHub::start(Instant now) {
  now_ = now;
  look(true);
}

void ConfigFromHub::on_tick(Instant now) {
  now_ = now;
  const context::Tops* held = keeper_.peer_holds();
  const bool is_heard = held != nullptr && reports_ == 0 && reported_ != 0 && (*held)[context::Side::device] >= reported_;
  if (remote_.is_trying() && is_heard) remote_.on_heard(now);
  remote_.on_tick(now);
}

void ConfigFromHub::on_context_changed(const std::string& path) {
  if (path == desired_path) look(false);
}

void ConfigFromHub::look(bool is_start) {
  const context::Entry* entry = keeper_.book().find(desired_path);
  const context::View view = entry == nullptr ? context::View{} : keeper_.view(*entry, desired_path);
  std::optional<std::string> desired;
  if (view.value != nullptr) desired = view.value->value;
  const std::string version = context::version_of(view);
  if (is_start) return remote_.start(version, desired, now_);
  remote_.on_desired(version, desired, now_);
}

std::vector<std::string> ConfigFromHub::check(const std::string& overlay) {
  if (!running_.remote.config) return {"the device's own configuration has [remote] config = false"};
  return load_(overlay).problems;
}

bool ConfigFromHub::apply(const std::string& overlay) {
  const ConfigResult fresh = load_(overlay);
  return !fresh.is_sound() || owner_.take_config(fresh);
}

Status ConfigFromHub::save(const RemoteConfigState& state) {
  return platform::write_small_file(file_in(state_directory_), write_remote_config_state(state), platform::FileMode::secret);
}

void ConfigFromHub::report(const std::string& overlay, std::string_view state, const std::string& version, const std::string& error) {
  std::string text;
  json::Writer w(text);
  w.begin_object().key("state").text(state).key("version").text(version).end_object();
  write(reported_path, overlay);
  write(error_path, error.empty() ? "" : quoted(error));
  write(state_path, text);  // last: when the hub holds this, it holds the others
}

void ConfigFromHub::write(const char* path, const std::string& value) {
  context::Change change;
  change.path = path;
  change.value = value;
  change.operation = value.empty() ? context::Operation::erase : context::Operation::set;
  change.author = "agent (remote configuration)";
  ++reports_;
  keeper_.change(std::move(change), [this](const context::Register* made, const context::Refusal&) {
    --reports_;
    if (made != nullptr) reported_ = std::max(reported_, made->write.stamp);
  });
}

}  // namespace tideline::agent
