#include "hub/store/store_desk.hpp"

namespace tideline::hub {
namespace {

template <class Then, class Answer>
bool hand_over(std::unordered_map<StoreToken, Then>& waiting, StoreToken token, Answer& answer) {
  const auto found = waiting.find(token);
  if (found == waiting.end()) return false;
  const auto then = std::move(found->second);
  waiting.erase(found);
  then(std::move(answer));
  return true;
}

}  // namespace

void StoreDesk::run(std::unique_ptr<StoreJob> job, Changes changes) {
  const StoreToken token = next_++;
  StoreJob* const raw = job.get();
  jobs_[token] = std::move(job);
  // "" stands for an archive that is not open (StoreThread::run).
  const auto work = [raw](Archive& archive) {
    raw->work(archive);
    return std::string("done");
  };
  const Status taken = store_.run(token, work, changes);
  if (taken) return;
  const std::unique_ptr<StoreJob> refused = std::move(jobs_[token]);
  jobs_.erase(token);
  refused->done(taken);
}

StoreToken StoreDesk::ask(model::Query query, std::function<void(Result<model::QueryAnswer>)> then) {
  const StoreToken token = next_++;
  queries_[token] = std::move(then);
  if (const Status taken = store_.ask(token, std::move(query)); !taken) {
    Result<model::QueryAnswer> refused = taken.error();
    (void)hand_over(queries_, token, refused);
  }
  return token;
}

StoreToken StoreDesk::ask_latest(model::DeviceSelector devices, model::SeriesSelector series, LatestThen then) {
  const StoreToken token = next_++;
  latests_[token] = std::move(then);
  if (const Status taken = store_.ask_latest(token, std::move(devices), std::move(series)); !taken) {
    Result<std::vector<LatestValue>> refused = taken.error();
    (void)hand_over(latests_, token, refused);
  }
  return token;
}

StoreToken StoreDesk::ask_gaps(model::DeviceSelector devices, std::function<void(Result<Gaps>)> then) {
  const StoreToken token = next_++;
  gaps_[token] = std::move(then);
  if (const Status taken = store_.ask_gaps(token, std::move(devices)); !taken) {
    Result<Gaps> refused = taken.error();
    (void)hand_over(gaps_, token, refused);
  }
  return token;
}

void StoreDesk::cancel(StoreToken token) {
  if (queries_.erase(token) + latests_.erase(token) + gaps_.erase(token) > 0) store_.cancel(token);
}

bool StoreDesk::on_command(StoreToken token, const std::string& answer) {
  const auto found = jobs_.find(token);
  if (found == jobs_.end()) return false;
  const std::unique_ptr<StoreJob> job = std::move(found->second);
  jobs_.erase(found);
  job->done(answer.empty() ? Status(Error{ErrorCode::io, 0, "the hub's archive is not available"}) : Status());
  return true;
}

bool StoreDesk::on_answer(StoreToken token, Result<model::QueryAnswer>& answer) { return hand_over(queries_, token, answer); }
bool StoreDesk::on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values) { return hand_over(latests_, token, values); }
bool StoreDesk::on_gaps(StoreToken token, Result<Gaps>& gaps) { return hand_over(gaps_, token, gaps); }

}  // namespace tideline::hub
