#include "agent/gateway/latest_readings.hpp"

#include "base/text.hpp"

namespace tideline::agent {
namespace {

void set_text(LatestReading& entry, std::string_view text) {
  entry.is_cut = text.size() > limits::latest_text_bytes;
  entry.point.text = text.substr(0, limits::latest_text_bytes);
  while (entry.is_cut && !is_utf8(entry.point.text)) entry.point.text.pop_back();
}

}  // namespace

LatestReading& LatestReadings::entry(model::SeriesId series) {
  if (series >= entries_.size()) entries_.resize(series + 1);
  return entries_[series];
}

void LatestReadings::correct(const Moment& moment) {
  const int64_t shift = has_offset_ ? moment.offset_ns - offset_ns_ : 0;
  offset_ns_ = moment.offset_ns;
  has_offset_ = true;
  if (shift == 0) return;
  for (LatestReading& one : entries_) {
    if (!one.is_ours) continue;
    one.point.time_ns += shift;
    one.quality = moment.quality;
  }
}

void LatestReadings::take(model::Stream stream, const model::ReadingBatch& batch, const Moment& moment) {
  correct(moment);
  for (const model::Reading& reading : batch.readings()) {
    LatestReading& one = entry(reading.series);
    if (!one.is_fresh) fresh_[model::index_of(stream)].push_back(reading.series);
    one.is_fresh = true;
    if (one.is_known && reading.time_ns < one.point.time_ns) continue;  // late data is data, but not the newest
    one.is_known = true;
    one.is_ours = reading.time_source == model::TimeSource::agent;
    one.quality = moment.quality;
    one.point.time_ns = reading.time_ns;
    one.point.type = reading.type;
    one.point.bits = reading.bits;
    one.is_cut = false;
    if (reading.type == model::ValueType::text) set_text(one, model::ReadingBatch::text_of(reading, batch.text()));
  }
}

void LatestReadings::add_stored(model::SeriesId series, const model::Point& point, model::TimeQuality quality) {
  LatestReading& one = entry(series);
  if (one.is_known && one.point.time_ns >= point.time_ns) return;
  one.is_known = true;
  one.is_ours = false;
  one.quality = quality;
  one.point = point;
  one.is_cut = false;
  if (point.type == model::ValueType::text) set_text(one, point.text);
}

const LatestReading* LatestReadings::find(model::SeriesId series, const Moment& moment) {
  correct(moment);
  return series < entries_.size() && entries_[series].is_known ? &entries_[series] : nullptr;
}

std::vector<model::SeriesId> LatestReadings::take_fresh(model::Stream stream) {
  std::vector<model::SeriesId> fresh = std::move(fresh_[model::index_of(stream)]);
  fresh_[model::index_of(stream)].clear();
  for (const model::SeriesId series : fresh) entries_[series].is_fresh = false;
  return fresh;
}

}  // namespace tideline::agent
