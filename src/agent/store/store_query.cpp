#include "agent/store/store_query.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {

using model::index_of;
using model::Stream;

namespace {

/// Offsets of wrong clocks can be anything: sums stop at the ends.
int64_t subtract(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b > 0 ? INT64_MIN : INT64_MAX;
}

bool touches(const model::Gap& gap, const model::Query& query) {
  return (gap.from_ns == 0 || gap.from_ns < query.to_ns) && (gap.to_ns == 0 || gap.to_ns >= query.from_ns);
}

}  // namespace

StoreQuery::StoreQuery(Store& store, const model::Query& query) : store_(store), query_(query), aggregator_(query) { start(); }

void StoreQuery::start() {
  aggregator_ = model::Aggregator(query_);
  answer_ = {};
  numbering_ = store_.numbering();
  const model::SeriesDictionary& dictionary = store_.dictionary();
  wanted_.assign(dictionary.size(), {});
  is_asked_ = {};
  for (model::SeriesId id = 0; id < dictionary.size(); ++id) {
    if (!query_.series.matches(dictionary.at(id))) continue;
    wanted_[id].is_wanted = true;
    is_asked_[index_of(dictionary.at(id).stream)] = true;
  }
  for (const Stream stream : model::streams) {
    before_[index_of(stream)] = is_asked_[index_of(stream)] ? store_.next(stream) : 0;
    if (is_asked_[index_of(stream)]) add_pending(stream);
  }
}

bool StoreQuery::step(size_t blocks, Instant now) {
  if (numbering_ != store_.numbering()) start();
  for (const Stream stream : model::streams) {
    if (!step_stream(stream, blocks, now)) return false;
  }
  return true;
}

model::QueryAnswer StoreQuery::take() {
  for (const Stream stream : model::streams) {
    if (is_asked_[index_of(stream)]) add_gaps(stream);
  }
  aggregator_.finish(answer_);
  return std::move(answer_);
}

void StoreQuery::add_pending(Stream stream) {
  for (const PendingBatch& pending : store_.pending(stream)) {
    const Correction now = correction(pending.anchor.boot_id, pending.anchor.offset_ns(), pending.anchor.quality);
    for (const model::Reading& reading : pending.batch.readings()) {
      if (reading.series >= wanted_.size() || !wanted_[reading.series].is_wanted) continue;
      ++answer_.readings_scanned;
      const int64_t shift = reading.time_source == model::TimeSource::agent ? now.shift_ns : 0;
      const int64_t time = block::corrected_time(reading.time_ns, shift);
      if (!aggregator_.wants(time, time)) continue;
      if (reading.type == model::ValueType::text) {
        const std::string_view text = model::ReadingBatch::text_of(reading, pending.batch.text());
        aggregator_.add_texts(handle_of(reading.series), now.quality, {&time, 1}, {&text, 1});
      } else {
        aggregator_.add_values(handle_of(reading.series), reading.type, now.quality, {&time, 1}, {&reading.bits, 1});
      }
    }
  }
}

void StoreQuery::add_gaps(Stream stream) {
  const std::vector<model::Gap>& gaps = store_.state().of(stream).gaps.all();
  for (auto gap = gaps.rbegin(); gap != gaps.rend(); ++gap) {
    if (!touches(*gap, query_)) continue;
    if (answer_.gaps.size() >= limits::query_gaps) {
      answer_.truncated = true;
      return;
    }
    answer_.gaps.emplace_back(std::string(), *gap);
  }
}

/// True when nothing is left of this stream. Uses up `blocks`.
bool StoreQuery::step_stream(Stream stream, size_t& blocks, Instant now) {
  model::Seq& before = before_[index_of(stream)];
  while (before > 1) {
    if (blocks == 0) return false;
    // Looked up anew each time: segments come and go between steps, and quarantine replaces them.
    const std::vector<SegmentSummary>& segments = store_.ring(stream).segments();
    size_t index = segments.size();
    while (index > 0 && (segments[index - 1].readings == 0 || segments[index - 1].range.first >= before)) --index;
    if (index == 0) break;
    --index;
    const model::Seq first = segments[index].range.first;
    if (!may_matter(segments[index]) || read_segment(stream, index, blocks, now)) before = std::min(before, first);
  }
  before = 0;
  return true;
}

