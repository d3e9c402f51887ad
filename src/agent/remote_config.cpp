#include "agent/remote_config.hpp"

#include "wrap/json/document.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

constexpr const char* area = "config";

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

std::string text_of(json::Value value) {
  const auto text = value.text();
  return text ? std::string(*text) : std::string();
}

void end_trial(RemoteConfigState& state) {
  state.is_trying = false;
  state.trial.clear();
  state.trial_version.clear();
  state.starts = 0;
}

}  // namespace

std::string write_remote_config_state(const RemoteConfigState& state) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("confirmed").text(state.confirmed).key("confirmed_version").text(state.confirmed_version);
  w.key("is_trying").boolean(state.is_trying).key("trial").text(state.trial).key("trial_version").text(state.trial_version);
  w.key("refused_version").text(state.refused_version).key("refused_why").text(state.refused_why).key("starts").integer(state.starts);
  w.end_object();
  return out + "\n";
}

Result<RemoteConfigState> parse_remote_config_state(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document || !document->root().is_object()) return Error{ErrorCode::corrupt, 0, "what the hub configured cannot be read"};
  const json::Value root = document->root();
  RemoteConfigState state;
  state.confirmed = text_of(root["confirmed"]);
  state.confirmed_version = text_of(root["confirmed_version"]);
  state.is_trying = root["is_trying"].boolean() && *root["is_trying"].boolean();
  state.trial = text_of(root["trial"]);
  state.trial_version = text_of(root["trial_version"]);
  state.refused_version = text_of(root["refused_version"]);
  state.refused_why = text_of(root["refused_why"]);
  if (const auto starts = root["starts"].integer(); starts && *starts >= 0 && *starts < 1000) state.starts = static_cast<unsigned>(*starts);
  return state;
}

RemoteConfigState RemoteConfig::begin(RemoteConfigState state) {
  if (!state.is_trying) return state;
  if (++state.starts <= trial_starts_most) return state;
  state.refused_version = state.trial_version;
  state.refused_why = "rolled back: the agent ended " + std::to_string(trial_starts_most) + " times while it was tried";
  end_trial(state);
  return state;
}

RemoteConfig::RemoteConfig(RemoteConfigState state, Duration confirm_within, Host& host, Log& log)
    : state_(std::move(state)), confirm_within_(confirm_within), host_(host), log_(log) {}

void RemoteConfig::start(const std::string& version, const std::optional<std::string>& desired, Instant now) {
  if (state_.is_trying) deadline_ = now + confirm_within_;
  if (!version.empty()) say();
  on_desired(version, desired, now);
}

void RemoteConfig::on_desired(const std::string& version, const std::optional<std::string>& desired, Instant now) {
  const std::string& known = state_.is_trying ? state_.trial_version : state_.confirmed_version;
  if (version.empty() || version == known || version == state_.refused_version) return;
  const std::string overlay = desired.value_or("");
  const std::vector<std::string> problems = overlay.empty() ? std::vector<std::string>{} : host_.check(overlay);
  if (!problems.empty()) return refuse(version, "refused: " + joined(problems));
  try_out(version, overlay, now);
}

void RemoteConfig::refuse(const std::string& version, const std::string& why) {
  log_warning(log_, area, "the hub's configuration %s is not taken: %s", version.c_str(), why.c_str());
  state_.refused_version = version;
  state_.refused_why = why;
  save();
  say();
}

void RemoteConfig::try_out(const std::string& version, const std::string& overlay, Instant now) {
  state_.is_trying = true;
  state_.trial = overlay;
  state_.trial_version = version;
  state_.starts = 1;
  state_.refused_version.clear();
  state_.refused_why.clear();
  // What cannot be taken back after a crash is not tried.
  if (const Status saved = host_.save(state_); !saved) {
    end_trial(state_);
    return refuse(version, std::string("refused: it cannot be saved here: ") + error_name(saved.error().code));
  }
  log_info(log_, area, "trying the hub's configuration %s for %s", version.c_str(), format_duration(confirm_within_).c_str());
  deadline_ = now + confirm_within_;
  say();
  if (!host_.apply(overlay)) host_.restart();
}

void RemoteConfig::on_heard(Instant) {
  if (!state_.is_trying) return;
  log_info(log_, area, "the hub's configuration %s is in force", state_.trial_version.c_str());
  state_.confirmed = state_.trial;
  state_.confirmed_version = state_.trial_version;
  end_trial(state_);
  deadline_ = never;
  save();
  say();
}

void RemoteConfig::on_tick(Instant now) {
  if (now < deadline_) return;
  deadline_ = never;
  if (state_.is_trying) roll_back("rolled back: the hub was not reached within " + format_duration(confirm_within_));
}

void RemoteConfig::roll_back(const std::string& why) {
  log_warning(log_, area, "the hub's configuration %s is taken back: %s", state_.trial_version.c_str(), why.c_str());
  state_.refused_version = state_.trial_version;
  state_.refused_why = why;
  end_trial(state_);
  save();
  say();
  if (!host_.apply(state_.confirmed)) host_.restart();
}

void RemoteConfig::say() {
  const std::string& overlay = overlay_of(state_);
  if (state_.is_trying) return host_.report(overlay, "trying", state_.trial_version, "");
  if (!state_.refused_version.empty()) return host_.report(overlay, "refused", state_.refused_version, state_.refused_why);
  host_.report(overlay, "applied", state_.confirmed_version, "");
}

void RemoteConfig::save() {
  if (const Status saved = host_.save(state_); !saved) log_error(log_, area, "what the hub configured cannot be saved: %s", error_name(saved.error().code));
}

}  // namespace tideline::agent
