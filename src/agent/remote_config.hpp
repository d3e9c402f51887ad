// Configuration from the hub: desired/config is checked, tried, and kept only when the hub has heard of it from the device that runs
// with it. A change that cuts the device off from its hub, or that it does not survive, is taken back by the device alone.
//
// Pure: events in, calls of Host out. Owned by the composition root. Thread: loop. Durable: one text of at most limits::config_bytes,
// saved before a change is tried, so that a crash in the middle is seen at the next start.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace tideline::agent {

/// What survives a restart.
struct RemoteConfigState {
  std::string confirmed;          ///< JSON laid over the file, "" none: the hub was reached with it
  std::string confirmed_version;  ///< of desired/config
  bool is_trying = false;
  std::string trial;              ///< in force now, not yet confirmed; "" may be a trial too: of the file alone
  std::string trial_version;
  std::string refused_version;    ///< not tried again
  std::string refused_why;
  unsigned starts = 0;            ///< of the process, during the trial
  bool operator==(const RemoteConfigState&) const = default;
};
std::string write_remote_config_state(const RemoteConfigState& state);
/// Errors: corrupt. Then the file alone is in force.
Result<RemoteConfigState> parse_remote_config_state(std::string_view text);

/// A process that ended so often during a trial does not survive it.
inline constexpr unsigned trial_starts_most = 3;

class RemoteConfig {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    /// What is wrong with the file under `overlay`, a line each; empty when it can be used.
    virtual std::vector<std::string> check(const std::string& overlay) = 0;
    /// Puts it in force. False: some of it waits for a restart of the process.
    virtual bool apply(const std::string& overlay) = 0;
    /// The process ends in good order and begins anew with the state that was saved.
    virtual void restart() = 0;
    /// Durable on return.
    virtual Status save(const RemoteConfigState& state) = 0;
    /// Told to the hub under reported/: `overlay` in force ("" none), `state` of desired/config, why not.
    virtual void report(const std::string& overlay, std::string_view state, const std::string& version, const std::string& error) = 0;
  };
  /// `confirm_within`: how long a change may run before the hub has heard of it.
  RemoteConfig(RemoteConfigState state, Duration confirm_within, Host& host, Log& log);

  /// What to lay over the file at the start of the process; counts the start, and gives up a trial that was not survived. Before Host
  /// is used; the state it returns must be saved by the caller.
  static RemoteConfigState begin(RemoteConfigState state);
  static const std::string& overlay_of(const RemoteConfigState& state) { return state.is_trying ? state.trial : state.confirmed; }

  /// The process runs; `desired` as it is now.
  void start(const std::string& version, const std::optional<std::string>& desired, Instant now);
  /// desired/config was written or deleted.
  void on_desired(const std::string& version, const std::optional<std::string>& desired, Instant now);
  /// The hub holds everything that was reported since the trial began.
  void on_heard(Instant now);
  void on_tick(Instant now);
  Instant next_wake() const { return deadline_; }
  bool is_trying() const { return state_.is_trying; }
  const RemoteConfigState& state() const { return state_; }

 private:
  void refuse(const std::string& version, const std::string& why);
  void try_out(const std::string& version, const std::string& overlay, Instant now);
  void roll_back(const std::string& why);
  void say();
  void save();

  RemoteConfigState state_;
  Duration confirm_within_;
  Host& host_;
  Log& log_;
  Instant deadline_ = never;
};

}  // namespace tideline::agent
