// The store thread for those who ask it much: each request with what to do when its answer comes, on the loop.
//
// Owned by Hub. Thread: loop; a job's work() runs on the store thread while the loop leaves the job alone. Bounds: those of
// StoreThread; what it does not take is answered with its error in the same call.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hub/store/store_thread.hpp"

namespace tideline::hub {

/// Work on the archive with its result; kept by the desk until done() was called.
class StoreJob {
 public:
  virtual ~StoreJob() = default;
  /// Store thread. Not called when the archive is not open.
  virtual void work(Archive& archive) = 0;
  /// Loop, afterwards. `status` says why work() was not called.
  virtual void done(const Status& status) = 0;
};

/// A job made of two functions: what gives the value, and what is done with it.
template <class T>
class ValueJob final : public StoreJob {
 public:
  ValueJob(std::function<Result<T>(Archive&)> work, std::function<void(Result<T>)> then) : work_(std::move(work)), then_(std::move(then)) {}
  void work(Archive& archive) override { value_ = work_(archive); }
  void done(const Status& status) override { then_(status ? std::move(value_) : Result<T>(status.error())); }

 private:
  std::function<Result<T>(Archive&)> work_;
  std::function<void(Result<T>)> then_;
  Result<T> value_ = Error{ErrorCode::closed, 0, "not done"};
};

class StoreDesk {
 public:
  using Gaps = std::vector<std::pair<std::string, model::Gap>>;
  explicit StoreDesk(StoreThread& store) : store_(store) {}

  using Changes = StoreThread::Changes;
  /// Newest values, valid during the call.
  using LatestThen = std::function<void(const Result<std::vector<LatestValue>>&)>;

  void run(std::unique_ptr<StoreJob> job, Changes changes = Changes::anything);
  template <class T>
  void fetch(std::function<Result<T>(Archive&)> work, std::function<void(Result<T>)> then, Changes changes = Changes::anything) {
    run(std::make_unique<ValueJob<T>>(std::move(work), std::move(then)), changes);
  }
  StoreToken ask(model::Query query, std::function<void(Result<model::QueryAnswer>)> then);
  StoreToken ask_latest(model::DeviceSelector devices, model::SeriesSelector series, LatestThen then);
  StoreToken ask_gaps(model::DeviceSelector devices, std::function<void(Result<Gaps>)> then);
  /// Its answer is not wanted any more.
  void cancel(StoreToken token);

  // Events of the store thread; false when the token is not one of ours.
  bool on_command(StoreToken token, const std::string& answer);
  bool on_answer(StoreToken token, Result<model::QueryAnswer>& answer);
  bool on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values);
  bool on_gaps(StoreToken token, Result<Gaps>& gaps);

 private:
  StoreThread& store_;
  StoreToken next_ = StoreToken{1} << 62;  ///< apart from those of the fleet and of commands
  std::unordered_map<StoreToken, std::unique_ptr<StoreJob>> jobs_;
  std::unordered_map<StoreToken, std::function<void(Result<model::QueryAnswer>)>> queries_;
  std::unordered_map<StoreToken, LatestThen> latests_;
  std::unordered_map<StoreToken, std::function<void(Result<Gaps>)>> gaps_;
};

}  // namespace tideline::hub