/// True when nothing is left of this segment, or it cannot be read.
bool StoreQuery::read_segment(Stream stream, size_t index, size_t& blocks, Instant now) {
  const uint32_t number = store_.ring(stream).segments()[index].number;
  const auto segment = store_.ring(stream).read(index, store_.state().epoch);
  Status problem = segment ? Status{} : Status(segment.error());
  model::Seq& before = before_[index_of(stream)];
  while (problem && blocks > 0) {
    --blocks;
    const auto row = (*segment)->find_before(before);
    if (!row) {
      problem = row.error();
      break;
    }
    if (!row->has_value()) return true;
    before = (*row)->first;
    if (!may_matter(**row)) continue;
    problem = (*segment)->read_data((*row)->first, data_);
    if (!problem) break;
    const auto view = block::BlockView::open(data_);
    if (view && view->range() == (*row)->range()) {
      scan_block(*view);
    } else {
      problem = Error{ErrorCode::corrupt, 0, "block in segment"};
    }
  }
  if (problem) return false;
  ++answer_.blocks_unreadable;
  if (!Store::is_damage(problem.error())) return true;
  // The rest of it is read from what salvage leaves in its place.
  return !store_.quarantine(stream, number, now);
}

bool StoreQuery::may_matter(const SegmentSummary& segment) const {
  int64_t shift_min = 0;
  int64_t shift_max = 0;
  for (const model::Anchor& anchor : store_.state().anchors) {
    if (segment.boot_id != 0 && segment.boot_id != anchor.boot_id) continue;
    shift_min = std::min(shift_min, subtract(anchor.offset_ns(), segment.offset_max_ns));
    shift_max = std::max(shift_max, subtract(anchor.offset_ns(), segment.offset_min_ns));
  }
  return may_matter(segment.time_min_ns, segment.time_max_ns, shift_min, shift_max);
}

bool StoreQuery::may_matter(const BlockRow& row) const {
  const int64_t shift = correction(row.boot_id, row.utc_offset_ns, model::TimeQuality::none).shift_ns;
  return may_matter(row.time_min_ns, row.time_max_ns, std::min<int64_t>(shift, 0), std::max<int64_t>(shift, 0));
}

bool StoreQuery::may_matter(int64_t time_min_ns, int64_t time_max_ns, int64_t shift_min_ns, int64_t shift_max_ns) const {
  return aggregator_.wants(block::corrected_time(time_min_ns, shift_min_ns), block::corrected_time(time_max_ns, shift_max_ns));
}

void StoreQuery::scan_block(const block::BlockView& view) {
  ++answer_.blocks_scanned;
  const block::BlockMeta& meta = view.meta();
  correction_ = correction(meta.boot_id, meta.utc_offset_ns, meta.time_quality);
  const block::ScanRange range{std::max(query_.from_ns, aggregator_.floor_ns()), query_.to_ns, correction_.shift_ns};
  const auto decoded = block::scan(view, range, scratch_, *this);
  if (decoded) {
    answer_.readings_scanned += *decoded;
  } else {
    ++answer_.blocks_unreadable;
  }
}

StoreQuery::Correction StoreQuery::correction(uint64_t boot_id, int64_t offset_ns, model::TimeQuality quality) const {
  for (const model::Anchor& anchor : store_.state().anchors) {
    if (anchor.boot_id == boot_id) return {subtract(anchor.offset_ns(), offset_ns), std::max(anchor.quality, quality)};
  }
  return {0, quality};
}

model::Aggregator::Handle StoreQuery::handle_of(model::SeriesId id) {
  Wanted& wanted = wanted_[id];
  if (!wanted.is_open) {
    wanted.handle = aggregator_.open_series("", store_.dictionary().at(id));
    wanted.is_open = true;
  }
  return wanted.handle;
}

bool StoreQuery::wants(const block::Column& column) {
  if (column.series >= wanted_.size() || !wanted_[column.series].is_wanted) return false;
  const int64_t shift = column.time_source == model::TimeSource::agent ? correction_.shift_ns : 0;
  const int64_t time_min = block::corrected_time(column.time_min_ns, shift);
  const int64_t time_max = block::corrected_time(column.time_max_ns, shift);
  if (!aggregator_.wants(time_min, time_max)) return false;
  const model::Aggregator::Summary summary{column.type, column.count, time_min, time_max, column.value_min, column.value_max};
  return !aggregator_.add_summary(handle_of(column.series), correction_.quality, summary);
}

void StoreQuery::on_values(const block::Column& column, std::span<const int64_t> times_ns, std::span<const uint64_t> values) {
  aggregator_.add_values(handle_of(column.series), column.type, correction_.quality, times_ns, values);
}

void StoreQuery::on_texts(const block::Column& column, std::span<const int64_t> times_ns, std::span<const std::string_view> texts) {
  aggregator_.add_texts(handle_of(column.series), correction_.quality, times_ns, texts);
}

}  // namespace tideline::agent
