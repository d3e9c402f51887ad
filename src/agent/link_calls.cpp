#include "agent/link_calls.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "mcp/message.hpp"

namespace tideline::agent {
namespace {

constexpr const char* catalog_notice = "notifications/tideline/catalog";

}  // namespace

class LinkCalls::Call final : public mcp::Output {
 public:
  Call(LinkCalls& calls, const link::CallFrame& frame)
      : calls_(calls), id_(frame.call), principal_("hub:" + frame.principal), deadline_(frame.deadline), reply_bytes_(frame.reply_bytes) {}

  /// False when the call is longer than this device takes.
  bool add(Bytes piece) {
    if (text_.size() + piece.size() > limits::link_call_bytes) return false;
    text_.append(as_text(piece));
    return true;
  }

  void begin(Gateway& gateway) {
    StreamOptions options;
    options.principal = principal_;
    options.is_http = true;
    if (deadline_.nanos > 0) options.call_timeout = deadline_;
    desk_ = gateway.open_stream(std::move(options), static_cast<mcp::Output&>(*this));
    const std::string text = std::move(text_);
    desk_->on_line(text);
  }
  bool has_begun() const { return desk_ != nullptr; }

 private:
  void on_outgoing(mcp::Outgoing message) override {
    const bool is_long = message.line.size() > reply_bytes_;
    if (is_long && !message.is_answer) return;
    if (is_long) {
      message.line = mcp::error_line(std::to_string(id_), {mcp::RpcCode::internal_error, format("the answer is longer than %llu bytes, the most that the hub takes", static_cast<unsigned long long>(reply_bytes_)), {}});
    }
    calls_.say({id_, std::move(message.line), 0, message.is_answer});
    if (message.is_answer) calls_.drop(id_);
  }

  LinkCalls& calls_;
  uint64_t id_;
  std::string principal_;
  Duration deadline_;
  uint64_t reply_bytes_;
  std::string text_;
  std::unique_ptr<Desk> desk_;
};

LinkCalls::LinkCalls(Gateway& gateway, Log& log) : gateway_(gateway), log_(log) {}
LinkCalls::~LinkCalls() = default;

void LinkCalls::collect() { ended_.clear(); }

void LinkCalls::on_up(uint64_t hub_catalog_hash) {
  is_up_ = true;
  if (hub_catalog_hash != gateway_.catalog_hash()) push_catalog();
}

void LinkCalls::on_down() {
  is_up_ = false;
  for (auto& [id, call] : calls_) ended_.push_back(std::move(call));
  calls_.clear();
  queue_.clear();
  queued_bytes_ = 0;
  if (wire_ != nullptr) wire_->on_reply_ready();  // to free them outside of this event
}

void LinkCalls::on_catalog_changed() {
  if (is_up_) push_catalog();
}

void LinkCalls::push_catalog() {
  const auto is_unsent_notice = [](const Saying& saying) { return saying.call == 0 && saying.at == 0; };
  for (const Saying& saying : queue_) queued_bytes_ -= is_unsent_notice(saying) ? saying.text.size() : 0;
  std::erase_if(queue_, is_unsent_notice);
  say({0, mcp::notification_line(catalog_notice, gateway_.catalog_json()), 0, true});
}

void LinkCalls::on_call(const link::CallFrame& frame) {
  auto found = calls_.find(frame.call);
  if (found == calls_.end()) {
    if (calls_.size() >= limits::link_calls) return say_error(frame.call, "the device has as many calls under way as it takes; try again later");
    found = calls_.emplace(frame.call, std::make_unique<Call>(*this, frame)).first;
  }
  if (found->second->has_begun()) return;  // pieces after the last one: nobody sends such
  if (!found->second->add(frame.text)) {
    drop(frame.call);
    return say_error(frame.call, format("the request is longer than %zu bytes", limits::link_call_bytes));
  }
  if (frame.is_last) found->second->begin(gateway_);
}

void LinkCalls::on_cancel(uint64_t call) {
  drop(call);
  for (const Saying& saying : queue_) queued_bytes_ -= saying.call == call && saying.at == 0 ? saying.text.size() : 0;
  // A message of which a piece was sent goes to its end: the hub passes over it.
  std::erase_if(queue_, [call](const Saying& saying) { return saying.call == call && saying.at == 0; });
}

void LinkCalls::drop(uint64_t call) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  ended_.push_back(std::move(found->second));
  calls_.erase(found);
  if (wire_ != nullptr) wire_->on_reply_ready();
}

void LinkCalls::say_error(uint64_t call, const std::string& why) {
  say({call, mcp::error_line(std::to_string(call), {mcp::RpcCode::internal_error, why, {}}), 0, true});
}

void LinkCalls::say(Saying saying) {
  if (!is_up_) return;
  if (queued_bytes_ + saying.text.size() > limits::link_reply_bytes) {
    if (!saying.is_answer) return;
    if (saying.call == 0) return log_warning(log_, "link", "the list of tools was not sent: too much waits for the hub");
    saying.text = mcp::error_line(std::to_string(saying.call), {mcp::RpcCode::internal_error, "too many answers wait for the link; try again later", {}});
  }
  queued_bytes_ += saying.text.size();
  queue_.push_back(std::move(saying));
  if (wire_ != nullptr) wire_->on_reply_ready();
}

void LinkCalls::say_next() {
  Saying& saying = queue_.front();
  const std::string_view piece = std::string_view(saying.text).substr(saying.at, limits::link_piece_bytes);
  saying.at += piece.size();
  const bool is_end = saying.at == saying.text.size();
  if (saying.call == 0) {
    wire_->say(link::NotifyFrame{is_end, as_bytes(piece)});
  } else {
    const link::ReplyPart part = !is_end ? link::ReplyPart::more : saying.is_answer ? link::ReplyPart::answer : link::ReplyPart::message;
    wire_->say(link::ReplyFrame{saying.call, part, as_bytes(piece)});
  }
  if (!is_end) return;
  queued_bytes_ -= saying.text.size();
  queue_.pop_front();
}

}  // namespace tideline::agent
