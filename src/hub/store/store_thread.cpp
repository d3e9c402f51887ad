#include "hub/store/store_thread.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::hub {
namespace {

constexpr Error not_open = {ErrorCode::io, 0, "the archive failed and could not be opened again yet"};
constexpr Error not_wanted = {ErrorCode::closed, 0, "the question was withdrawn"};
constexpr Error too_many_questions = {ErrorCode::full, 0, "too many questions at once: ask again later"};

}  // namespace

/// Does one request. Without an archive each kind gives the same error in its own type.
struct StoreThread::Execute {
  Archive* archive;

  template <class T, class Function>
  Answer with(Function function) {
    if (archive == nullptr) return T(not_open);
    return T(function(*archive));
  }
  Answer operator()(LoadState& work) {
    return with<Result<DeviceState>>([&](Archive& open) { return open.load_state(work.device, work.epoch); });
  }
  Answer operator()(Apply& work) {
    if (archive == nullptr) return Applied{not_open, {}};
    const Instant begin = platform::now();
    Verdicts verdicts = archive->apply(work.batches);
    return Applied{std::move(verdicts), platform::now() - begin};
  }
  Answer operator()(PutDevice& work) {
    return with<Result<DeviceRecord>>([&](Archive& open) { return open.put_device(work.record); });
  }
  Answer operator()(UseToken& work) {
    return with<Result<Token>>([&](Archive& open) { return open.use_token(work.hash, work.device, work.now_ns); });
  }
  Answer operator()(SetSetting& work) {
    return with<Status>([&](Archive& open) { return open.set_setting(work.key, work.value); });
  }
  Answer operator()(RunCommand& work) {
    if (archive == nullptr) return std::string();
    return work.command(*archive);
  }
};

/// Hands one answer to its event.
struct StoreThread::Deliver {
  StoreListener& listener;
  StoreToken token;

  void operator()(Result<DeviceState>& state) { listener.on_state_loaded(token, std::move(state)); }
  void operator()(Applied& applied) { listener.on_applied(token, std::move(applied.verdicts), applied.took); }
  void operator()(Result<DeviceRecord>& record) { listener.on_device(token, std::move(record)); }
  void operator()(Result<Token>& used) { listener.on_token_used(token, std::move(used)); }
  void operator()(Status& status) { listener.on_done(token, status); }
  void operator()(Result<model::QueryAnswer>& answer) { listener.on_answer(token, std::move(answer)); }
  void operator()(Latest& latest) { listener.on_latest(token, latest.values); }
  void operator()(Result<std::vector<std::pair<std::string, model::Gap>>>& gaps) { listener.on_gaps(token, std::move(gaps)); }
  void operator()(std::string& answer) { listener.on_command(token, std::move(answer)); }
  void operator()(Health& health) { listener.on_store_health(health.status); }
};

StoreThread::StoreThread(uv::Loop& loop, StoreListener& listener, Log& log, std::unique_ptr<Archive> archive, Opener opener, Duration touch_interval)
    : listener_(listener), log_(log), opener_(std::move(opener)), touch_interval_(touch_interval), waker_(loop, *this), turn_end_(loop, *this), archive_(std::move(archive)), thread_([this] { main(); }) {}

StoreThread::~StoreThread() { close(); }

Status StoreThread::load_state(StoreToken token, DeviceKey device, std::string epoch) {
  return submit(Request{token, LoadState{device, std::move(epoch)}});
}
Status StoreThread::apply(StoreToken token, std::vector<IntakeBatch> batches) { return submit(Request{token, Apply{std::move(batches)}}); }
Status StoreThread::put_device(StoreToken token, DeviceRecord record) { return submit(Request{token, PutDevice{std::move(record)}}); }
Status StoreThread::touch_device(StoreToken token, DeviceKey device, int64_t last_seen_ns, std::string agent_version) {
  if (is_closed_) return Error{ErrorCode::closed, 0, "store thread"};
  {
    const std::lock_guard guard(mutex_);
    if (touches_.size() >= limits::store_requests) return Error{ErrorCode::full, 0, "too many requests wait for the store"};
    if (touches_.empty()) touch_due_ = platform::now() + touch_interval_;
    touches_.push_back({device, last_seen_ns, std::move(agent_version)});
    touch_tokens_.push_back(token);
  }
  has_work_.notify_one();
  return {};
}
Status StoreThread::use_token(StoreToken token, std::string hash, std::string device, int64_t now_ns) {
  return submit(Request{token, UseToken{std::move(hash), std::move(device), now_ns}});
}
Status StoreThread::set_setting(StoreToken token, std::string key, std::string value) {
  return submit(Request{token, SetSetting{std::move(key), std::move(value)}});
}
Status StoreThread::run(StoreToken token, Command command, Changes changes) { return submit(Request{token, RunCommand{std::move(command), changes}}); }

