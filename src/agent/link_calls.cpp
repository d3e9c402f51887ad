#include "agent/link_calls.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "mcp/json_write.hpp"
#include "mcp/message.hpp"

namespace tideline::agent {
namespace {

constexpr const char* catalog_notice = "notifications/tideline/catalog";
constexpr const char* unknown_fate =
    R"({"error":{"code":1001,"message":"the agent ended while the call ran: whether it did its work is not known, and it is not run again"}})";

}  // namespace

class LinkCalls::Call final : public mcp::Output {
 public:
  Call(LinkCalls& calls, const link::CallFrame& frame)
      : calls_(calls), id_(frame.call), name_(frame.task), principal_("hub:" + frame.principal), deadline_(frame.deadline), reply_bytes_(frame.reply_bytes) {}

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

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
    if (!name_.empty()) {
      if (message.is_answer) calls_.on_named_answer(name_, message.line);
      return;
    }
    if (is_long && !message.is_answer) return;
    if (is_long) {
      message.line = mcp::error_line(std::to_string(id_), {mcp::RpcCode::internal_error, format("the answer is longer than %llu bytes, the most that the hub takes", static_cast<unsigned long long>(reply_bytes_)), {}});
    }
    calls_.say({id_, std::move(message.line), 0, message.is_answer});
    if (message.is_answer) calls_.drop(id_);
  }

  LinkCalls& calls_;
  uint64_t id_;
  std::string name_;
  std::string principal_;
  Duration deadline_;
  uint64_t reply_bytes_;
  std::string text_;
  std::unique_ptr<Desk> desk_;
};

LinkCalls::LinkCalls(Gateway& gateway, CallLedger& ledger, WallClock wall_clock, Log& log)
    : gateway_(gateway), ledger_(ledger), wall_clock_(wall_clock), log_(log) {}
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
  names_.clear();
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
    if (under_way() >= limits::link_calls) return say_error(frame.call, "the device has as many calls under way as it takes; try again later");
    found = calls_.emplace(frame.call, std::make_unique<Call>(*this, frame)).first;
  }
  if (found->second->has_begun()) return;  // pieces after the last one: nobody sends such
  if (!found->second->add(frame.text)) {
    drop(frame.call);
    return say_error(frame.call, format("the request is longer than %zu bytes", limits::link_call_bytes));
  }
  if (frame.is_last) on_whole(frame.call);
}

void LinkCalls::on_whole(uint64_t id) {
  const auto found = calls_.find(id);
  if (found->second->name().empty()) return found->second->begin(gateway_);
  std::unique_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  on_named(id, std::move(call));
}

// ---- Calls with a lasting name

/// A result given again does no harm when the tool says that it only reads, or that twice is as good as once.
bool LinkCalls::is_harmless(std::string_view request) const {
  const mcp::Message message = mcp::parse_message(request);
  const mcp::Tool* tool = gateway_.catalog().find_tool(mcp::find_member(message.params, "name").text());
  if (tool == nullptr) return false;
  const mcp::ToolHints hints = mcp::read_hints(mcp::Slice(tool->annotations_json));
  return hints.is_read_only || hints.is_idempotent;
}

void LinkCalls::on_named(uint64_t id, std::unique_ptr<Call> call) {
  const std::string name = call->name();
  names_[id] = name;
  switch (ledger_.standing(name)) {
    case CallLedger::Standing::running: return;  // its answer goes to whoever waits then
    case CallLedger::Standing::finished:
      return ledger_.answer(name, [this, name](Result<std::string> body) {
        give_named(name, body ? *body : R"({"error":{"code":1001,"message":"the call ran, and its answer cannot be read any more"}})");
      });
    case CallLedger::Standing::interrupted:
      if (is_harmless(call->text())) break;
      return ledger_.finish(name, unknown_fate, [this, name](const Status&) { give_named(name, unknown_fate); });
    case CallLedger::Standing::unheard: break;
  }
  named_[name] = std::move(call);
  ledger_.begin(name, wall_clock_(), [this, name](const Status& noted) {
    if (noted) return run_named(name);
    named_.erase(name);
    give_named(name, format(R"({"error":{"code":1002,"message":"the call was not run: the device could not note it: %s"}})", noted.error().context));
  });
}

void LinkCalls::run_named(const std::string& name) {
  if (const auto found = named_.find(name); found != named_.end()) found->second->begin(gateway_);
}

/// Kept first, then sent. An answer that cannot be kept is sent all the same: the hub keeps it.
void LinkCalls::on_named_answer(const std::string& name, const std::string& line) {
  const mcp::Message message = mcp::parse_message(line);
  std::string body;
  mcp::ObjectWriter writer(body);
  message.result.is_present() ? writer.raw("result", message.result.raw()) : writer.raw("error", message.error.is_present() ? message.error.raw() : "{}");
  writer.end();
  const auto found = named_.find(name);
  if (found != named_.end()) {
    ended_.push_back(std::move(found->second));
    named_.erase(found);
  }
  if (wire_ != nullptr) wire_->on_reply_ready();
  ledger_.finish(name, body, [this, name, body](const Status& kept) {
    if (!kept) log_warning(log_, "link", "the answer to call %s was not kept: %s", name.c_str(), kept.error().context);
    give_named(name, body);
  });
}

/// To every call of the hub that waits for it.
void LinkCalls::give_named(const std::string& name, const std::string& body) {
  for (auto waiting = names_.begin(); waiting != names_.end();) {
    if (waiting->second != name) {
      ++waiting;
      continue;
    }
    const uint64_t id = waiting->first;
    waiting = names_.erase(waiting);
    say({id, R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + "," + body.substr(1), 0, true});
  }
}

void LinkCalls::cancel_named(const std::string& name) {
  const auto found = named_.find(name);
  if (found == named_.end()) return;
  ended_.push_back(std::move(found->second));
  named_.erase(found);
  if (wire_ != nullptr) wire_->on_reply_ready();
  ledger_.finish(name, R"({"error":{"code":1004,"message":"the call was cancelled while it ran"}})", [](const Status&) {});
}

// ---- Ends

void LinkCalls::on_cancel(uint64_t call) {
  if (const auto named = names_.find(call); named != names_.end()) {
    const std::string name = named->second;
    names_.erase(named);
    cancel_named(name);
  }
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
