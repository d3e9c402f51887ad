// The outbox of a simulated device: blocks that are made once and shared by all devices, so that ten thousand of them fit beside the
// hub that they load. What is produced counts as durable; what is acknowledged is forgotten.
//
// Owned by its device. Thread: loop. Answers come at the end of the turn, through Later. Memory: under 1 KiB a device.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/store/outbox.hpp"
#include "block/encoder.hpp"

namespace tideline::bench {

/// Blocks of `readings` readings of `series` series each, made when they are first asked for. Every device has the same.
class SharedBlocks {
 public:
  SharedBlocks(uint32_t readings, uint32_t series);
  uint32_t readings() const { return readings_; }
  const model::SeriesDictionary& dictionary() const { return dictionary_; }
  /// Block `index` holds the numbers [index * readings() + 1, (index + 1) * readings()].
  model::StoredBlock block(size_t index);
  static constexpr uint64_t run_id = 77;

 private:
  uint32_t readings_;
  model::SeriesDictionary dictionary_;
  block::Encoder encoder_;
  std::vector<ByteBuffer> made_;
};

class LoadStore final : public agent::Outbox {
 public:
  /// Runs answer() of a store at the end of the turn.
  class Later {
   public:
    virtual void want_answer(LoadStore& store) = 0;

   protected:
    ~Later() = default;
  };

  LoadStore(SharedBlocks& blocks, Later& later, std::string epoch, const model::Anchor& anchor);
  void set_listener(Listener& listener) { listener_ = &listener; }
  /// `count` blocks more are durable.
  void produce(size_t count);
  void answer();
  uint64_t produced_readings() const { return next_ - 1; }

  // agent::Outbox
  Result<model::SeriesId> series_id(const model::Series& series) override { return blocks_.dictionary().find(series); }
  const model::SeriesDictionary& dictionary() const override { return blocks_.dictionary(); }
  Status append(model::Stream, model::ReadingBatch&&, agent::Durability, Token, Instant) override { return {}; }
  bool has_room() const override { return true; }
  void declare_overrun(model::Stream, uint64_t) override {}
  void flush() override {}
  void fetch(model::Stream stream, model::Seq from, size_t max_bytes) override;
  void set_acknowledged(model::Stream stream, const model::SeqRanges& ranges) override;
  void add_acknowledged(model::Stream stream, model::SeqRange range) override;
  void set_aside(model::Stream, model::SeqRange) override {}
  void rebase(model::Stream stream, model::Seq from, model::Seq next) override;
  std::vector<model::Gap> gaps(model::Stream, model::Seq) const override { return {}; }
  std::vector<model::Run> runs() const override { return {status_.run}; }
  std::vector<model::Anchor> anchors() const override { return {status_.anchor}; }
  void set_anchor(const model::Anchor& anchor) override { status_.anchor = anchor; }
  void ask(model::Query, Token) override {}
  const agent::StoreStatus& status() const override { return status_; }
  std::optional<std::string> setting(const std::string& key) const override;
  void set_setting(const std::string& key, const std::string& value) override { settings_[key] = value; }
  Status put_note(const std::string&, std::string, Token) override { return Error{ErrorCode::unsupported, 0, "notes"}; }
  void get_note(const std::string&, Token) override {}
  std::vector<std::string> note_keys(std::string_view) const override { return {}; }
  agent::ContextImage take_context() override { return {}; }
  Status put_context(agent::ContextPut) override { return Error{ErrorCode::unsupported, 0, "context"}; }
  void ask_context_history(std::string, Token) override {}
  void close() override {}

 private:
  struct Request {
    model::Stream stream = model::Stream::normal;
    model::Seq from = 1;
    size_t max_bytes = 0;
    bool is_rebase = false;
  };
  void fetch_now(const Request& request);

  SharedBlocks& blocks_;
  Later& later_;
  Listener* listener_ = nullptr;
  model::Seq next_ = 1;  ///< of the stream normal; the others stay empty
  std::vector<Request> requests_;
  std::map<std::string, std::string> settings_;
  agent::StoreStatus status_;
};

}  // namespace tideline::bench