Status StoreThread::ask(StoreToken token, model::Query query) { return submit(Question{token, Ask{std::move(query), nullptr}}); }
Status StoreThread::ask_latest(StoreToken token, model::DeviceSelector devices, model::SeriesSelector series) {
  if (is_closed_) return Error{ErrorCode::closed, 0, "store thread"};
  std::string key = LatestAnswers::key_of(devices, series);
  const LatestAnswers::Answer* const known = latest_.find(key, version_.load());
  if (known == nullptr) return submit(Question{token, AskLatest{std::move(devices), std::move(series), std::move(key)}});
  if (hits_.size() >= limits::hub_queries_waiting) return too_many_questions;
  hits_.push_back({token, known});
  turn_end_.request();
  return {};
}
Status StoreThread::ask_gaps(StoreToken token, model::DeviceSelector devices) { return submit(Question{token, AskGaps{std::move(devices)}}); }

void StoreThread::cancel(StoreToken token) {
  if (std::any_of(hits_.begin(), hits_.end(), [&](const Hit& hit) { return hit.token == token; })) return;
  const std::lock_guard guard(mutex_);
  const auto is_it = [&](const Question& question) { return question.token == token; };
  if (std::any_of(questions_.begin(), questions_.end(), is_it) || std::any_of(under_way_.begin(), under_way_.end(), is_it) || is_question_at_work_) {
    cancelled_.push_back(token);
  }
}

void StoreThread::close() {
  if (is_closed_) return;
  is_closed_ = true;
  {
    const std::lock_guard guard(mutex_);
    is_closing_ = true;
  }
  has_work_.notify_one();
  thread_.join();
  archive_.reset();
}

Status StoreThread::submit(Request request) {
  if (is_closed_) return Error{ErrorCode::closed, 0, "store thread"};
  {
    const std::lock_guard guard(mutex_);
    if (requests_.size() >= limits::store_requests) return Error{ErrorCode::full, 0, "too many requests wait for the store"};
    requests_.push_back(std::move(request));
  }
  has_work_.notify_one();
  return {};
}

Status StoreThread::submit(Question question) {
  if (is_closed_) return Error{ErrorCode::closed, 0, "store thread"};
  {
    const std::lock_guard guard(mutex_);
    if (questions_.size() >= limits::hub_queries_waiting) return too_many_questions;
    questions_.push_back(std::move(question));
  }
  has_work_.notify_one();
  return {};
}

void StoreThread::on_wake() {
  std::vector<Reply> replies;
  {
    const std::lock_guard guard(mutex_);
    replies.swap(replies_);
  }
  for (Reply& reply : replies) {
    if (is_closed_) return;
    std::visit(Deliver{listener_, reply.token}, reply.answer);
    if (auto* latest = std::get_if<Latest>(&reply.answer)) keep(std::move(*latest));
  }
}

/// While hits wait for the end of the turn, nothing goes to make room.
void StoreThread::keep(Latest latest) {
  if (hits_.empty() || latest_.has_room(latest.values)) latest_.keep(std::move(latest.key), latest.version, std::move(latest.values));
}

void StoreThread::on_turn_end() {
  const std::vector<Hit> hits = std::exchange(hits_, {});
  for (const Hit& hit : hits) {
    if (is_closed_) return;
    listener_.on_latest(hit.token, *hit.answer);
  }
}

void StoreThread::main() {
  std::unique_lock lock(mutex_);
  for (;;) {
    busy_since_.store(never.nanos, std::memory_order_relaxed);
    wait_for_work(lock);
    busy_since_.store(platform::now().nanos, std::memory_order_relaxed);
    if (is_touch_due()) {
      std::vector<DeviceTouch> touches;
      std::vector<StoreToken> tokens;
      touches.swap(touches_);
      tokens.swap(touch_tokens_);
      lock.unlock();
      work_on(tokens, touches);
      lock.lock();
    } else if (!requests_.empty()) {
      Request request = std::move(requests_.front());
      requests_.pop_front();
      lock.unlock();
      work_on(std::move(request));
      lock.lock();
    } else if (is_closing_) {
      questions_.clear();
      under_way_.clear();
      return;
    } else {
      Question question = take_question();
      is_question_at_work_ = true;
      lock.unlock();
      work_on(std::move(question));
      lock.lock();
      is_question_at_work_ = false;
      if (questions_.empty() && under_way_.empty()) cancelled_.clear();
    }
  }
}

/// A new one and one under way by turns, so that neither a crowd of short questions nor a few long ones keep the others waiting.
StoreThread::Question StoreThread::take_question() {
  const bool can_begin = !questions_.empty() && under_way_.size() < limits::hub_queries;
  std::deque<Question>& from = can_begin && (under_way_.empty() || !is_old_ones_turn_) ? questions_ : under_way_;
  is_old_ones_turn_ = &from == &questions_;
  Question question = std::move(from.front());
  from.pop_front();
  return question;
}

bool StoreThread::is_touch_due() const { return !touches_.empty() && (is_closing_ || platform::now() >= touch_due_); }

