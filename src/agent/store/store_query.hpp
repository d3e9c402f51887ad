// One question being answered from the edge store, a slice at a time, so that commits are not kept waiting.
//
// Owned by whoever asked (the store thread, a command). Thread: store. Between two steps other work may run on the Store:
// the place is kept as a sequence number, nothing stays open. What was not committed at the start is taken from memory then,
// so an answer holds every reading once. Memory: the Aggregator's.
#pragma once

#include <array>
#include <vector>

#include "agent/store/store.hpp"
#include "block/scan.hpp"
#include "model/aggregator.hpp"

namespace tideline::agent {

class StoreQuery : private block::ScanSink {
 public:
  StoreQuery(Store& store, const model::Query& query);

  /// Reads up to `blocks` blocks; true when the answer is complete.
  bool step(size_t blocks, Instant now);
  model::QueryAnswer take();

 private:
  struct Wanted {
    bool is_wanted = false;
    model::Aggregator::Handle handle = model::Aggregator::no_series;
    bool is_open = false;
  };
  /// Offset and quality that times of a boot are given now.
  struct Correction {
    int64_t shift_ns = 0;
    model::TimeQuality quality = model::TimeQuality::none;
  };

  void start();
  void add_pending(model::Stream stream);
  void add_gaps(model::Stream stream);
  bool step_stream(model::Stream stream, size_t& blocks, Instant now);
  bool read_segment(model::Stream stream, size_t index, size_t& blocks, Instant now);
  bool may_matter(const SegmentSummary& segment) const;
  bool may_matter(const BlockRow& row) const;
  bool may_matter(int64_t time_min_ns, int64_t time_max_ns, int64_t shift_min_ns, int64_t shift_max_ns) const;
  void scan_block(const block::BlockView& view);
  Correction correction(uint64_t boot_id, int64_t offset_ns, model::TimeQuality quality) const;
  model::Aggregator::Handle handle_of(model::SeriesId id);

  bool wants(const block::Column& column) override;
  void on_values(const block::Column& column, std::span<const int64_t> times_ns, std::span<const uint64_t> values) override;
  void on_texts(const block::Column& column, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) override;

  Store& store_;
  model::Query query_;
  model::Aggregator aggregator_;
  model::QueryAnswer answer_;
  uint64_t numbering_ = 0;
  std::vector<Wanted> wanted_;                                 // by series id
  std::array<bool, model::stream_count> is_asked_{};
  std::array<model::Seq, model::stream_count> before_{};       // numbers below remain
  Correction correction_;                                      // of the block being scanned
  block::ScanScratch scratch_;
  ByteBuffer data_;
};

}  // namespace tideline::agent
