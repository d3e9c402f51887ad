// Where parts of the gateway keep small durable texts: the agent's notes (store/notes.hpp) without their tokens.
//
// Thread: loop. Bounds: limits::{note_key_bytes, note_bytes, notes, notes_bytes}.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/outbox.hpp"
#include "base/result.hpp"

namespace tideline::agent {

class Notebook {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Durable, or why not.
    virtual void on_saved(const std::string& key, const Status& status) = 0;
    /// Errors: not_found, busy, corrupt, io.
    virtual void on_read(const std::string& key, const Result<std::string>& text) = 0;
  };
  virtual ~Notebook() = default;
  /// Answered by on_saved(), never from within. An empty text deletes. Errors at once, without an event: invalid, limit, full, closed.
  virtual Status save(const std::string& key, std::string text, Listener& listener) = 0;
  /// Answered by on_read(), never from within; sees every save() made before.
  virtual void read(const std::string& key, Listener& listener) = 0;
  /// Keys that begin with `prefix`, as of the last on_saved().
  virtual std::vector<std::string> keys(std::string_view prefix) const = 0;
};

/// The notes of an outbox. Owned by Agent, which passes the outbox's events on; the outbox and the listeners outlive it.
class OutboxNotebook final : public Notebook {
 public:
  explicit OutboxNotebook(Outbox& outbox) : outbox_(outbox) {}

  Status save(const std::string& key, std::string text, Listener& listener) override;
  void read(const std::string& key, Listener& listener) override;
  std::vector<std::string> keys(std::string_view prefix) const override { return outbox_.note_keys(prefix); }

  // Events of the outbox.
  void on_noted(Outbox::Token token, const Status& status);
  void on_note(Outbox::Token token, const Result<std::string>& text);

 private:
  struct Waiting {
    Listener* listener;
    std::string key;
  };
  Outbox& outbox_;
  Outbox::Token last_token_ = 0;
  std::map<Outbox::Token, Waiting> waiting_;
};

}  // namespace tideline::agent
