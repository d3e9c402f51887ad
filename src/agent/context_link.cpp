#include "agent/context_link.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace tideline::agent {

ContextLink::ContextLink(ContextKeeper& keeper, Log& log) : keeper_(keeper), log_(log) { keeper_.add_watcher(*this); }
ContextLink::~ContextLink() { keeper_.remove_watcher(*this); }

void ContextLink::on_up() {
  on_down();
  ++connection_;
  declarations_ = keeper_.declarations().list().empty() ? "" : context::write_declarations(keeper_.declarations());
  has_new_declarations_ = false;
  sync_ = std::make_unique<context::Sync>(context::Side::device, static_cast<context::Sync::Host&>(*this), declarations_, log_);
  sync_->start();
}

void ContextLink::on_down() {
  if (sync_ != nullptr) last_status_ = sync_->status();
  sync_.reset();
  for (const Ask& one : asks_) late_ += one.kind == Ask::Kind::apply ? 1 : 0;
  asks_.clear();
  queue_.clear();
  at_ = 0;
  incoming_.clear();
}

Status ContextLink::on_frame(const link::ContextFrame& frame, Instant now) {
  if (sync_ == nullptr) return {};
  if (incoming_.size() + frame.bytes.size() > message_bytes) return Error{ErrorCode::limit, 0, "a message about context is too long"};
  append(incoming_, frame.bytes);
  if (!frame.is_last) return {};
  const ByteBuffer message = std::exchange(incoming_, {});
  return sync_->on_message(message, now);
}

void ContextLink::on_tick(Instant now) {
  if (sync_ != nullptr && now >= sync_->next_wake()) sync_->on_tick(now);
}

void ContextLink::say(Bytes message) {
  queue_.emplace_back(message.begin(), message.end());
  if (wire_ != nullptr) wire_->on_context_ready();
}

void ContextLink::say_next() {
  const Bytes rest = Bytes(queue_.front()).subspan(at_);
  const Bytes piece = rest.first(std::min(rest.size(), limits::link_piece_bytes));
  const bool is_last = piece.size() == rest.size();
  wire_->say(link::ContextFrame{is_last, piece});
  at_ += piece.size();
  if (!is_last) return;
  queue_.pop_front();
  at_ = 0;
}

void ContextLink::apply(std::vector<context::Register>&& registers) {
  asks_.push_back({Ask::Kind::apply});
  keeper_.apply(std::move(registers), [this, connection = connection_](const Status& status, const context::Tops& tops) {
    if (sync_ == nullptr || connection != connection_) {
      --late_;
      return answer_reads();
    }
    asks_.pop_front();  // reads before it were answered at once
    sync_->on_applied(status, tops);
    answer_reads();
  });
}

void ContextLink::ask(Ask ask) {
  asks_.push_back(ask);
  answer_reads();
}

void ContextLink::answer_reads() {
  if (is_answering_) return;
  is_answering_ = true;
  while (!asks_.empty() && asks_.front().kind != Ask::Kind::apply) {
    const Ask ask = asks_.front();
    // A hub that came back from a backup gets back what this replica holds by its state, and only that.
    if (ask.kind == Ask::Kind::state && late_ != 0) break;
    asks_.pop_front();
    if (ask.kind == Ask::Kind::state) sync_->on_state(keeper_.book().state());
    else sync_->on_page(keeper_.page(ask.side, ask.after, ask.max_bytes));
  }
  is_answering_ = false;
}

void ContextLink::on_peer_holds(const context::Tops& tops) {
  keeper_.set_peer_holds(tops);
  if (has_new_declarations_) say_declarations();
}

void ContextLink::on_context_settled(bool has_own) {
  if (has_own && sync_ != nullptr) sync_->on_written();
}

void ContextLink::on_declarations_changed() {
  if (sync_ == nullptr) return;
  has_new_declarations_ = true;
  if (sync_->status().has_met) say_declarations();  // else after the greeting, in which the old ones may still be said
}

void ContextLink::say_declarations() {
  has_new_declarations_ = false;
  ByteBuffer bytes;
  context::encode(context::DeclarationsMessage{context::write_declarations(keeper_.declarations())}, bytes);
  say(bytes);
}

}  // namespace tideline::agent
