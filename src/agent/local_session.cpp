#include "agent/local_session.hpp"

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view own_prefix = "tideline/";
constexpr size_t write_bytes = 64 * 1024;  // answers joined into one write: what a pipe or socket takes at once
constexpr size_t kept_bytes = 4 * 1024;    // memory that an idle session keeps for them

bool is_own(const mcp::Message& message) {
  return message.kind == mcp::MessageKind::request && message.method == mcp::Method::unknown && message.method_name.text().starts_with(own_prefix);
}

}  // namespace

bool LocalSession::may_take() const { return !is_over_ && wire_.queued_bytes() < limits::send_queue_bytes; }

bool LocalSession::on_bytes(Bytes bytes) {
  lines_.push(as_text(bytes));
  return go_on();
}

bool LocalSession::go_on() {
  is_taking_ = true;
  bool is_done = false;
  while (!is_done && may_take()) {
    const auto line = lines_.next();
    if (line) take(*line);
    is_done = !line;
  }
  is_taking_ = false;
  flush();
  if (unsent_.capacity() > kept_bytes) unsent_ = {};
  return is_done;
}

void LocalSession::take(const mcp::LineBuffer::Line& line) {
  if (line.is_too_long) return desk().on_long_line();
  const mcp::Message message = mcp::parse_message(line.text);
  if (is_own(message)) return control_.handle(line.text, *this);
  desk().on_message(message);
}

void LocalSession::on_end() {
  if (desk_ != nullptr) desk_->end_listens();
  flush();
  is_over_ = true;
  desk_.reset();
  control_.forget(*this);
}

Desk& LocalSession::desk() {
  if (desk_ == nullptr) desk_ = gateway_.open_stream({}, *this);
  return *desk_;
}

void LocalSession::on_outgoing(mcp::Outgoing outgoing) {
  outgoing.line.push_back('\n');
  send(outgoing.line);
}

void LocalSession::send(std::string_view line) {
  if (is_over_) return;
  unsent_ += line;
  if (!is_taking_ || unsent_.size() >= write_bytes) flush();
}

void LocalSession::flush() {
  if (is_over_ || unsent_.empty()) return;
  wire_.send(as_bytes(unsent_));
  unsent_.clear();
  if (wire_.queued_bytes() <= limits::mcp_unread_bytes) return;
  is_over_ = true;
  wire_.on_overrun();
}

}  // namespace tideline::agent
