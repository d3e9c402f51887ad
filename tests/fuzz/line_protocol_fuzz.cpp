// Bytes on the ingest socket, in one piece and cut at a place the input chooses: the same readings, counts and no crash; what is
// accepted is sound; the cache changes no answer.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "agent/inputs/ingest_session.hpp"
#include "base/text.hpp"

namespace {

using namespace tideline;

class CheckingSink final : public agent::Sink {
 public:
  Result<agent::SeriesHandle> resolve(const model::Series& series) override {
    ASSIGN_OR_RETURN(const model::SeriesId id, dictionary.add(series));
    return agent::SeriesHandle{id, series.stream};
  }
  model::ReadingBatch& batch(model::Stream stream) override { return batches[model::index_of(stream)]; }
  bool has_room() const override { return true; }
  void declare_lost(model::Stream, uint64_t) override {}

  std::string print() const {
    std::string all;
    for (const auto& batch : batches) {
      for (const model::Reading& reading : batch.readings()) {
        if (!dictionary.contains(reading.series)) std::abort();
        all += dictionary.at(reading.series).key() + " " + std::to_string(reading.time_ns) + " " + std::to_string(static_cast<int>(reading.type)) + " ";
        if (reading.type != model::ValueType::text) {
          all += std::to_string(reading.bits) + "\n";
          continue;
        }
        const std::string_view text = model::ReadingBatch::text_of(reading, batch.text());
        if (!is_utf8(text) || text.size() > limits::text_value_bytes) std::abort();
        all.append(text).append("\n");
      }
    }
    return all;
  }
  model::SeriesDictionary dictionary;
  std::array<model::ReadingBatch, model::stream_count> batches;
};

/// Answers every sync as soon as the session can hear it.
struct Owner final : agent::IngestSession::Owner {
  void request_sync(agent::IngestSession&, agent::IngestSession::SyncId id) override { asked.push_back(id); }
  void send_reply(agent::IngestSession&, std::string line) override { replies += line; }
  std::vector<agent::IngestSession::SyncId> asked;
  std::string replies;
};

std::string run(Bytes bytes, size_t cut) {
  CheckingSink sink;
  Owner owner;
  const agent::SeriesRules rules;
  agent::IngestSession session(rules, sink, owner);
  const auto feed = [&](Bytes piece) {
    while (!piece.empty()) {
      const size_t used = session.feed(piece, UtcNanos{1});
      piece = piece.subspan(used);
      for (const auto id : owner.asked) session.on_durable(id, {});
      if (used == 0 && owner.asked.empty()) std::abort();
      owner.asked.clear();
    }
  };
  feed(bytes.first(cut));
  feed(bytes.subspan(cut));
  if (!session.finish(UtcNanos{1})) std::abort();
  for (const auto id : owner.asked) session.on_durable(id, {});
  return sink.print() + owner.replies + std::to_string(session.totals().accepted) + "/" + std::to_string(session.totals().rejected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  const size_t cut = size == 0 ? 0 : (data[0] * 31u + data[size - 1]) % (size + 1);
  if (run(bytes, 0) != run(bytes, cut)) std::abort();
  return 0;
}
