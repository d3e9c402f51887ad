// What stands around a provider in these tests: notes in memory, commands and a child process that the test plays.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/gateway/action_runs.hpp"
#include "agent/gateway/child_port.hpp"
#include "agent/gateway/notebook.hpp"
#include "agent/inputs/stamp_clock.hpp"

namespace tideline::test {

/// Answers when the test says deliver().
class MemoryNotebook final : public agent::Notebook {
 public:
  Status save(const std::string& key, std::string text, Listener& listener) override {
    if (refusal.has_value() == false) return refusal;
    events_.push_back([this, key, text = std::move(text), &listener] {
      if (write_error) return listener.on_saved(key, *write_error);
      text.empty() ? (void)notes.erase(key) : (void)notes.insert_or_assign(key, text);
      listener.on_saved(key, {});
    });
    return {};
  }
  void read(const std::string& key, Listener& listener) override {
    events_.push_back([this, key, &listener] {
      const auto found = notes.find(key);
      if (found != notes.end()) listener.on_read(key, found->second);
      else listener.on_read(key, Error{ErrorCode::not_found, 0, "note"});
    });
  }
  std::vector<std::string> keys(std::string_view prefix) const override {
    std::vector<std::string> out;
    for (const auto& [key, text] : notes) {
      if (key.starts_with(prefix)) out.push_back(key);
    }
    return out;
  }
  /// All that was asked, and what follows from it.
  void deliver() {
    while (!events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      event();
    }
  }
  bool is_idle() const { return events_.empty(); }

  std::map<std::string, std::string> notes;
  Status refusal;
  std::optional<Error> write_error;

 private:
  std::deque<std::function<void()>> events_;
};

/// Commands that the test ends.
class PlayedRuns final : public agent::ActionRuns {
 public:
  Status start(Run run, const agent::RunOrder& order) override {
    if (!start_result) return start_result;
    orders.emplace_back(run, order);
    return {};
  }
  void stop(Run run) override { stopped.push_back(run); }
  void wake_at(Instant at) override { alarm = at; }

  Status start_result;
  std::vector<std::pair<Run, agent::RunOrder>> orders;
  std::vector<Run> stopped;
  Instant alarm = never;
};

/// A child process that the test plays.
class PlayedPort final : public agent::ChildPort {
 public:
  Status start(Listener& listener) override {
    if (!start_result) return start_result;
    child = &listener;
    ++starts;
    return {};
  }
  void send(std::string line) override { sent.push_back(std::move(line)); }
  size_t queued_bytes() const override { return queued; }
  void stop() override { ++stops; }
  int pid() const override { return child != nullptr ? 7 : 0; }
  void wake_at(Instant at) override { alarm = at; }

  void end(const std::string& how) { std::exchange(child, nullptr)->on_exit(how); }

  Status start_result;
  Listener* child = nullptr;
  std::vector<std::string> sent;
  size_t queued = 0;
  int starts = 0;
  int stops = 0;
  Instant alarm = never;
};

class FixedClock final : public agent::StampClock {
 public:
  UtcNanos stamp() override { return time; }
  UtcNanos time{1'700'000'000'000'000'000};
};

}  // namespace tideline::test
