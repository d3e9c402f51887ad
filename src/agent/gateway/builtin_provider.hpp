// The tools, resources and prompts that every agent has: series, newest values, questions, records, sync, doctor. Each answer says how old
// it is, how good the clock is, and what is missing.
//
// Owned by Agent. Thread: loop. Nothing survives a crash. Bounds: limits::builtin_calls under way, LatestReadings' per series.
// What was stored before this run is read back once, at the first call that needs it: its end, then the newest value of each series. A
// series that fell silent long ago costs reading far back, so calls wait for those limits::history_ticks seconds at most.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/agent_services.hpp"
#include "agent/gateway/hearing.hpp"
#include "agent/gateway/latest_readings.hpp"
#include "agent/gateway/provider.hpp"

namespace tideline::agent {

class BuiltinProvider final : public Provider, public AgentServices::Listener {
 public:
  BuiltinProvider(AgentServices& services, Answers& answers) : services_(services), answers_(answers) {}

  Offer offer() const override;
  bool takes(const mcp::Call& call) const override;
  void on_call(const CallKey& key, const mcp::Call& call) override;
  void on_cancel(const CallKey& key) override;
  void on_watch(std::string_view uri, bool is_watched) override;

  // Events of the agent.
  void on_readings(model::Stream stream, const model::ReadingBatch& batch) { latest_.take(stream, batch, services_.moment()); }
  void on_committed(model::Stream stream);
  /// Once a second: tells watchers what changed.
  void on_tick(Instant now);

  void on_answer(AgentServices::Token token, const Result<model::QueryAnswer>& answer) override;
  void on_recorded(AgentServices::Token token, const Status& status) override;

 private:
  /// A call with its own copies: it may wait.
  struct Job {
    CallKey key;
    mcp::Method method = mcp::Method::unknown;
    std::string target;
    std::string arguments;  ///< of a tool or prompt; of a completion its params
  };
  /// A question that the store is answering.
  struct Asked {
    Job job;
    model::Query query;
    TimeRange range;
  };
  /// What a call must know of the time before this run.
  enum class Past : uint8_t { nothing, end_of_last_run, newest_values };
  struct ToolRow {
    std::string_view name;
    Past needs;
    void (BuiltinProvider::*run)(const Job&);
  };
  static const std::array<ToolRow, 7> tools_;

  // builtin_provider.cpp: which call goes where
  void start(Job job);
  void run(const Job& job);
  void fail_tool(const Job& job, const std::string& text) { answers_.reply_own(job.key, tool_problem(text)); }
  static std::string tool_problem(const std::string& text);
  size_t under_way() const { return asked_.size() + recording_.size() + waiting_.size(); }

  // builtin_history.cpp: what was before this run
  static Past needed_past(const Job& job);
  bool knows(Past past) const;
  void release(Past known);
  void begin_load();
  void load_next();
  void on_loaded(const Result<model::QueryAnswer>& answer);
  void take_stored(const model::QueryAnswer& answer);
  void end_load(const std::string& problem);
  /// The series that a selector asks for, and their classes.
  struct Matched {
    std::vector<model::SeriesId> ids;
    std::array<bool, model::stream_count> streams{};
  };
  Matched matched(const model::SeriesSelector& selector) const;
  Hearing hearing(const Matched& asked) const;
  Heard heard_of(const Matched& asked, const TimeRange& range) const;

  // builtin_tools.cpp
  void list_series(const Job& job);
  void latest(const Job& job);
  void query(const Job& job);
  void on_queried(const Asked& asked, const model::QueryAnswer& answer);
  void ask(Asked asked);
  std::string series_list_json(const model::SeriesSelector& selector, bool says_why, std::string& text);

  // builtin_device_tools.cpp
  void record(const Job& job);
  void sync_status(const Job& job);
  void sync_now(const Job& job);
  void doctor(const Job& job);
  std::string sync_json(bool is_requested, std::string& text) const;
  std::string doctor_json(std::string& text) const;

  // builtin_resources.cpp
  void read(const Job& job);
  void on_series_read(const Asked& asked, const model::QueryAnswer& answer);
  std::string gaps_json(const TimeRange& range) const;
  void announce_series(const std::set<model::SeriesId>& changed);
  uint64_t gap_mark() const;

  // builtin_prompts.cpp
  void prompt(const Job& job);
  void diagnose_device(const Job& job);
  void explain_outage(const Job& job);
  void complete(const Job& job);

  AgentServices& services_;
  Answers& answers_;
  LatestReadings latest_;

  enum class History : uint8_t { unread, reading_end, reading_values, read };
  History history_ = History::unread;
  std::optional<UtcNanos> last_before_;
  AgentServices::Token load_token_ = 0;
  model::SeriesId load_at_ = 0;    // series below are known or asked
  model::SeriesId load_end_ = 0;
  unsigned load_ticks_ = 0;        // seconds that calls have waited for values

  AgentServices::Token last_token_ = 0;
  std::map<AgentServices::Token, Asked> asked_;
  std::map<AgentServices::Token, std::pair<CallKey, size_t>> recording_;  // and how many readings
  std::vector<Job> waiting_;       // for the history

  std::set<std::string, std::less<>> watched_;
  std::set<model::SeriesId> committed_;  // with new readings since the last tick
  bool has_committed_ = false;           // since the status was announced
  Instant status_at_{};
  std::string link_state_;
  uint64_t gap_mark_ = 0;
};

/// Members that every answer begins with: device, answered_at, time_quality.
void write_head(json::Writer& w, const AgentServices& services);

}  // namespace tideline::agent
