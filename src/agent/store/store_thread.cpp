#include "agent/store/store_thread.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

using model::index_of;
using model::Stream;

// Blocks read before the clock is looked at again.
constexpr size_t query_blocks = 8;
constexpr Duration tick_interval = seconds(1);
constexpr Duration idle_tick_interval = seconds(30);

}  // namespace

StoreThread::StoreThread(std::unique_ptr<Store> store, uv::Waker& waker) : store_(std::move(store)), waker_(waker) {
  for (const Stream stream : model::streams) announced_[index_of(stream)] = store_->next(stream);
  publish(true);
  thread_ = std::thread(&StoreThread::run, this);
}

StoreThread::~StoreThread() { stop(); }

void StoreThread::post(StoreRequest request) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = inbox_.empty();
    inbox_.push_back(std::move(request));
  }
  if (was_empty) wake_.notify_one();
}

void StoreThread::take_events(std::vector<StoreEvent>& events, StoreMirror& mirror) {
  events.clear();
  const std::lock_guard lock(mutex_);
  events.swap(outgoing_);
  mirror.status = mirror_.status;
  if (mirror.version == mirror_.version) return;
  mirror = mirror_;
}

void StoreThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StoreThread::run() {
  std::vector<StoreRequest> requests;
  bool is_running = true;
  ticked_ = platform::now();  // a tick syncs copies and the like: not before the first answers
  while (is_running) {
    busy_since_.store(never.nanos, std::memory_order_relaxed);
    is_running = wait_for_requests(requests);
    const Instant now = platform::now();
    busy_since_.store(now.nanos, std::memory_order_relaxed);
    // All that is waiting shares the next commit.
    for (StoreRequest& each : requests) std::visit([&](auto& request) { handle(request, now); }, each);
    const bool is_active = !requests.empty();
    requests.clear();
    std::exchange(is_flush_asked_, false) ? store_->commit_all(now) : store_->commit_due(now);
    commit_notes(now);
    commit_context(now);
    if (now - ticked_ >= tick_interval) {
      ticked_ = now;
      store_->tick(now);
    }
    publish(is_active);
    if (!queries_.empty()) step_query(now);
  }
  store_->close(platform::now());
  queries_.clear();
  store_.reset();
}

/// False when the thread is to end after these.
bool StoreThread::wait_for_requests(std::vector<StoreRequest>& requests) {
  const Duration most = patience(platform::now());
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return !inbox_.empty() || is_stopping_; };
  if (most.nanos > 0) wake_.wait_for(lock, std::chrono::nanoseconds(most.nanos), is_due);
  requests.swap(inbox_);
  return !is_stopping_;
}

Duration StoreThread::patience(Instant now) const {
  if (!queries_.empty()) return {};
  const Instant commit = store_->next_commit();
  if (commit <= now) return {};
  const bool is_idle = commit == never && !store_->status().failed && !store_->wants_tick();
  const Duration tick = (is_idle ? idle_tick_interval : tick_interval) - (now - ticked_);
  return {std::clamp(std::min(tick.nanos, commit == never ? tick.nanos : (commit - now).nanos), int64_t{0}, idle_tick_interval.nanos)};
}

/// Works on the oldest question for at most limits::query_slice.
void StoreThread::step_query(Instant started) {
  StoreQuery& query = *queries_.front().query;
  for (Instant now = started; now - started < limits::query_slice; now = platform::now()) {
    if (!query.step(query_blocks, now)) continue;
    put(event::Answered{queries_.front().token, std::make_unique<model::QueryAnswer>(query.take()), {}});
    queries_.pop_front();
    publish(true);
    return;
  }
}

void StoreThread::publish(bool is_changed) {
  for (Completion& completion : store_->take_completions()) put(std::move(completion));
  for (const Stream stream : model::streams) {
    if (store_->next(stream) == announced_[index_of(stream)]) continue;
    announced_[index_of(stream)] = store_->next(stream);
    put(event::Committed{stream, store_->next(stream)});
  }
  if (out_.empty() && !is_changed && published_version_ == store_->state_version()) return;
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = outgoing_.empty();
    std::move(out_.begin(), out_.end(), std::back_inserter(outgoing_));
    mirror_.status = store_->status();
    if (published_version_ != store_->state_version()) {
      published_version_ = store_->state_version();
      mirror_.version = published_version_;
      const State& state = std::as_const(*store_).state();
      for (const Stream stream : model::streams) mirror_.gaps[index_of(stream)] = state.of(stream).gaps.all();
      mirror_.runs = state.runs;
      mirror_.anchors = state.anchors;
    }
  }
  out_.clear();
  if (was_empty) waker_.wake();
}