/// Until there is something to do; touches_ alone become that when their time comes.
void StoreThread::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (requests_.empty() && questions_.empty() && under_way_.empty() && !is_closing_ && !is_touch_due()) {
    if (touches_.empty()) has_work_.wait(lock);
    else has_work_.wait_for(lock, std::chrono::nanoseconds((touch_due_ - platform::now()).nanos));
  }
}

void StoreThread::work_on(const std::vector<StoreToken>& tokens, const std::vector<DeviceTouch>& touches) {
  Archive* const archive = archive_for_work();
  const Status touched = archive == nullptr ? Status(not_open) : archive->touch_devices(touches);
  raise_version();
  for (const StoreToken token : tokens) reply(token, touched);
  reopen_if_failed();
}

void StoreThread::work_on(Request request) {
  Answer answer = std::visit(Execute{archive_for_work()}, request.work);
  const auto* const run = std::get_if<RunCommand>(&request.work);
  const bool only_reads = std::holds_alternative<LoadState>(request.work) || (run != nullptr && run->changes == Changes::no_readings);
  if (!only_reads) raise_version();
  reply(request.token, std::move(answer));
  reopen_if_failed();
}

void StoreThread::work_on(Question question) {
  if (take_cancelled(question.token)) return refuse(question, not_wanted);
  Archive* const archive = archive_for_work();
  if (archive == nullptr) return refuse(question, not_open);
  const bool is_answered = std::visit([&](auto& ask) { return work_on(question.token, *archive, ask); }, question.work);
  if (is_answered) return;
  const std::lock_guard guard(mutex_);
  under_way_.push_back(std::move(question));
}

bool StoreThread::work_on(StoreToken token, Archive& archive, Ask& ask) {
  using Answered = Result<model::QueryAnswer>;
  if (ask.running == nullptr) {
    auto started = archive.start_query(ask.query);
    if (!started) {
      reply(token, Answered(started.error()));
      return true;
    }
    ask.running = std::move(*started);
  }
  const auto is_done = ask.running->advance(limits::query_slice_blocks);
  if (is_done && !*is_done) return false;
  reply(token, is_done ? Answered(ask.running->take()) : Answered(is_done.error()));
  return true;
}

bool StoreThread::work_on(StoreToken token, Archive& archive, AskLatest& ask) {
  if (ask.version == 0) ask.version = version_.load();
  const auto is_done = archive.latest_some(ask.devices, ask.series, ask.after, limits::latest_slice_devices, ask.values);
  if (is_done && !*is_done) return false;
  using Answered = LatestAnswers::Answer;
  reply(token, Latest{is_done ? Answered(std::move(ask.values)) : Answered(is_done.error()), std::move(ask.key), ask.version});
  return true;
}

bool StoreThread::work_on(StoreToken token, Archive& archive, AskGaps& ask) {
  reply(token, archive.gaps(ask.devices));
  return true;
}

void StoreThread::refuse(const Question& question, Error error) {
  if (std::holds_alternative<Ask>(question.work)) return reply(question.token, Result<model::QueryAnswer>(error));
  if (std::holds_alternative<AskLatest>(question.work)) return reply(question.token, Latest{error, {}, 0});
  reply(question.token, Result<std::vector<std::pair<std::string, model::Gap>>>(error));
}

void StoreThread::reply(StoreToken token, Answer answer) {
  {
    const std::lock_guard guard(mutex_);
    replies_.push_back({token, std::move(answer)});
  }
  waker_.wake();
}

bool StoreThread::take_cancelled(StoreToken token) {
  const std::lock_guard guard(mutex_);
  return std::erase(cancelled_, token) != 0;
}

/// The archive, or null when it failed and cannot be opened again now. Tries at most once in limits::archive_reopen.
Archive* StoreThread::archive_for_work() {
  if (archive_ != nullptr) return archive_.get();
  const Instant now = platform::now();
  if (now - opened_last_ < limits::archive_reopen) return nullptr;
  opened_last_ = now;
  auto opened = opener_();
  if (!opened) {
    log_error(log_, "archive", "cannot be opened again: %s (%d)", opened.error().context, opened.error().native);
    return nullptr;
  }
  archive_ = std::move(*opened);
  log_info(log_, "archive", "open again");
  raise_version();
  reply(0, Health{});
  return archive_.get();
}

void StoreThread::reopen_if_failed() {
  if (archive_ == nullptr || !archive_->has_failed()) return;
  log_error(log_, "archive", "a transaction failed: nothing of it was acknowledged, the archive is opened again");
  drop_questions();
  archive_.reset();
  raise_version();
  reply(0, Health{not_open});
  (void)archive_for_work();
}

/// Questions under way point into the archive that is about to go.
void StoreThread::drop_questions() {
  const std::lock_guard guard(mutex_);
  for (Question& question : under_way_) {
    if (auto* ask = std::get_if<Ask>(&question.work)) ask->running.reset();
  }
}

}  // namespace tideline::hub
