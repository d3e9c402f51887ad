#include "agent/gateway/child_server.hpp"

#include <algorithm>

#include "mcp/json_write.hpp"

namespace tideline::agent {
namespace {

constexpr const char* state_names[] = {"asleep", "starting", "ready", "waiting", "stopping", "stopped"};

mcp::ClientOptions client_options(const ChildConfig& config, const std::string& version, mcp::EraChoice era) {
  mcp::ClientOptions options;
  options.name = "tideline";
  options.version = version;
  options.era = era;
  options.start_timeout = config.start_timeout;
  options.probe_timeout = std::min(options.probe_timeout, config.start_timeout);
  options.request_timeout = config.call_timeout;
  options.call_timeout = std::max(options.call_timeout, config.call_timeout);
  return options;
}

}  // namespace

ChildServer::ChildServer(ChildConfig config, ChildServerOptions options, Answers& answers, ChildPort& port, Notebook& notebook, Log& log)
    : config_(std::move(config)), options_(std::move(options)), answers_(answers), port_(port), notebook_(notebook), log_(log), source_(source_of(config_)),
      lists_(config_), backoff_(limits::backoff_base, limits::backoff_cap, options_.seed) {}

void ChildServer::begin() {
  notes_left_ = mcp::list_kinds;
  read_next_note();
}

/// A verdict of the last run spares a probe that a legacy server answers late or not at all.
mcp::EraChoice ChildServer::next_era() const {
  return config_.era == mcp::EraChoice::automatic && known_era_ == era_choice_name(mcp::EraChoice::legacy) ? mcp::EraChoice::legacy : config_.era;
}

void ChildServer::start() {
  retry_at_ = never;
  if (client_ == nullptr) client_ = std::make_unique<mcp::Client>(client_options(config_, options_.version, next_era()), static_cast<mcp::ClientListener&>(*this));
  const Instant now = options_.now();
  ++starts_;
  started_at_ = used_at_ = now;
  unusable_.clear();
  is_respawn_wanted_ = has_told_long_line_ = false;
  const Status started = port_.start(*this);
  if (!started) return on_down("cannot start " + config_.command.front() + ": " + error_name(started.error().code));
  state_ = State::starting;
  log_info(log_, "child", "%s: started as process %d", config_.name.c_str(), port_.pid());
  client_->watch(watched_here_, now);
  client_->on_started(now);
  set_alarm();
}

/// Somebody needs it.
void ChildServer::start_soon() {
  if (state_ == State::asleep && notes_left_ == 0 && !is_stopped_) start();
}

void ChildServer::stop() {
  is_stopped_ = true;
  retry_at_ = never;
  fail_all("the agent is closing down");
  if (is_running()) return stop_process();
  state_ = State::stopped;
  set_alarm();
}

void ChildServer::stop_process() {
  state_ = State::stopping;
  port_.stop();
  set_alarm();
}

void ChildServer::on_ready() {
  state_ = State::ready;
  known_era_ = era_choice_name(mcp::era_of(client_->revision()) == mcp::Era::legacy ? mcp::EraChoice::legacy : mcp::EraChoice::modern);
  const mcp::Slice capabilities(client_->capabilities_json());
  const auto offers = [&](std::string_view capability) { return mcp::find_member(capabilities, capability).is(mcp::JsonKind::object); };
  const auto empty_unless = [&](std::string_view capability, mcp::ListKind kind) {
    if (!offers(capability)) on_list(kind, {}, false);
  };
  empty_unless("tools", mcp::ListKind::tools);
  empty_unless("prompts", mcp::ListKind::prompts);
  empty_unless("resources", mcp::ListKind::resources);
  empty_unless("resources", mcp::ListKind::templates);
  // A legacy server sends its log only to those who chose a level.
  if (known_era_ == "legacy" && offers("logging")) (void)client_->request({.method = mcp::Method::set_level, .members = R"("level":"info")"}, options_.now());
  for (Relay& relay : Relays(std::exchange(relays_, {}))) {
    relays_.push_back(std::move(relay));
    send(relays_.back());
  }
}

void ChildServer::on_unusable(std::string_view why) {
  unusable_ = why;
  known_era_.clear();
  stop_process();
}

void ChildServer::on_line(std::string_view line) {
  client_->on_line(line, options_.now());
  set_alarm();
}

void ChildServer::on_exit(const std::string& how) {
  const Instant now = options_.now();
  const bool was_asked = state_ == State::stopping && unusable_.empty();
  if (state_ == State::ready && now - started_at_ >= limits::child_stable) backoff_.reset();
  // What is under way fails at once.
  client_->on_exit(now);
  if (is_stopped_) {
    state_ = State::stopped;
    return set_alarm();
  }
  if (was_asked) {
    state_ = State::asleep;
    log_debug(log_, "child", "%s: stopped", config_.name.c_str());
    if (is_used()) return start();
    return set_alarm();
  }
  if (is_respawn_wanted_) return start();
  on_down(unusable_.empty() ? how : unusable_);
}

void ChildServer::on_down(const std::string& why) {
  ++failures_;
  last_exit_ = why;
  if (!unusable_.empty()) client_.reset();  // the next one finds the era anew
  state_ = State::waiting;
  const Duration wait = backoff_.next();
  retry_at_ = options_.now() + wait;
  log_warning(log_, "child", "%s: %s; it is started again in %s", config_.name.c_str(), why.c_str(), format_duration(wait).c_str());
  fail_all(unavailable());
  set_alarm();
}

std::string ChildServer::unavailable() const {
  std::string text = "the server " + config_.name + " is not running";
  if (!last_exit_.empty()) text += " (" + last_exit_ + ")";
  if (retry_at_ != never) text += "; it is started again in " + format_duration(std::max(Duration{}, retry_at_ - options_.now()));
  return text;
}

void ChildServer::fail_all(const std::string& why) {
  for (const Relay& relay : std::exchange(relays_, {})) {
    if (relay.tag != 0 && client_ != nullptr) client_->cancel(relay.tag, "closing down");
    fail(relay, why);
  }
}

/// Nobody needs it, and what it offers is known without it.
bool ChildServer::is_idle_known() const { return config_.idle_stop.nanos > 0 && state_ == State::ready && !is_used() && lists_.is_complete(); }

void ChildServer::on_alarm() {
  const Instant now = options_.now();
  if (state_ == State::waiting && retry_at_ <= now) return start();
  if (client_ != nullptr) client_->on_timer(now);
  if (is_idle_known() && used_at_ + config_.idle_stop <= now) {
    log_debug(log_, "child", "%s: idle, stopped until it is needed", config_.name.c_str());
    return stop_process();
  }
  set_alarm();
}

void ChildServer::set_alarm() {
  Instant next = retry_at_;
  if (client_ != nullptr && (state_ == State::starting || state_ == State::ready)) next = std::min(next, client_->next_deadline());
  if (is_idle_known()) next = std::min(next, used_at_ + config_.idle_stop);
  port_.wake_at(next);
}

ChildStatus ChildServer::status() const {
  ChildStatus status;
  status.name = config_.name;
  status.state = state_names[static_cast<size_t>(state_)];
  status.pid = port_.pid();
  if (client_ != nullptr && client_->is_ready()) status.revision = mcp::revision_text(client_->revision());
  status.tools = lists_.offer().tools.size();
  status.calls = relays_.size();
  status.starts = starts_;
  status.failures = failures_;
  status.last_exit = last_exit_;
  status.quarantined = lists_.quarantined();
  return status;
}

}  // namespace tideline::agent
