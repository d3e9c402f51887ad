// Runs the archive on a thread of its own, so that a slow disk slows acknowledgement and nothing else (law 7). Requests go in
// from the loop with a token of the caller's, answers come out on the loop through StoreListener.
//
// Owned by the hub's composition. Requests that change or load something are done in the order given; questions are done in
// slices of limits::query_slice_blocks between them, in turn: of limits::hub_queries, which hold memory; the others wait. That
// devices were seen is written once a second, together: when a fleet comes back after a restart, nothing waits for ten thousand
// syncs. After a failed transaction the archive is opened again; until that works every request is answered with an error, so
// nothing is acknowledged (convention 14). What ask_latest() found is kept until something changes (LatestAnswers): who has seen a
// change acknowledged never gets an answer from before it. Bounds: limits::store_requests, limits::hub_queries_waiting and those
// of LatestAnswers; the bytes of intake are bounded by Intake.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "hub/store/latest_answers.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::hub {

using StoreToken = uint64_t;

/// What a transaction said: verdicts by batch and block, or why nothing of it was kept.
using Verdicts = Result<std::vector<std::vector<BlockVerdict>>>;

/// Loop thread. No method may destroy the StoreThread.
class StoreListener {
 public:
  virtual ~StoreListener() = default;
  virtual void on_state_loaded(StoreToken token, Result<DeviceState> state) = 0;
  /// `took`: time in the transaction, sync included.
  virtual void on_applied(StoreToken token, Verdicts verdicts, Duration took) = 0;
  virtual void on_device(StoreToken token, Result<DeviceRecord> record) = 0;
  virtual void on_token_used(StoreToken token, Result<Token> used) = 0;
  virtual void on_done(StoreToken token, Status status) = 0;
  virtual void on_answer(StoreToken token, Result<model::QueryAnswer> answer) = 0;
  virtual void on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values) = 0;
  virtual void on_gaps(StoreToken token, Result<std::vector<std::pair<std::string, model::Gap>>> gaps) = 0;
  virtual void on_command(StoreToken token, std::string answer) = 0;
  /// The archive failed, or works again: for /healthz.
  virtual void on_store_health(Status health) = 0;
};

class StoreThread : private uv::Waker::Listener, private uv::TurnEnd::Listener {
 public:
  using Opener = std::function<Result<std::unique_ptr<Archive>>()>;
  /// An operator's command (hub/admin.hpp): rare, whole in itself, gives the text to answer.
  using Command = std::function<std::string(Archive&)>;
  /// What a command may change. Answers of ask_latest() stay in force after one that changes neither devices nor what they sent.
  enum class Changes : uint8_t { anything, no_readings };

  /// `archive` is open; `opener` opens it again after a failure, on the store thread.
  StoreThread(uv::Loop& loop, StoreListener& listener, Log& log, std::unique_ptr<Archive> archive, Opener opener,
              Duration touch_interval = limits::hub_tick);
  ~StoreThread() override;
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // Answered in the order given. Errors: full (limits::store_requests wait already), closed.
  Status load_state(StoreToken token, DeviceKey device, std::string epoch);   ///< on_state_loaded
  Status apply(StoreToken token, std::vector<IntakeBatch> batches);           ///< on_applied
  Status put_device(StoreToken token, DeviceRecord record);                   ///< on_device
  Status use_token(StoreToken token, std::string hash, std::string device, int64_t now_ns);                  ///< on_token_used
  Status set_setting(StoreToken token, std::string key, std::string value);   ///< on_done
  Status run(StoreToken token, Command command, Changes changes = Changes::anything);  ///< on_command; "" when the archive is not open

  /// Within `touch_interval`, and before the thread ends; on_done(), in the order of those given. Errors as above.
  Status touch_device(StoreToken token, DeviceKey device, int64_t last_seen_ns, std::string agent_version);

  // Questions: done between the others. Errors: full (limits::hub_queries_waiting wait already), closed.
  Status ask(StoreToken token, model::Query query);                           ///< on_answer
  /// on_latest; when nothing changed since the same was asked, at the end of this turn and without the store thread.
  Status ask_latest(StoreToken token, model::DeviceSelector devices, model::SeriesSelector series);
  Status ask_gaps(StoreToken token, model::DeviceSelector devices);           ///< on_gaps
  /// The answer is not wanted any more: its event comes with the error `closed`, unless it is on its way already.
  void cancel(StoreToken token);

