#include "model/aggregator.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "base/limits.hpp"

namespace tideline::model {
namespace {

/// Exact: a double holds integers only up to 2^53, so int64 is never converted to compare it.
bool is_less(int64_t integer, double real) {
  if (real >= 0x1p63) return true;
  if (real < -0x1p63) return false;
  const auto whole = static_cast<int64_t>(real);  // towards zero
  return integer != whole ? integer < whole : static_cast<double>(whole) < real;
}
bool is_less(double real, int64_t integer) {
  if (real >= 0x1p63) return false;
  if (real < -0x1p63) return true;
  const auto whole = static_cast<int64_t>(real);
  return whole != integer ? whole < integer : real < static_cast<double>(whole);
}
bool is_less(ValueType a_type, uint64_t a, ValueType b_type, uint64_t b) {
  const bool a_real = a_type == ValueType::f64;
  const bool b_real = b_type == ValueType::f64;
  if (a_real && b_real) return std::bit_cast<double>(a) < std::bit_cast<double>(b);
  if (a_real) return is_less(std::bit_cast<double>(a), static_cast<int64_t>(b));
  if (b_real) return is_less(static_cast<int64_t>(a), std::bit_cast<double>(b));
  return static_cast<int64_t>(a) < static_cast<int64_t>(b);
}

int64_t add_saturated(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

bool is_nan(ValueType type, uint64_t bits) { return type == ValueType::f64 && std::isnan(std::bit_cast<double>(bits)); }

}  // namespace

Aggregator::Aggregator(const Query& query)
    : aggregate_(query.aggregate),
      from_ns_(query.from_ns),
      to_ns_(query.to_ns),
      step_ns_(std::max<int64_t>(query.step.nanos, 0)),
      limit_(std::min<size_t>(query.limit, limits::query_rows)) {
  prune_at_ = 2 * limit_ + 1;
  text_prune_at_ = limits::query_text_bytes;
}

Aggregator::Handle Aggregator::open_series(std::string_view device, const Series& series) {
  std::string identity(device);
  identity += '\0';
  identity += series.key();
  identity += '\0';
  identity += series.unit;
  identity += static_cast<char>(series.kind);
  identity += static_cast<char>(series.stream);
  if (const auto found = handles_.find(identity); found != handles_.end()) return found->second;
  if (states_.size() >= limits::query_series) {
    truncated_ = true;
    return no_series;
  }
  const auto handle = static_cast<Handle>(states_.size());
  handles_.emplace(std::move(identity), handle);
  State& state = states_.emplace_back();
  state.answer.device = device;
  state.answer.series = series;
  return handle;
}

void Aggregator::add_values(Handle series, ValueType type, TimeQuality quality, std::span<const int64_t> times_ns,
                            std::span<const uint64_t> bits) {
  assert(times_ns.size() == bits.size() && type != ValueType::text);
  if (series == no_series) return;
  State& state = states_[series];
  for (size_t i = 0; i < times_ns.size(); ++i) {
    const int64_t time = times_ns[i];
    if (!is_in_range(time)) continue;
    note_quality(state, quality);
    if (is_raw()) {
      state.answer.points.push_back({time, type, bits[i], {}, 1});
      ++row_count_;
    } else {
      take_number(*bucket_at(state, time), time, type, bits[i]);
    }
    prune_if_needed();
  }
}

void Aggregator::add_texts(Handle series, TimeQuality quality, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) {
  assert(times_ns.size() == texts.size());
  const bool answers = is_raw() || aggregate_ == Aggregate::count || aggregate_ == Aggregate::first || aggregate_ == Aggregate::last;
  if (series == no_series || !answers) return;
  State& state = states_[series];
  for (size_t i = 0; i < times_ns.size(); ++i) {
    const int64_t time = times_ns[i];
    if (!is_in_range(time)) continue;
    note_quality(state, quality);
    if (is_raw()) {
      state.answer.points.push_back({time, ValueType::text, 0, std::string(texts[i]), 1});
      ++row_count_;
      text_bytes_ += texts[i].size();
    } else {
      take_text(*bucket_at(state, time), time, texts[i]);
    }
    prune_if_needed();
  }
}

bool Aggregator::add_summary(Handle series, TimeQuality quality, const Summary& summary) {
  const bool extreme = (aggregate_ == Aggregate::min || aggregate_ == Aggregate::max) && summary.type != ValueType::text;
  if (!extreme && aggregate_ != Aggregate::count) return false;
  if (summary.count == 0 || !is_in_range(summary.time_min_ns) || !is_in_range(summary.time_max_ns)) return false;
  if (step_ns_ != 0 && bucket_start(summary.time_min_ns) != bucket_start(summary.time_max_ns)) return false;
  if (series == no_series) return true;
  State& state = states_[series];
  note_quality(state, quality);
  Bucket& bucket = *bucket_at(state, summary.time_min_ns);
  bucket.count += summary.count;
  bucket.time_min_ns = std::min(bucket.time_min_ns, summary.time_min_ns);
  if (extreme) take_extreme(bucket, summary.type, aggregate_ == Aggregate::min ? summary.value_min : summary.value_max);
  prune_if_needed();
  return true;
}

void Aggregator::finish(QueryAnswer& answer) {
  prune(true);
  for (State& state : states_) {
    for (auto& [start, bucket] : state.buckets) state.answer.points.push_back(to_point(start, bucket));
    if (state.answer.points.empty()) continue;
    std::stable_sort(state.answer.points.begin(), state.answer.points.end(), [](const Point& a, const Point& b) { return a.time_ns < b.time_ns; });
    answer.series.push_back(std::move(state.answer));
  }
  std::sort(answer.series.begin(), answer.series.end(), [](const SeriesAnswer& a, const SeriesAnswer& b) {
    return a.device != b.device ? a.device < b.device : a.series.key() < b.series.key();
  });
  answer.truncated = answer.truncated || truncated_;
  states_.clear();
  handles_.clear();
}

int64_t Aggregator::bucket_start(int64_t time_ns) const {
  if (step_ns_ == 0) return from_ns_;
  int64_t rest = time_ns % step_ns_;
  if (rest < 0) rest += step_ns_;
  return time_ns < INT64_MIN + rest ? INT64_MIN : time_ns - rest;
}

Aggregator::Bucket* Aggregator::bucket_at(State& state, int64_t time_ns) {
  if (time_ns >= state.current_start && time_ns <= state.current_last) return state.current;
  const int64_t start = bucket_start(time_ns);
  const auto [at, is_new] = state.buckets.try_emplace(start);
  if (is_new) ++row_count_;
  state.current = &at->second;
  state.current_start = start;
  state.current_last = step_ns_ == 0 ? INT64_MAX : add_saturated(start, step_ns_ - 1);
  return state.current;
}

void Aggregator::take_number(Bucket& bucket, int64_t time_ns, ValueType type, uint64_t bits) {
  ++bucket.count;
  bucket.time_min_ns = std::min(bucket.time_min_ns, time_ns);
  switch (aggregate_) {
    case Aggregate::none:
    case Aggregate::count: return;
    case Aggregate::min:
    case Aggregate::max: return take_extreme(bucket, type, bits);
    case Aggregate::first:
    case Aggregate::last: {
      const bool wins = !bucket.has_choice || (aggregate_ == Aggregate::first ? time_ns < bucket.choice_ns : time_ns >= bucket.choice_ns);
      if (!wins) return;
      bucket.has_choice = true;
      bucket.choice_ns = time_ns;
      bucket.type = type;
      bucket.bits = bits;
      text_bytes_ -= bucket.text.size();
      bucket.text.clear();
      return;
    }
    case Aggregate::mean:
    case Aggregate::sum: break;
  }
  take_sum(bucket, type, bits);
}

void Aggregator::take_sum(Bucket& bucket, ValueType type, uint64_t bits) {
  if (is_nan(type, bits)) return;
  ++bucket.numbers;
  if (type == ValueType::f64) {
    bucket.only_integers = false;
    return add_real(bucket, std::bit_cast<double>(bits));
  }
  const auto value = static_cast<int64_t>(bits);
  int64_t sum = 0;
  if (!__builtin_add_overflow(bucket.integer_sum, value, &sum)) {
    bucket.integer_sum = sum;
    return;
  }
  bucket.only_integers = false;
  add_real(bucket, static_cast<double>(bucket.integer_sum));
  bucket.integer_sum = value;
}

/// Neumaier's compensated sum (ZAMM 54, 1974): a year of readings does not lose its low digits.
void Aggregator::add_real(Bucket& bucket, double value) {
  const double sum = bucket.real_sum + value;
  const bool old_is_larger = std::abs(bucket.real_sum) >= std::abs(value);
  bucket.compensation += old_is_larger ? (bucket.real_sum - sum) + value : (value - sum) + bucket.real_sum;
  bucket.real_sum = sum;
}

void Aggregator::take_extreme(Bucket& bucket, ValueType type, uint64_t bits) {
  if (is_nan(type, bits)) return;
  ++bucket.numbers;
  if (bucket.has_choice) {
    const bool wins = aggregate_ == Aggregate::min ? is_less(type, bits, bucket.type, bucket.bits) : is_less(bucket.type, bucket.bits, type, bits);
    if (!wins) return;
  }
  bucket.has_choice = true;
  bucket.type = type;
  bucket.bits = bits;
}

void Aggregator::take_text(Bucket& bucket, int64_t time_ns, std::string_view text) {
  ++bucket.count;
  bucket.time_min_ns = std::min(bucket.time_min_ns, time_ns);
  if (aggregate_ == Aggregate::count) return;
  const bool wins = !bucket.has_choice || (aggregate_ == Aggregate::first ? time_ns < bucket.choice_ns : time_ns >= bucket.choice_ns);
  if (!wins) return;
  bucket.has_choice = true;
  bucket.choice_ns = time_ns;
  bucket.type = ValueType::text;
  bucket.bits = 0;
  text_bytes_ += text.size() - bucket.text.size();
  bucket.text = text;
}

void Aggregator::note_quality(State& state, TimeQuality quality) {
  TimeQuality& worst = state.answer.time_quality;
  worst = state.is_seen ? std::min(worst, quality) : quality;
  state.is_seen = true;
}

std::vector<Aggregator::Row> Aggregator::rows() const {
  std::vector<Row> all;
  all.reserve(row_count_);
  for (uint32_t series = 0; series < states_.size(); ++series) {
    const State& state = states_[series];
    uint32_t order = 0;
    for (const Point& point : state.answer.points) all.push_back({point.time_ns, series, order++, static_cast<uint32_t>(point.text.size())});
    for (const auto& [start, bucket] : state.buckets) all.push_back({start, series, order++, static_cast<uint32_t>(bucket.text.size())});
  }
  return all;
}

/// How many of `newest_first` stay. While feeding, buckets of the oldest kept start stay for every series: dropping one of
/// them would let later readings make it again, with a part of its readings missing. The final cut is exact.
size_t Aggregator::count_kept(const std::vector<Row>& newest_first, bool is_final) const {
  size_t kept = 0;
  size_t text = 0;
  while (kept < newest_first.size() && kept < limit_ && text + newest_first[kept].text_bytes <= limits::query_text_bytes) {
    text += newest_first[kept++].text_bytes;
  }
  if (is_raw() || is_final || kept == 0) return kept;
  while (kept < newest_first.size() && newest_first[kept].time_ns == newest_first[kept - 1].time_ns) ++kept;
  return kept;
}

void Aggregator::prune(bool is_final) {
  if (row_count_ <= limit_ && text_bytes_ <= limits::query_text_bytes) return;
  std::vector<Row> all = rows();
  std::sort(all.begin(), all.end(), [](const Row& a, const Row& b) {
    if (a.time_ns != b.time_ns) return a.time_ns > b.time_ns;
    return a.series != b.series ? a.series < b.series : a.order < b.order;
  });
  const size_t kept = count_kept(all, is_final);
  if (kept < all.size()) {
    truncated_ = true;
    if (kept == 0) floor_ns_ = INT64_MAX;
    else floor_ns_ = is_raw() ? add_saturated(all[kept - 1].time_ns, 1) : all[kept - 1].time_ns;
    drop({all.begin() + static_cast<ptrdiff_t>(kept), all.end()});
  }
  row_count_ = kept;
  prune_at_ = std::max(2 * limit_, kept + limit_) + 1;
  text_prune_at_ = std::max(limits::query_text_bytes, text_bytes_) + limits::query_text_bytes;
}

void Aggregator::drop(std::vector<Row> rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.series != b.series ? a.series < b.series : a.order < b.order; });
  for (auto at = rows.begin(); at != rows.end();) {
    State& state = states_[at->series];
    uint32_t order = 0;
    const auto is_dropped = [&, series = at->series](const auto&) {
      if (at == rows.end() || at->series != series || at->order != order++) return false;
      text_bytes_ -= at->text_bytes;
      ++at;
      return true;
    };
    if (is_raw()) {
      std::erase_if(state.answer.points, is_dropped);
    } else {
      std::erase_if(state.buckets, is_dropped);
    }
    state.current_start = 0;  // `current` may be gone: make the cached range empty
    state.current_last = -1;
  }
}

