#include "agent/collector.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "clock.hpp"

namespace tideline::agent {

Collector::Collector(Outbox& outbox, uv::Loop& loop, Listener& listener) : outbox_(outbox), listener_(listener), turn_end_(loop, *this) {}

Result<SeriesHandle> Collector::resolve(const model::Series& series) {
  ASSIGN_OR_RETURN(const model::SeriesId id, outbox_.series_id(series));
  return SeriesHandle{id, series.stream};
}

model::ReadingBatch& Collector::batch(model::Stream stream) {
  turn_end_.request();
  model::ReadingBatch& batch = batches_[model::index_of(stream)];
  if (batch.size() >= Outbox::batch_readings && batch.size() % Outbox::batch_readings == 0) hand_over();
  return batch;
}

bool Collector::has_room() const {
  const bool is_turn_full = std::any_of(batches_.begin(), batches_.end(), [](const auto& batch) { return batch.size() >= limits::collector_readings; });
  const bool room = !is_turn_full && outbox_.has_room();
  if (!room) said_no_ = true;
  return room;
}

Collector::Position Collector::sync(Ticket ticket, Position since) {
  waiting_.push_back({ticket, since, collecting_});
  wants_sync_ = true;
  turn_end_.request();
  return collecting_;
}

void Collector::on_turn_end() {
  hand_over();
  answer_waiting();
  tell_room();
}

void Collector::tell_room() {
  if (!said_no_ || !has_room()) return;
  said_no_ = false;
  listener_.on_room();
}

void Collector::hand_over() {
  const bool sync = wants_sync_;
  const bool earlier_are_waiting = !outstanding_.empty();
  for (const model::Stream stream : model::streams) {
    model::ReadingBatch& batch = batches_[model::index_of(stream)];
    if (batch.is_empty()) continue;
    listener_.on_batch(stream, batch);
    const Status taken = outbox_.append(stream, std::move(batch), sync ? Durability::synced : Durability::grouped, last_token_ + 1, platform::now());
    if (!taken) {
      if (taken.error().code == ErrorCode::full) return;  // kept; tried again when the outbox has answered something
      failures_.push_back({collecting_, taken});
    } else {
      outstanding_.push_back({last_token_ + 1, collecting_, false});
    }
    ++last_token_;
    batch.clear();
  }
  wants_sync_ = false;
  ++collecting_;
  // Earlier batches were handed over without haste: now somebody waits for them.
  if (sync && earlier_are_waiting) outbox_.flush();
}

void Collector::on_appended(Outbox::Token token, const Status& status) {
  const auto found = std::lower_bound(outstanding_.begin(), outstanding_.end(), token, [](const Outstanding& o, Outbox::Token t) { return o.token < t; });
  if (found != outstanding_.end() && found->token == token) {
    found->is_done = true;
    if (!status) failures_.push_back({found->position, status});
  }
  while (failures_.size() > limits::collector_failures) failures_.pop_front();
  while (!outstanding_.empty() && outstanding_.front().is_done) outstanding_.pop_front();
  if (std::any_of(batches_.begin(), batches_.end(), [](const auto& batch) { return !batch.is_empty(); })) hand_over();
  answer_waiting();
  tell_room();
}

void Collector::answer_waiting() {
  const Position first_open = outstanding_.empty() ? collecting_ : outstanding_.front().position;
  while (!waiting_.empty() && waiting_.front().upto < first_open) {
    const Waiting answer = waiting_.front();
    waiting_.pop_front();
    listener_.on_synced(answer.ticket, status_between(answer.since, answer.upto));
  }
}

Status Collector::status_between(Position since, Position upto) const {
  for (const Failure& failure : failures_) {
    if (failure.position > since && failure.position <= upto) return failure.status;
  }
  return {};
}

}  // namespace tideline::agent
