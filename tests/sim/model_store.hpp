// The device's store as a model: every rule of agent/store/outbox.hpp that the link depends on, nothing else. What is committed
// survives crash(); image() and restore() are a disk image taken and put back.
//
// Every reading has a number of its own (Content) that no protocol sees: the oracle follows readings by it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/store/outbox.hpp"
#include "base/random.hpp"

namespace tideline::sim {

using Content = uint64_t;

/// What a block's bytes hold here, in place of columns.
struct BlockText {
  uint64_t run = 0;
  model::SeriesId series = 0;
  uint64_t series_identity = 0;  ///< series_hash() of the definition that the producer meant
  std::vector<Content> contents;
};
ByteBuffer write_block(const BlockText& text, size_t padding);
BlockText read_block(Bytes bytes);
model::SeriesId series_end_of_model(const model::StoredBlock& block);

struct Entry {
  enum class Kind : uint8_t { block, gap, freed } kind = Kind::block;  // freed: acknowledged and deleted
  model::SeqRange range;
  BlockText text;
  model::Gap gap;
  size_t padding = 0;
};

/// Everything durable.
struct StoreImage {
  std::string epoch;
  uint32_t incarnation = 0;
  std::vector<model::Run> runs;
  model::SeriesDictionary dictionary;
  std::vector<Entry> log[model::stream_count];   ///< ascending
  model::Seq next[model::stream_count] = {1, 1, 1};
  model::SeqRanges acknowledged[model::stream_count];
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string> notes;
  std::map<std::pair<std::string, context::Side>, context::Register> context;
};

/// Runs a function later, in virtual time.
using Defer = std::function<void(std::function<void()>)>;

class ModelStore final : public agent::Outbox {
 public:
  ModelStore(StoreImage image, uint64_t run, Random& random, Listener& listener, Defer defer);

  // The simulator's side.
  void produce(model::Stream stream, size_t count, Content first, size_t padding, const model::Series& series);
  void evict(model::Stream stream);
  void lose(model::Stream stream, size_t count);
  void free_acknowledged();
  const StoreImage& image() const { return image_; }
  size_t entries() const;
  const std::vector<Content>& overrun() const { return overrun_; }

  // agent::Outbox
  Result<model::SeriesId> series_id(const model::Series& series) override { return image_.dictionary.add(series); }
  const model::SeriesDictionary& dictionary() const override { return image_.dictionary; }
  Status append(model::Stream, model::ReadingBatch&&, agent::Durability, Token, Instant) override { return {}; }
  bool has_room() const override { return true; }
  void declare_overrun(model::Stream, uint64_t) override {}
  void flush() override {}
  void fetch(model::Stream stream, model::Seq from, size_t max_bytes) override;
  void set_acknowledged(model::Stream stream, const model::SeqRanges& ranges) override;
  void add_acknowledged(model::Stream stream, model::SeqRange range) override;
  void set_aside(model::Stream stream, model::SeqRange range) override;
  void rebase(model::Stream stream, model::Seq from, model::Seq next) override;
  std::vector<model::Gap> gaps(model::Stream stream, model::Seq from) const override;
  std::vector<model::Run> runs() const override { return image_.runs; }
  std::vector<model::Anchor> anchors() const override { return {status_.anchor}; }
  void set_anchor(const model::Anchor& anchor) override { status_.anchor = anchor; }
  void ask(model::Query, Token) override {}
  const agent::StoreStatus& status() const override { return status_; }
  std::optional<std::string> setting(const std::string& key) const override;
  void set_setting(const std::string& key, const std::string& value) override { image_.settings[key] = value; }
  Status put_note(const std::string& key, std::string text, Token token) override;
  void get_note(const std::string& key, Token token) override;
  std::vector<std::string> note_keys(std::string_view prefix) const override;
  agent::ContextImage take_context() override;
  Status put_context(agent::ContextPut put) override;
  void ask_context_history(std::string path, Token token) override;
  void close() override {}

 private:
  std::vector<Entry>& log(model::Stream stream) { return image_.log[model::index_of(stream)]; }
  void begin_run(uint64_t id);
  void do_fetch(model::Stream stream, model::Seq from, size_t max_bytes);
  void do_rebase(model::Stream stream, model::Seq from, model::Seq next);
  void refresh();

  StoreImage image_;
  Random& random_;
  Listener& listener_;
  Defer defer_;
  agent::StoreStatus status_;
  std::vector<Content> overrun_;
};

}  // namespace tideline::sim