Point Aggregator::to_point(int64_t start_ns, Bucket& bucket) const {
  Point point;
  point.time_ns = step_ns_ == 0 && from_ns_ == INT64_MIN ? bucket.time_min_ns : start_ns;
  point.count = bucket.count;
  switch (aggregate_) {
    case Aggregate::none: break;
    case Aggregate::count:
      point.type = ValueType::i64;
      point.bits = bucket.count;
      break;
    case Aggregate::min:
    case Aggregate::max:
    case Aggregate::first:
    case Aggregate::last:
      point.type = bucket.type;
      point.bits = bucket.has_choice ? bucket.bits : std::bit_cast<uint64_t>(std::nan(""));
      point.text = std::move(bucket.text);
      break;
    case Aggregate::mean:
    case Aggregate::sum: {
      if (aggregate_ == Aggregate::sum && bucket.only_integers && bucket.numbers > 0) {
        point.type = ValueType::i64;
        point.bits = static_cast<uint64_t>(bucket.integer_sum);
        break;
      }
      // With an infinity among the values the compensation is NaN and must not spoil the sum.
      double sum = bucket.real_sum;
      if (std::isfinite(sum)) sum += bucket.compensation + static_cast<double>(bucket.integer_sum);
      if (bucket.numbers == 0) sum = std::nan("");
      point.bits = std::bit_cast<uint64_t>(aggregate_ == Aggregate::mean && bucket.numbers > 0 ? sum / static_cast<double>(bucket.numbers) : sum);
      break;
    }
  }
  return point;
}

}  // namespace tideline::model
