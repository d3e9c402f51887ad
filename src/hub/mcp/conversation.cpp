#include "hub/mcp/conversation.hpp"

namespace tideline::hub {

void Conversation::on_message(const mcp::Message& message, uint64_t connection, Instant now) {
  current_ = connection;
  server_.on_message(message, now);
  if (is_session()) current_ = 0;
}

void Conversation::on_connection_gone(uint64_t connection) {
  if (!is_session()) return server_.on_close();
  std::erase_if(hearers_, [connection](const auto& entry) { return entry.second == connection; });
}

void Conversation::on_call(const mcp::Call& call) {
  // A call that comes back with answers to our questions came on a POST that only carried these: its first hearer stays.
  if (is_session()) hearers_.try_emplace(call.token, current_);
  owner_.on_call(*this, call);
}

void Conversation::on_cancel(mcp::CallToken token) {
  hearers_.erase(token);
  owner_.on_cancel(*this, token);
}

void Conversation::on_watch(std::string_view uri, bool is_watched) {
  const std::string text(uri);
  if (is_watched) {
    watched_.insert(text);
  } else {
    watched_.erase(text);
  }
  owner_.on_watch(*this, text, is_watched);
}

void Conversation::on_outgoing(mcp::Outgoing message) {
  uint64_t connection = current_;
  if (is_session()) {
    const auto hearer = hearers_.find(message.stream);
    if (hearer != hearers_.end()) connection = hearer->second;
    if (hearer != hearers_.end() && message.is_answer) hearers_.erase(hearer);
    const bool is_unheard = hearer == hearers_.end() && message.stream != 0 && current_ == 0;
    if (is_unheard) return;  // its connection went away, which in these revisions does not cancel
  }
  owner_.on_message_out(*this, connection, std::move(message));
}

}  // namespace tideline::hub
