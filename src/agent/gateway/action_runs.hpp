// Runs the operator's commands: one process group each, output bounded, time bounded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/uv/loop.hpp"
#include "wrap/uv/process.hpp"

namespace tideline::agent {

struct RunOrder {
  std::vector<std::string> arguments;    ///< program first
  std::vector<std::string> environment;  ///< "NAME=value", all of it
  std::string directory;
  Duration timeout;
  size_t output_bytes = 0;               ///< kept of standard output
};

/// How a command ended.
struct RunOutcome {
  int64_t exit_code = 0;
  int signal = 0;            ///< 0 unless one ended it
  bool is_late = false;      ///< its time was over
  bool is_stopped = false;   ///< stop() ended it
  Duration took{};
  std::string output{};
  std::string errors{};      ///< the first limits::action_error_bytes
  bool is_cut = false;       ///< output was left out
};

/// Starts commands. Tests script it.
class ActionRuns {
 public:
  using Run = uint64_t;
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_run_ended(Run run, const RunOutcome& outcome) = 0;
    /// The time given to wake_at() has come.
    virtual void on_alarm() = 0;
  };
  virtual ~ActionRuns() = default;
  /// `run` was not used before; on_run_ended() follows, never from within. Errors: not_found or denied (the program or the directory), io.
  virtual Status start(Run run, const RunOrder& order) = 0;
  /// Ends it and everything it started: SIGTERM, and SIGKILL after limits::action_kill_delay. on_run_ended() follows.
  virtual void stop(Run run) = 0;
  /// One alarm, replacing the one before; `never`: none.
  virtual void wake_at(Instant at) = 0;
};

/// Real processes. Owned by Agent. Thread: loop. Destroying it kills what runs. The listener outlives it.
class ActionProcesses final : public ActionRuns, private uv::Timer::Listener {
 public:
  explicit ActionProcesses(uv::Loop& loop);
  ~ActionProcesses() override;
  void set_listener(ActionRuns::Listener& listener) { listener_ = &listener; }

  Status start(Run run, const RunOrder& order) override;
  void stop(Run run) override;
  void wake_at(Instant at) override;
  /// No event comes any more; what runs is killed.
  void close();

 private:
  class One;
  void on_timer(uv::Timer&) override { listener_->on_alarm(); }
  void on_done(Run run, const RunOutcome& outcome);

  uv::Loop& loop_;
  ActionRuns::Listener* listener_ = nullptr;
  std::map<Run, std::unique_ptr<One>> runs_;
  uv::Timer alarm_;
};

}  // namespace tideline::agent
