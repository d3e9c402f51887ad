#include "agent/local_session.hpp"

#include "base/limits.hpp"

namespace tideline::agent {
namespace {

constexpr std::string_view own_prefix = "tideline/";

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
  while (may_take()) {
    const auto line = lines_.next();
    if (!line) return true;
    take(*line);
  }
  return false;
}

void LocalSession::take(const mcp::LineBuffer::Line& line) {
  if (line.is_too_long) return desk().on_long_line();
  const mcp::Message message = mcp::parse_message(line.text);
  if (is_own(message)) return control_.handle(line.text, *this);
  desk().on_message(message);
}

void LocalSession::on_end() {
  if (desk_ != nullptr) desk_->end_listens();
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
  send(std::move(outgoing.line));
}

void LocalSession::send(std::string line) {
  if (is_over_) return;
  const Bytes bytes = as_bytes(line);
  wire_.send(ByteBuffer(bytes.begin(), bytes.end()));
  if (wire_.queued_bytes() <= limits::mcp_unread_bytes) return;
  is_over_ = true;
  wire_.on_overrun();
}

}  // namespace tideline::agent