  /// Does what waits except questions, then ends the thread and closes the archive. No event comes afterwards. Bounded by the
  /// disk's own sync time. Also done by the destructor.
  void close();

  /// When the thread began what it is doing (a request, a slice of a question); never while it waits for work. For the watchdog.
  Instant busy_since() const { return {busy_since_.load(std::memory_order_relaxed)}; }

 private:
  struct LoadState { DeviceKey device; std::string epoch; };
  struct Apply { std::vector<IntakeBatch> batches; };
  struct PutDevice { DeviceRecord record; };
  struct UseToken { std::string hash; std::string device; int64_t now_ns; };
  struct SetSetting { std::string key; std::string value; };
  struct RunCommand { Command command; Changes changes; };
  using Work = std::variant<LoadState, Apply, PutDevice, UseToken, SetSetting, RunCommand>;
  struct Request { StoreToken token; Work work; };

  struct Ask { model::Query query; std::unique_ptr<ArchiveQuery> running; };
  struct AskLatest {
    model::DeviceSelector devices;
    model::SeriesSelector series;
    std::string key;       ///< LatestAnswers::key_of() both
    uint64_t version = 0;  ///< of the archive before the first slice; 0: not begun
    std::string after{};
    std::vector<LatestValue> values{};
  };
  struct AskGaps { model::DeviceSelector devices; };
  struct Question { StoreToken token; std::variant<Ask, AskLatest, AskGaps> work; };

  struct Applied { Verdicts verdicts; Duration took; };
  struct Latest { LatestAnswers::Answer values; std::string key; uint64_t version; };
  struct Health { Status status; };
  using Answer = std::variant<Result<DeviceState>, Applied, Result<DeviceRecord>, Result<Token>, Status, Result<model::QueryAnswer>,
                              Latest, Result<std::vector<std::pair<std::string, model::Gap>>>, std::string, Health>;
  struct Reply { StoreToken token; Answer answer; };
  struct Hit { StoreToken token; const LatestAnswers::Answer* answer; };
  struct Execute;
  struct Deliver;

  Status submit(Request request);
  Status submit(Question question);
  void on_wake() override;
  void on_turn_end() override;
  void keep(Latest latest);

  // Store thread.
  void main();
  bool is_touch_due() const;
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  Question take_question();
  void work_on(const std::vector<StoreToken>& tokens, const std::vector<DeviceTouch>& touches);
  void work_on(Request request);
  void work_on(Question question);
  // Each does one slice; false: there is more to do.
  bool work_on(StoreToken token, Archive& archive, Ask& ask);
  bool work_on(StoreToken token, Archive& archive, AskLatest& ask);
  bool work_on(StoreToken token, Archive& archive, AskGaps& ask);
  void refuse(const Question& question, Error error);
  void reply(StoreToken token, Answer answer);
  bool take_cancelled(StoreToken token);
  Archive* archive_for_work();
  void reopen_if_failed();
  void drop_questions();
  void raise_version() { version_.fetch_add(1); }

  StoreListener& listener_;
  Log& log_;
  Opener opener_;
  const Duration touch_interval_;
  uv::Waker waker_;
  uv::TurnEnd turn_end_;
  LatestAnswers latest_;   // loop thread, like hits_
  std::vector<Hit> hits_;  // answered at the end of the turn; their answers stay in latest_ till then

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Request> requests_;     // guarded by mutex_, like all until replies_
  std::deque<Question> questions_;   // not begun
  std::deque<Question> under_way_;   // begun, each with its next slice to do; at most limits::hub_queries
  std::vector<StoreToken> cancelled_;
  std::vector<DeviceTouch> touches_;  // not yet written
  std::vector<StoreToken> touch_tokens_;
  Instant touch_due_ = never;
  bool is_question_at_work_ = false;
  bool is_old_ones_turn_ = false;
  bool is_closing_ = false;
  std::vector<Reply> replies_;

  std::atomic<int64_t> busy_since_ = never.nanos;
  std::atomic<uint64_t> version_ = 1;  // raised by the store thread with every change, before it is acknowledged
  std::unique_ptr<Archive> archive_;  // store thread; null while it cannot be opened
  Instant opened_last_;               // store thread: last attempt
  bool is_closed_ = false;            // loop thread
  std::thread thread_;                // last: it uses all of the above
};

}  // namespace tideline::hub
