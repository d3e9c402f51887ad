#include "agent/store/outbox.hpp"

#include <map>
#include <set>
#include <utility>

#include "agent/store/store_thread.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

using model::index_of;
using model::Stream;

// Emptied batches that are handed back to producers, so that a steady flow allocates nothing.
constexpr size_t buffers_kept = 4;

/// The loop's side: keeps the bounds, numbers series, passes requests to the store thread and events to the listener.
class ThreadedOutbox final : public Outbox, private uv::Waker::Listener {
 public:
  ThreadedOutbox(std::unique_ptr<Store> store, uv::Loop& loop, Outbox::Listener& listener)
      : listener_(listener),
        dictionary_(store->dictionary()),
        settings_(std::as_const(*store).state().settings),
        note_keys_(keys_of(store->note_keys())),
        context_(store->take_context()),
        anchor_(store->status().anchor),
        waker_(loop, *this),
        thread_(std::make_unique<StoreThread>(std::move(store), waker_)) {
    update_mirror();
  }
  ~ThreadedOutbox() override { close(); }

  Result<model::SeriesId> series_id(const model::Series& series) override {
    const model::SeriesId before = dictionary_.size();
    ASSIGN_OR_RETURN(const model::SeriesId id, dictionary_.add(series));
    if (dictionary_.size() != before) post(request::AddSeries{series});
    return id;
  }
  const model::SeriesDictionary& dictionary() const override { return dictionary_; }

  Status append(Stream stream, model::ReadingBatch&& batch, Durability durability, Token token, Instant now) override {
    if (batch.size() > limits::pending_readings || batch.text().size() > limits::pending_text_bytes) {
      return Error{ErrorCode::limit, 0, "more readings in one batch than may be pending"};
    }
    if (is_closed()) return Error{ErrorCode::closed, 0, "the store is closed"};
    if (taken_readings_ + batch.size() > limits::pending_readings || taken_text_bytes_ + batch.text().size() > limits::pending_text_bytes ||
        taken_batches_ >= limits::outbox_requests) {
      return Error{ErrorCode::full, 0, "too many readings wait to be stored"};
    }
    taken_readings_ += batch.size();
    taken_text_bytes_ += batch.text().size();
    ++taken_batches_;
    mirror_.status.streams[index_of(stream)].pending_readings = taken_by_stream_[index_of(stream)] += batch.size();
    post(request::Append{stream, std::move(batch), durability, token, now});
    batch = take_buffer();
    return {};
  }
  bool has_room() const override {
    return taken_readings_ <= limits::pending_readings / 2 && taken_text_bytes_ <= limits::pending_text_bytes / 2 &&
           taken_batches_ <= limits::outbox_requests / 2;
  }
  void declare_overrun(Stream stream, uint64_t readings) override { post(request::Overrun{stream, readings}); }
  void flush() override { post(request::Flush{}); }

  void fetch(Stream stream, model::Seq from, size_t max_bytes) override { post(request::Fetch{stream, from, max_bytes}); }
  void set_acknowledged(Stream stream, const model::SeqRanges& ranges) override { post(request::SetAcknowledged{stream, ranges}); }
  void add_acknowledged(Stream stream, model::SeqRange range) override { post(request::AddAcknowledged{stream, range}); }
  void set_aside(Stream stream, model::SeqRange range) override { post(request::SetAside{stream, range}); }
  void rebase(Stream stream, model::Seq from, model::Seq next) override { post(request::Rebase{stream, from, next}); }

  std::vector<model::Gap> gaps(Stream stream, model::Seq from) const override {
    GapList list;
    list.assign(mirror_.gaps[index_of(stream)]);
    return list.from(from);
  }
  std::vector<model::Run> runs() const override { return mirror_.runs; }
  std::vector<model::Anchor> anchors() const override { return mirror_.anchors; }
  void set_anchor(const model::Anchor& anchor) override {
    anchor_ = anchor;
    mirror_.status.anchor = anchor;
    post(request::SetAnchor{anchor});
  }

  void ask(model::Query query, Token token) override { post(request::Ask{std::move(query), token}); }
  const StoreStatus& status() const override { return mirror_.status; }
  Instant busy_since() const override { return thread_ == nullptr ? never : thread_->busy_since(); }
  std::optional<std::string> setting(const std::string& key) const override {
    const auto found = settings_.find(key);
    return found == settings_.end() ? std::nullopt : std::optional(found->second);
  }
  void set_setting(const std::string& key, const std::string& value) override {
    if (!settings_.contains(key) && settings_.size() >= limits::store_settings) return;
    settings_[key] = value;
    post(request::SetSetting{key, value});
  }

  Status put_note(const std::string& key, std::string text, Token token) override {
    if (key.empty() || key.size() > limits::note_key_bytes || !is_utf8(key)) return Error{ErrorCode::invalid, 0, "a note's key has 1 to 160 bytes of UTF-8"};
    if (text.size() > limits::note_bytes) return Error{ErrorCode::limit, 0, "a note has at most 256 KiB"};
    if (is_closed()) return Error{ErrorCode::closed, 0, "the store is closed"};
    const size_t bytes = key.size() + text.size();
    if (note_puts_bytes_ + bytes > limits::note_puts_bytes) return Error{ErrorCode::full, 0, "too many notes wait to be stored"};
    note_puts_bytes_ += bytes;
    post(request::PutNote{{key, std::move(text), token}});
    return {};
  }
  void get_note(const std::string& key, Token token) override {
    const bool is_refused = note_reads_ >= limits::note_reads;
    note_reads_ += is_refused ? 0 : 1;
    post(request::GetNote{key, token, is_refused});
  }
  std::vector<std::string> note_keys(std::string_view prefix) const override {
    std::vector<std::string> keys;
    for (auto at = note_keys_.lower_bound(prefix); at != note_keys_.end() && at->starts_with(prefix); ++at) keys.push_back(*at);
    return keys;
  }

