// The thread that does all disk work of the store, and the queues between it and the loop.
//
// Owned by Outbox. Requests are handled in order; the commit for those that wait for one comes after all that were queued
// before it started (group commit). Events go back in order. Bounded by limits::pending_readings and outbox_requests, which
// the outbox enforces, and by one event per request.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "agent/store/store.hpp"
#include "agent/store/store_query.hpp"
#include "wrap/uv/loop.hpp"

namespace tideline::agent {

namespace request {
struct Append {
  model::Stream stream = model::Stream::normal;
  model::ReadingBatch batch;
  Durability durability = Durability::synced;
  uint64_t token = 0;
  Instant taken;
};
struct AddSeries {
  model::Series series;
};
struct Overrun {
  model::Stream stream = model::Stream::normal;
  uint64_t readings = 0;
};
struct Flush {};
struct Fetch {
  model::Stream stream = model::Stream::normal;
  model::Seq from = 0;
  size_t max_bytes = 0;
};
struct SetAcknowledged {
  model::Stream stream = model::Stream::normal;
  model::SeqRanges ranges;
};
struct AddAcknowledged {
  model::Stream stream = model::Stream::normal;
  model::SeqRange range;
};
struct SetAside {
  model::Stream stream = model::Stream::normal;
  model::SeqRange range;
};
struct Rebase {
  model::Stream stream = model::Stream::normal;
  model::Seq from = 0;
  model::Seq next = 0;
};
struct SetAnchor {
  model::Anchor anchor;
};
struct SetSetting {
  std::string key;
  std::string value;
};
struct Ask {
  model::Query query;
  uint64_t token = 0;
};
struct PutNote {
  NoteChange change;
};
struct GetNote {
  std::string key;
  uint64_t token = 0;
  bool is_refused = false;  ///< beyond a bound: answered in its turn all the same
};
struct PutContext {
  ContextPut put;
};
struct AskContextHistory {
  std::string path;
  uint64_t token = 0;
};
}  // namespace request

using StoreRequest = std::variant<request::Append, request::AddSeries, request::Overrun, request::Flush, request::Fetch,
                                  request::SetAcknowledged, request::AddAcknowledged, request::SetAside, request::Rebase,
                                  request::SetAnchor, request::SetSetting, request::Ask, request::PutNote, request::GetNote,
                                  request::PutContext, request::AskContextHistory>;

namespace event {
struct FetchDone {
  model::Stream stream = model::Stream::normal;
  model::Seq from = 0;
  Fetched fetched;
};
struct Answered {
  uint64_t token = 0;
  std::unique_ptr<model::QueryAnswer> answer;  ///< null: `error` says why
  Error error;
};
struct Committed {
  model::Stream stream = model::Stream::normal;
  model::Seq next = 0;
};
struct Rebased {
  model::Stream stream = model::Stream::normal;
  Status status;
};
struct Noted {
  uint64_t token = 0;
  std::string key;
  bool is_kept = false;  ///< it has a text now
  size_t bytes = 0;
  Status status;
};
struct NoteRead {
  uint64_t token = 0;
  Result<std::string> text;
  bool is_refused = false;
};
struct NotesLost {};
struct ContextStored {
  uint64_t token = 0;
  Status status;
};
struct ContextHistory {
  uint64_t token = 0;
  Result<std::vector<context::Register>> writes;
};
}  // namespace event

using StoreEvent = std::variant<Completion, event::FetchDone, event::Answered, event::Committed, event::Rebased, event::Noted,
                                event::NoteRead, event::NotesLost, event::ContextStored, event::ContextHistory>;

/// What the loop keeps a copy of.
struct StoreMirror {
  StoreStatus status;
  /// Filled when version changed.
  uint64_t version = 0;
  std::array<std::vector<model::Gap>, model::stream_count> gaps;
  std::vector<model::Run> runs;
  std::vector<model::Anchor> anchors;
};

class StoreThread {
 public:
  /// `waker` is woken when there are events; it outlives the thread.
  StoreThread(std::unique_ptr<Store> store, uv::Waker& waker);
  ~StoreThread();

  /// Any number at once; the thread wakes once.
  void post(StoreRequest request);
  /// Swaps the waiting events into `events` (emptied before) and updates `mirror`.
  void take_events(std::vector<StoreEvent>& events, StoreMirror& mirror);
  /// Handles what is queued, commits, closes the store and ends the thread. No events afterwards.
  void stop();
  /// When the thread began the round it is in (requests, commit, a slice of a question); never while it waits for work.
  Instant busy_since() const { return {busy_since_.load(std::memory_order_relaxed)}; }

 private:
  struct Running {
    uint64_t token;
    std::unique_ptr<StoreQuery> query;
  };

  void run();
  bool wait_for_requests(std::vector<StoreRequest>& requests);
  Duration patience(Instant now) const;
  void step_query(Instant now);
  void publish(bool is_changed);
  template <class Event>
  void put(Event&& event) {
    out_.emplace_back(std::forward<Event>(event));
  }
  void handle(request::Append& append, Instant now);
  void handle(request::AddSeries& add, Instant now);
  void handle(request::Overrun& overrun, Instant now);
  void handle(request::Flush& flush, Instant now);
  void handle(request::Fetch& fetch, Instant now);
  void handle(request::SetAcknowledged& set, Instant now);
  void handle(request::AddAcknowledged& add, Instant now);
  void handle(request::SetAside& set, Instant now);
  void handle(request::Rebase& rebase, Instant now);
  void handle(request::SetAnchor& set, Instant now);
  void handle(request::SetSetting& set, Instant now);
  void handle(request::Ask& ask, Instant now);
  void handle(request::PutNote& put, Instant now);
  void handle(request::GetNote& get, Instant now);
  void handle(request::PutContext& put, Instant now);
  void handle(request::AskContextHistory& ask, Instant now);
  void commit_notes(Instant now);
  void commit_context(Instant now);

  // The store thread's own
  std::unique_ptr<Store> store_;
  std::deque<Running> queries_;
  std::vector<NoteChange> note_changes_;  // taken and not yet committed
  std::vector<ContextPut> context_puts_;  // likewise
  std::vector<StoreEvent> out_;
  std::array<model::Seq, model::stream_count> announced_{};
  bool is_flush_asked_ = false;
  Instant ticked_;
  uint64_t published_version_ = 0;

  uv::Waker& waker_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<StoreRequest> inbox_;     // under mutex_
  std::vector<StoreEvent> outgoing_;    // under mutex_
  StoreMirror mirror_;                  // under mutex_
  bool is_stopping_ = false;            // under mutex_
  std::atomic<int64_t> busy_since_ = never.nanos;
  std::thread thread_;
};

}  // namespace tideline::agent
