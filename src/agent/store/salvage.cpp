// Store: what happens to a segment that cannot be read.

#include <algorithm>
#include <set>

#include "agent/store/raw_segment.hpp"
#include "agent/store/store.hpp"
#include "base/limits.hpp"

namespace tideline::agent {
namespace {

using model::Seq;
using model::Stream;

/// Copies good blocks into a new segment, some at a time.
class Rescuer : public RawSegment::Visitor {
 public:
  Rescuer(Segment& into, const model::SeriesDictionary& dictionary, model::SeqRange plausible)
      : into_(into), dictionary_(dictionary), plausible_(plausible) {}

  void on_block(const block::BlockView& view, Bytes data) override {
    const model::SeqRange range = view.range();
    if (!report_ || !plausible_.contains(range.first) || !plausible_.contains(range.last) || overlaps(range)) return;
    held_.emplace(range.last, range.first);
    buffers_.emplace_back(data.begin(), data.end());
    rows_.push_back(row_of(view, {}));
    note_series(view, used_);
    bytes_ += data.size();
    if (bytes_ >= limits::commit_bytes) flush();
  }
  void on_series(model::SeriesId, const model::Series&) override {}

  Status finish() {
    flush();
    return report_;
  }
  const SegmentSummary& summary() const { return summary_; }

 private:
  bool overlaps(model::SeqRange range) const {
    const auto at = held_.lower_bound({range.first, 0});  // the first that ends at or after it
    return at != held_.end() && at->second <= range.last;
  }

  void flush() {
    std::vector<SeriesRow> series;
    for (model::SeriesId id = 0; id < used_.size() && dictionary_.contains(id); ++id) {
      if (used_[id]) series.push_back({id, &dictionary_.at(id)});
    }
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i].data = buffers_[i];
    if (report_ && !rows_.empty()) report_ = into_.append(rows_, series);
    for (const BlockRow& row : rows_) summary_.add(row);
    rows_.clear();
    buffers_.clear();
    bytes_ = 0;
  }

  Segment& into_;
  const model::SeriesDictionary& dictionary_;
  model::SeqRange plausible_;
  Status report_;
  SegmentSummary summary_;
  std::set<std::pair<Seq, Seq>> held_;  // last and first of what is copied
  std::vector<BlockRow> rows_;
  std::vector<ByteBuffer> buffers_;
  std::vector<bool> used_;
  size_t bytes_ = 0;
};

}  // namespace

Result<Store::Salvaged> Store::salvage(Stream stream, uint32_t number, model::SeqRange plausible) {
  const Ring& segments = ring(stream);
  const std::string& directory = options_.directory;
  const std::string name = segments.name(number);
  const std::string path = directory + "/" + name;
  const std::string fresh = directory + "/salvage.tmp";
  const std::string complete = directory + "/salvage" + name.substr(3);  // "seg-" becomes "salvage-"
  (void)platform::remove_file(fresh).has_value();
  Salvaged result;
  SegmentSummary summary;
  Status copied;
  {
    RawSegment raw(path, path + "-wal", stream);
    result.carved_last = raw.carve_last(plausible);
    result.is_end_certain = raw.is_end_certain();
    auto into = Segment::create(fresh, identity(stream, number));
    if (into) {
      Rescuer rescuer(*into, dictionary(), plausible);
      raw.visit(rescuer);
      copied = rescuer.finish();
      summary = rescuer.summary();
      if (copied) copied = into->seal(summary);
    } else {
      copied = into.error();
    }
  }
  const bool has_rest = copied && summary.readings != 0;
  // From here on the salvage counts: recovery finishes the exchange (Recovery::finish_salvage).
  if (has_rest) {
    RETURN_IF_ERROR(platform::rename_file(fresh, complete));
    RETURN_IF_ERROR(platform::sync_directory(directory));
  }
  (void)platform::remove_file(fresh).has_value();
  (void)platform::remove_file(fresh + "-wal").has_value();
  (void)platform::rename_file(path + "-wal", directory + "/bad-" + name + "-wal").has_value();
  (void)platform::rename_file(path, directory + "/bad-" + name).has_value();
  if (has_rest) RETURN_IF_ERROR(platform::rename_file(complete, path));
  RETURN_IF_ERROR(platform::sync_directory(directory));
  keep_bad_files(limits::bad_segments);
  log_warning(log_, "outbox", "%s: %llu readings kept, the file is now bad-%s", name.c_str(), static_cast<unsigned long long>(summary.readings), name.c_str());
  if (!has_rest) return result;
  summary.number = number;
  summary.sealed = true;
  if (const auto size = platform::file_size(path)) summary.bytes = *size;
  ring(stream).add(summary);
  return result;
}

bool Store::quarantine(Stream stream, uint32_t number, Instant now) {
  Ring& segments = ring(stream);
  log_error(log_, "outbox", "%s is damaged: keeping what can be read", segments.name(number).c_str());
  model::SeqRange plausible{1, next(stream) - 1};
  for (size_t i = segments.segments().size(); i-- > 0;) {
    const SegmentSummary& segment = segments.segments()[i];
    if (segment.number < number && segment.readings != 0) plausible.first = std::max(plausible.first, segment.range.last + 1);
    if (segment.number > number && segment.readings != 0) plausible.last = std::min(plausible.last, segment.range.first - 1);
    if (segment.number == number) segments.drop(i);
  }
  const bool is_salvaged = salvage(stream, number, plausible).has_value();
  if (!segments.has_active()) note_end(stream);
  declare_holes(stream, model::GapReason::damaged, now);
  const bool is_saved = save(StateDb::gaps | StateDb::streams).has_value();
  refresh_stream(stream);
  refresh_status();
  return is_salvaged && is_saved;
}

void Store::keep_bad_files(size_t most) {
  auto files = platform::list_files(options_.directory);
  if (!files) return;
  // A file and its WAL count as one. What is larger than any segment of ours is nobody's evidence.
  std::vector<platform::FileEntry> bad;
  for (const platform::FileEntry& file : *files) {
    if (file.name.starts_with("bad-") && !file.name.ends_with("-wal")) bad.push_back(file);
  }
  std::sort(bad.begin(), bad.end(), [](const auto& a, const auto& b) { return a.changed_ns > b.changed_ns; });
  size_t kept = 0;
  for (const platform::FileEntry& file : bad) {
    if (kept < most && file.size_bytes <= 4 * options_.segment_bytes + 4 * limits::pending_text_bytes) {
      ++kept;
      continue;
    }
    (void)platform::remove_file(options_.directory + "/" + file.name).has_value();
    (void)platform::remove_file(options_.directory + "/" + file.name + "-wal").has_value();
  }
  report_.bad_segments = static_cast<uint32_t>(kept);
}

}  // namespace tideline::agent
