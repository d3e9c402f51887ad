// Turns decoded readings into the rows of an answer: raw points, or one value per bucket of time. Pure; used by the edge store
// and by the archive.
//
// Owned by one running question. Readings may come in any order; newest blocks first is cheapest, because wants() then says
// when to stop. Memory is bounded by 2 * query.limit rows, limits::query_series series and limits::query_text_bytes of text,
// whatever is fed.
//
// Rules:
//  * Buckets start at UTC multiples of `step` counted from the epoch, so equal questions share bucket borders; the first one
//    may start before `from`, but holds only readings of [from, to). Step 0: one bucket over the range, which starts at
//    `from`, or at its earliest reading when `from` is open.
//  * Booleans count as 0 and 1. Texts answer count, first and last only; other aggregates pass over them.
//  * NaN is passed over by mean, min, max and sum, and counted by count. A bucket of NaN alone gives NaN.
//  * min and max keep the type of the winning value and compare int64 with double exactly. sum is int64 as long as every
//    value was an integer and the sum fits, else a double (compensated). mean is a double.
//  * first and last go by time; among equal times within one run the order of the run decides.
//  * Of too many rows the newest are kept and the answer says `truncated`.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/query.hpp"

namespace tideline::model {

class Aggregator {
 public:
  /// Uses the range, aggregate, step and limit of `query` (limit is cut to limits::query_rows).
  explicit Aggregator(const Query& query);

  /// Handle of a series, the same for equal (device, series). no_series when limits::query_series are open already; then
  /// the answer is truncated.
  using Handle = uint32_t;
  static constexpr Handle no_series = UINT32_MAX;
  Handle open_series(std::string_view device, const Series& series);

  /// A run of numbers or booleans as bits (Reading::bits), times corrected. Cost: bench query_*.
  void add_values(Handle series, ValueType type, TimeQuality quality, std::span<const int64_t> times_ns, std::span<const uint64_t> bits);
  void add_texts(Handle series, TimeQuality quality, std::span<const int64_t> times_ns, std::span<const std::string_view> texts);

  /// Extremes and number of a whole column, as block headers have them: spares decoding.
  struct Summary {
    ValueType type = ValueType::f64;
    uint32_t count = 0;
    int64_t time_min_ns = 0;
    int64_t time_max_ns = 0;
    uint64_t value_min = 0;
    uint64_t value_max = 0;
  };
  /// True when the summary said all that the question needs (count, min or max; all readings in one bucket of the range).
  /// False when the column must be decoded; then nothing was added.
  bool add_summary(Handle series, TimeQuality quality, const Summary& summary);

  /// Whether readings up to `time_max_ns` can still change the answer. False: enough newer rows are there already.
  bool wants(int64_t time_min_ns, int64_t time_max_ns) const {
    return time_max_ns >= from_ns_ && time_max_ns >= floor_ns_ && time_min_ns < to_ns_;
  }
  /// Readings before this cannot appear in the answer any more.
  int64_t floor_ns() const { return floor_ns_; }

  /// Moves the rows into `answer.series` (series without rows are left out), ordered by device and key.
  void finish(QueryAnswer& answer);

 private:
  struct Bucket {
    uint64_t count = 0;            // readings, NaN included
    uint64_t numbers = 0;          // values that are not NaN
    bool only_integers = true;
    int64_t integer_sum = 0;
    double real_sum = 0;
    double compensation = 0;       // Neumaier: what real_sum lost to rounding
    bool has_choice = false;       // min, max, first, last: the winner so far
    int64_t choice_ns = 0;
    ValueType type = ValueType::f64;
    uint64_t bits = 0;
    std::string text;
    int64_t time_min_ns = INT64_MAX;
  };
  struct State {
    SeriesAnswer answer;
    bool is_seen = false;
    std::map<int64_t, Bucket> buckets;  // by start
    Bucket* current = nullptr;
    int64_t current_start = 0;
    int64_t current_last = -1;          // inclusive; empty range before the first
  };
  struct Row {
    int64_t time_ns;
    uint32_t series;
    uint32_t order;
    uint32_t text_bytes;
  };

  bool is_raw() const { return aggregate_ == Aggregate::none; }
  bool is_in_range(int64_t time_ns) const { return time_ns >= from_ns_ && time_ns < to_ns_ && time_ns >= floor_ns_; }
  int64_t bucket_start(int64_t time_ns) const;
  Bucket* bucket_at(State& state, int64_t time_ns);
  void take_number(Bucket& bucket, int64_t time_ns, ValueType type, uint64_t bits);
  void take_sum(Bucket& bucket, ValueType type, uint64_t bits);
  void add_real(Bucket& bucket, double value);
  void take_extreme(Bucket& bucket, ValueType type, uint64_t bits);
  void take_text(Bucket& bucket, int64_t time_ns, std::string_view text);
  void note_quality(State& state, TimeQuality quality);
  std::vector<Row> rows() const;
  size_t count_kept(const std::vector<Row>& newest_first, bool is_final) const;
  void prune(bool is_final);
  void drop(std::vector<Row> rows);
  void prune_if_needed() {
    if (row_count_ >= prune_at_ || text_bytes_ >= text_prune_at_) prune(false);
  }
  Point to_point(int64_t start_ns, Bucket& bucket) const;

  Aggregate aggregate_;
  int64_t from_ns_;
  int64_t to_ns_;
  int64_t step_ns_;
  size_t limit_;
  int64_t floor_ns_ = INT64_MIN;
  size_t row_count_ = 0;
  size_t text_bytes_ = 0;
  size_t prune_at_ = 0;
  size_t text_prune_at_ = 0;
  bool truncated_ = false;
  std::vector<State> states_;
  std::unordered_map<std::string, Handle> handles_;
};

}  // namespace tideline::model