void StoreThread::handle(request::Append& append, Instant) {
  store_->append(append.stream, std::move(append.batch), append.durability, append.token, append.taken);
}

void StoreThread::handle(request::AddSeries& add, Instant) {
  (void)store_->series_id(add.series).has_value();  // the outbox's own dictionary said yes
}

void StoreThread::handle(request::Overrun& overrun, Instant now) { store_->declare_overrun(overrun.stream, overrun.readings, now); }
void StoreThread::handle(request::Flush&, Instant) { is_flush_asked_ = true; }

void StoreThread::handle(request::Fetch& fetch, Instant now) {
  put(event::FetchDone{fetch.stream, fetch.from, store_->fetch(fetch.stream, fetch.from, fetch.max_bytes, now)});
}

void StoreThread::handle(request::SetAcknowledged& set, Instant now) { store_->set_acknowledged(set.stream, set.ranges, now); }
void StoreThread::handle(request::AddAcknowledged& add, Instant now) { store_->add_acknowledged(add.stream, add.range, now); }

void StoreThread::handle(request::SetAside& set, Instant now) {
  (void)store_->set_aside(set.stream, set.range, now).has_value();  // kept in memory; saved again with the next commit
}

void StoreThread::handle(request::Rebase& rebase, Instant now) {
  put(event::Rebased{rebase.stream, store_->rebase(rebase.stream, rebase.from, rebase.next, now)});
}

void StoreThread::handle(request::SetAnchor& set, Instant now) { store_->set_anchor(set.anchor, now); }

void StoreThread::handle(request::SetSetting& set, Instant) {
  (void)store_->set_setting(set.key, set.value).has_value();  // kept in memory; saved again with the next commit
}

void StoreThread::handle(request::Ask& ask, Instant) {
  if (queries_.size() >= limits::outbox_queries) {
    put(event::Answered{ask.token, nullptr, {ErrorCode::busy, 0, "too many questions at once; ask again"}});
    return;
  }
  queries_.push_back({ask.token, std::make_unique<StoreQuery>(*store_, ask.query)});
}

void StoreThread::handle(request::PutNote& put, Instant) { note_changes_.push_back(std::move(put.change)); }

void StoreThread::handle(request::GetNote& get, Instant now) {
  commit_notes(now);  // those before it
  if (get.is_refused) {
    put(event::NoteRead{get.token, Error{ErrorCode::busy, 0, "too many notes are being read; ask again"}, true});
    return;
  }
  Result<std::string> text = store_->get_note(get.key, now);
  if (store_->take_notes_loss()) put(event::NotesLost{});
  put(event::NoteRead{get.token, std::move(text), false});
}

void StoreThread::handle(request::PutContext& put, Instant) { context_puts_.push_back(std::move(put.put)); }

void StoreThread::handle(request::AskContextHistory& ask, Instant now) {
  commit_context(now);  // those before it
  put(event::ContextHistory{ask.token, store_->context_history(ask.path)});
}

void StoreThread::commit_context(Instant now) {
  if (context_puts_.empty()) return;
  const Status status = store_->put_context(context_puts_, now);
  for (const ContextPut& each : context_puts_) put(event::ContextStored{each.token, status});
  context_puts_.clear();
}

void StoreThread::commit_notes(Instant now) {
  if (note_changes_.empty()) return;
  const std::vector<Status> statuses = store_->put_notes(note_changes_, now);
  if (store_->take_notes_loss()) put(event::NotesLost{});
  for (size_t i = 0; i < note_changes_.size(); ++i) {
    NoteChange& change = note_changes_[i];
    const size_t bytes = change.key.size() + change.text.size();
    put(event::Noted{change.token, std::move(change.key), !change.text.empty(), bytes, statuses[i]});
  }
  note_changes_.clear();
}

}  // namespace tideline::agent
