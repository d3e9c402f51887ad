// One third-party stdio MCP server as a provider: supervised, started when needed, its definitions judged, its names prefixed. What it
// answers is passed on as it is.
//
// Owned by Children. Thread: loop. After a crash: its lists are known from the notes of the last run, so it starts with its first call.
// Bounds: limits::mcp_in_flight calls, limits::child_queue_bytes towards it, and those of ChildLists and ChildPort. Arguments of calls and
// values of variables are never logged.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/gateway/child_config.hpp"
#include "agent/gateway/child_lists.hpp"
#include "agent/gateway/child_port.hpp"
#include "agent/gateway/child_status.hpp"
#include "agent/gateway/notebook.hpp"
#include "agent/gateway/provider.hpp"
#include "base/backoff.hpp"
#include "base/log.hpp"
#include "mcp/client.hpp"

namespace tideline::agent {

struct ChildServerOptions {
  std::string version;     ///< ours
  Instant (*now)() = nullptr;
  uint64_t seed = 0;       ///< of the jitter
  std::function<void()> on_notes_read = nullptr;  ///< what is known of the last run is offered now
};

class ChildServer final : public Provider, public ChildPort::Listener, private mcp::ClientListener, private Notebook::Listener {
 public:
  ChildServer(ChildConfig config, ChildServerOptions options, Answers& answers, ChildPort& port, Notebook& notebook, Log& log);

  /// Reads the lists of the last run, or starts the server to learn them.
  void begin();
  /// For good.
  void stop();
  bool is_running() const { return port_.pid() != 0; }
  ChildStatus status() const;

  Offer offer() const override { return lists_.offer(); }
  bool takes(const mcp::Call& call) const override;
  void on_call(const CallKey& key, const mcp::Call& call) override;
  void on_cancel(const CallKey& key) override;
  void on_watch(std::string_view uri, bool is_watched) override;

  void on_line(std::string_view line) override;
  void on_long_line() override;
  void on_exit(const std::string& how) override;
  void on_alarm() override;

 private:
  enum class State : uint8_t { asleep, starting, ready, waiting, stopping, stopped };
  /// A call on its way to the child, or waiting for it to start.
  struct Relay {
    CallKey key;
    mcp::Method method = mcp::Method::unknown;
    uint64_t tag = 0;          ///< 0: not sent
    std::string members;       ///< of params, for the child
    std::string meta;          ///< of params._meta, to pass on
    std::string log_level;     ///< "" or what a modern caller wants
    std::string capabilities;  ///< of the caller
    std::string principal;
    std::string target;        ///< in the caller's words
    bool wants_progress = false;
  };
  using Relays = std::deque<Relay>;

  // child_server.cpp: the life of the process
  void start();
  void start_soon();
  void stop_process();
  void on_down(const std::string& why);
  void set_alarm();
  bool is_used() const { return !relays_.empty() || !watched_here_.empty(); }
  bool is_idle_known() const;
  mcp::EraChoice next_era() const;
  void fail_all(const std::string& why);
  std::string unavailable() const;

  // child_calls.cpp: calls both ways
  std::string members_for(const mcp::Call& call) const;
  void send(Relay& relay);
  void fail(const Relay& relay, const std::string& why);
  void pass_error(const Relay& relay, mcp::Slice error);
  void pass_result(const Relay& relay, mcp::Slice result);
  bool may_see_task(std::string_view id, std::string_view principal) const;
  std::string task_prefix() const { return config_.name + "."; }
  void on_line_out(std::string line) override { port_.send(std::move(line)); }
  void on_outcome(const mcp::Outcome& outcome) override;
  void on_progress(uint64_t tag, mcp::Slice params) override;
  void on_log(mcp::Slice params) override;
  void on_request(std::string_view id, mcp::Method method, mcp::Slice params) override;
  void on_resource_updated(std::string_view uri) override { answers_.resource_updated(uri); }

  // child_server_lists.cpp: lists, now and from the last run
  void on_list(mcp::ListKind kind, const std::vector<std::string>& items, bool is_cut) override;
  void on_list_failed(mcp::ListKind kind, std::string_view why) override;
  void take_list(mcp::ListKind kind, const std::vector<std::string>& items);
  void keep_list(mcp::ListKind kind, const std::vector<std::string>& items);
  void read_next_note();
  void renew_watches();
  std::string note_key(mcp::ListKind kind) const;
  void on_saved(const std::string& key, const Status& status) override;
  void on_read(const std::string& key, const Result<std::string>& text) override;

  void on_ready() override;
  void on_respawn_wanted() override { is_respawn_wanted_ = true; }
  void on_unusable(std::string_view why) override;

  ChildConfig config_;
  ChildServerOptions options_;
  Answers& answers_;
  ChildPort& port_;
  Notebook& notebook_;
  Log& log_;
  std::string source_;
  ChildLists lists_;
  std::unique_ptr<mcp::Client> client_;
  Backoff backoff_;
  State state_ = State::asleep;
  bool is_stopped_ = false;          // stop() came
  bool is_respawn_wanted_ = false;
  bool has_told_long_line_ = false;  // in this process
  std::string unusable_;             // why the protocol could not be agreed
  std::string known_era_;            // from the notes, "" when none
  size_t notes_left_ = 0;            // to read
  Instant started_at_{};
  Instant used_at_{};
  Instant retry_at_ = never;
  uint64_t starts_ = 0;
  uint64_t failures_ = 0;
  std::string last_exit_;
  Relays relays_;
  std::set<std::string, std::less<>> watched_;  // by anybody
  std::vector<std::string> watched_here_;       // of them, those that are the child's
  std::deque<std::pair<std::string, std::string>> tasks_;  // ids as the child gave them, and whose they are
};

}  // namespace tideline::agent
