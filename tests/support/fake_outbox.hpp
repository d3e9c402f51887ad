// An outbox without a store: takes batches and questions, and answers nothing by itself.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/store/outbox.hpp"

namespace tideline::test {

using agent::Durability;
using agent::Outbox;
using agent::StoreStatus;

/// Takes batches and answers when told to.
class FakeOutbox final : public Outbox {
 public:
  struct Taken {
    model::Stream stream;
    size_t readings;
    Durability durability;
    Token token;
  };
  Result<model::SeriesId> series_id(const model::Series& series) override { return dictionary_.add(series); }
  const model::SeriesDictionary& dictionary() const override { return dictionary_; }
  Status append(model::Stream stream, model::ReadingBatch&& batch, Durability durability, Token token, Instant) override {
    if (is_full) return Error{ErrorCode::full, 0, "no room"};
    taken.push_back({stream, batch.size(), durability, token});
    return {};
  }
  bool has_room() const override { return !is_full; }
  void declare_overrun(model::Stream, uint64_t) override {}
  void flush() override { ++flushes; }
  void fetch(model::Stream, model::Seq, size_t) override {}
  void set_acknowledged(model::Stream, const model::SeqRanges&) override {}
  void add_acknowledged(model::Stream, model::SeqRange) override {}
  void set_aside(model::Stream, model::SeqRange) override {}
  void rebase(model::Stream, model::Seq, model::Seq) override {}
  std::vector<model::Gap> gaps(model::Stream, model::Seq) const override { return {}; }
  std::vector<model::Run> runs() const override { return {}; }
  std::vector<model::Anchor> anchors() const override { return {}; }
  void set_anchor(const model::Anchor&) override {}
  void ask(model::Query query, Token token) override { asked.emplace_back(std::move(query), token); }
  const StoreStatus& status() const override { return status_; }
  std::optional<std::string> setting(const std::string&) const override { return {}; }
  void set_setting(const std::string&, const std::string&) override {}
  Status put_note(const std::string& key, std::string text, Token token) override {
    text.empty() ? (void)notes.erase(key) : (void)notes.insert_or_assign(key, std::move(text));
    noted.push_back(token);
    return {};
  }
  void get_note(const std::string& key, Token token) override { notes_asked.emplace_back(key, token); }
  std::vector<std::string> note_keys(std::string_view prefix) const override {
    std::vector<std::string> keys;
    for (const auto& [key, text] : notes) {
      if (key.starts_with(prefix)) keys.push_back(key);
    }
    return keys;
  }
  agent::ContextImage take_context() override { return std::exchange(context, {}); }
  Status put_context(agent::ContextPut put) override {
    context_puts.push_back(std::move(put));
    return {};
  }
  void ask_context_history(std::string path, Token token) override { histories_asked.emplace_back(std::move(path), token); }
  void close() override {}

  std::vector<Taken> taken;
  std::vector<std::pair<model::Query, Token>> asked;
  std::map<std::string, std::string> notes;
  std::vector<Token> noted;  ///< puts, taken at once; the test delivers on_noted()
  std::vector<std::pair<std::string, Token>> notes_asked;
  agent::ContextImage context;                                     ///< given out at the start
  std::vector<agent::ContextPut> context_puts;                     ///< the test answers
  std::vector<std::pair<std::string, Token>> histories_asked;
  int flushes = 0;
  bool is_full = false;

 private:
  model::SeriesDictionary dictionary_;
  StoreStatus status_;
};

}  // namespace tideline::test