  ContextImage take_context() override { return std::exchange(context_, {}); }
  Status put_context(ContextPut put) override {
    if (is_closed()) return Error{ErrorCode::closed, 0, "the store is closed"};
    post(request::PutContext{std::move(put)});
    return {};
  }
  void ask_context_history(std::string path, Token token) override { post(request::AskContextHistory{std::move(path), token}); }

  void close() override { thread_.reset(); }

 private:
  bool is_closed() const { return thread_ == nullptr; }
  void post(StoreRequest request) {
    if (thread_ != nullptr) thread_->post(std::move(request));
  }
  static std::set<std::string, std::less<>> keys_of(const Notes::Keys& notes) {
    std::set<std::string, std::less<>> keys;
    for (const auto& [key, size] : notes) keys.insert(key);
    return keys;
  }
  void update_mirror();
  void on_wake() override;
  void deliver(Completion& completion);
  void deliver(event::FetchDone& done) {
    listener_.on_fetched(done.stream, done.from, std::move(done.fetched.blocks), std::move(done.fetched.gaps), done.fetched.covered_to);
  }
  void deliver(event::Answered& answered) {
    if (answered.answer != nullptr) {
      listener_.on_answer(answered.token, std::move(*answered.answer));
    } else {
      listener_.on_answer(answered.token, answered.error);
    }
  }
  void deliver(event::Committed& committed) { listener_.on_committed(committed.stream, committed.next); }
  void deliver(event::Rebased& rebased) { listener_.on_rebased(rebased.stream, rebased.status); }
  void deliver(event::Noted& noted);
  void deliver(event::NoteRead& read) {
    note_reads_ -= read.is_refused ? 0 : 1;
    listener_.on_note(read.token, std::move(read.text));
  }
  void deliver(event::NotesLost&) { note_keys_.clear(); }
  void deliver(event::ContextStored& stored) { listener_.on_context_put(stored.token, stored.status); }
  void deliver(event::ContextHistory& read) { listener_.on_context_history(read.token, std::move(read.writes)); }
  model::ReadingBatch take_buffer();

  Outbox::Listener& listener_;
  model::SeriesDictionary dictionary_;
  std::map<std::string, std::string> settings_;
  std::set<std::string, std::less<>> note_keys_;
  ContextImage context_;          // until it is taken
  size_t note_puts_bytes_ = 0;    // not answered yet
  size_t note_reads_ = 0;
  StoreMirror mirror_;
  model::Anchor anchor_;          // in force; the store thread follows in order
  size_t taken_readings_ = 0;     // appended and not answered yet
  size_t taken_text_bytes_ = 0;
  size_t taken_batches_ = 0;
  std::array<uint64_t, model::stream_count> taken_by_stream_{};
  std::vector<StoreEvent> events_;
  std::vector<model::ReadingBatch> buffers_;
  uv::Waker waker_;
  std::unique_ptr<StoreThread> thread_;
};

void ThreadedOutbox::update_mirror() {
  thread_->take_events(events_, mirror_);
  mirror_.status.anchor = anchor_;
  for (size_t i = 0; i < model::stream_count; ++i) mirror_.status.streams[i].pending_readings = taken_by_stream_[i];
}

void ThreadedOutbox::on_wake() {
  if (is_closed()) return;
  update_mirror();
  // By the time an append is answered its readings are no longer pending.
  for (StoreEvent& each : events_) {
    if (const auto* completion = std::get_if<Completion>(&each)) {
      mirror_.status.streams[index_of(completion->stream)].pending_readings -= completion->readings;
    }
  }
  for (StoreEvent& each : events_) {
    std::visit([this](auto& event) { deliver(event); }, each);
    if (is_closed()) return;
  }
}

void ThreadedOutbox::deliver(Completion& completion) {
  taken_readings_ -= completion.readings;
  taken_text_bytes_ -= completion.text_bytes;
  --taken_batches_;
  taken_by_stream_[index_of(completion.stream)] -= completion.readings;
  if (buffers_.size() < buffers_kept && completion.buffer.readings().capacity() <= Outbox::batch_readings) buffers_.push_back(std::move(completion.buffer));
  listener_.on_appended(completion.token, completion.status);
}

void ThreadedOutbox::deliver(event::Noted& noted) {
  note_puts_bytes_ -= noted.bytes;
  if (noted.status && noted.is_kept) note_keys_.insert(noted.key);
  if (noted.status && !noted.is_kept) note_keys_.erase(noted.key);
  listener_.on_noted(noted.token, noted.status);
}

model::ReadingBatch ThreadedOutbox::take_buffer() {
  if (buffers_.empty()) return {};
  model::ReadingBatch buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(const StoreOptions& options, const model::Anchor& anchor, uv::Loop& loop, Listener& listener, Log& log) {
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::open(options, anchor, platform::now(), log));
  return std::unique_ptr<Outbox>(std::make_unique<ThreadedOutbox>(std::move(store), loop, listener));
}

}  // namespace tideline::agent
