#include "agent/gateway/notebook.hpp"

#include <utility>

namespace tideline::agent {

Status OutboxNotebook::save(const std::string& key, std::string text, Listener& listener) {
  const Outbox::Token token = ++last_token_;
  RETURN_IF_ERROR(outbox_.put_note(key, std::move(text), token));
  waiting_.emplace(token, Waiting{&listener, key});
  return {};
}

void OutboxNotebook::read(const std::string& key, Listener& listener) {
  const Outbox::Token token = ++last_token_;
  waiting_.emplace(token, Waiting{&listener, key});
  outbox_.get_note(key, token);
}

void OutboxNotebook::on_noted(Outbox::Token token, const Status& status) {
  if (const auto found = waiting_.extract(token)) found.mapped().listener->on_saved(found.mapped().key, status);
}

void OutboxNotebook::on_note(Outbox::Token token, const Result<std::string>& text) {
  if (const auto found = waiting_.extract(token)) found.mapped().listener->on_read(found.mapped().key, text);
}

}  // namespace tideline::agent
