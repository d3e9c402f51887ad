// Runs the archive on a thread of its own, so that a slow disk slows acknowledgement and nothing else (law 7). Requests go in
// from the loop with a token of the caller's, answers come out on the loop through StoreListener.
//
// Owned by the hub's composition. Requests that change or load something are done in the order given; questions are done in
// slices of limits::query_slice_blocks between them, in turn: of limits::hub_queries, which hold memory; the others wait. That devices were seen is written once a second, together: when a fleet
// comes back after a restart, nothing waits for ten thousand syncs. After a failed transaction the archive is opened again; until
// that works every request is answered with an error, so nothing is acknowledged (convention 14). Bounds: limits::store_requests
// and limits::hub_queries_waiting; the bytes of intake are bounded by Intake.
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
  virtual void on_latest(StoreToken token, Result<std::vector<LatestValue>> values) = 0;
  virtual void on_gaps(StoreToken token, Result<std::vector<std::pair<std::string, model::Gap>>> gaps) = 0;
  virtual void on_command(StoreToken token, std::string answer) = 0;
  /// The archive failed, or works again: for /healthz.
  virtual void on_store_health(Status health) = 0;
};

class StoreThread : private uv::Waker::Listener {
 public:
  using Opener = std::function<Result<std::unique_ptr<Archive>>()>;
  /// An operator's command (hub/admin.hpp): rare, whole in itself, gives the text to answer.
  using Command = std::function<std::string(Archive&)>;

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
  Status run(StoreToken token, Command command);                              ///< on_command; "" when the archive is not open

  /// Within `touch_interval`, and before the thread ends; on_done(), in the order of those given. Errors as above.
  Status touch_device(StoreToken token, DeviceKey device, int64_t last_seen_ns, std::string agent_version);

  // Questions: done between the others. Errors: full (limits::hub_queries_waiting wait already), closed.
  Status ask(StoreToken token, model::Query query);                           ///< on_answer
  Status ask_latest(StoreToken token, model::DeviceSelector devices, model::SeriesSelector series);  ///< on_latest
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
  struct RunCommand { Command command; };
  using Work = std::variant<LoadState, Apply, PutDevice, UseToken, SetSetting, RunCommand>;
  struct Request { StoreToken token; Work work; };

  struct Ask { model::Query query; std::unique_ptr<ArchiveQuery> running; };
  struct AskLatest { model::DeviceSelector devices; model::SeriesSelector series; std::string after; std::vector<LatestValue> values; };
  struct AskGaps { model::DeviceSelector devices; };
  struct Question { StoreToken token; std::variant<Ask, AskLatest, AskGaps> work; };

  struct Applied { Verdicts verdicts; Duration took; };
  struct Health { Status status; };
  using Answer = std::variant<Result<DeviceState>, Applied, Result<DeviceRecord>, Result<Token>, Status, Result<model::QueryAnswer>,
                              Result<std::vector<LatestValue>>, Result<std::vector<std::pair<std::string, model::Gap>>>, std::string, Health>;
  struct Reply { StoreToken token; Answer answer; };
  struct Execute;
  struct Deliver;

  Status submit(Request request);
  Status submit(Question question);
  void on_wake() override;

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

  StoreListener& listener_;
  Log& log_;
  Opener opener_;
  const Duration touch_interval_;
  uv::Waker waker_;

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
  std::unique_ptr<Archive> archive_;  // store thread; null while it cannot be opened
  Instant opened_last_;               // store thread: last attempt
  bool is_closed_ = false;            // loop thread
  std::thread thread_;                // last: it uses all of the above
};

}  // namespace tideline::hub
