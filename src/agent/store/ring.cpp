#include "agent/store/ring.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "files.hpp"

namespace tideline::agent {
namespace {

constexpr size_t number_digits = 8;
// The empty file with its schema, and room for the WAL.
constexpr uint64_t segment_overhead_bytes = 8 * 1024;

}  // namespace

Result<Segment*> SegmentCache::get(const std::string& path, const SegmentIdentity& identity) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const Entry& entry) { return entry.path == path; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return &open_.front().segment;
  }
  ASSIGN_OR_RETURN(Segment opened, Segment::open_sealed(path, identity));
  if (open_.size() >= limits::open_segments) open_.pop_back();
  open_.push_front({path, std::move(opened)});
  return &open_.front().segment;
}

void SegmentCache::forget(const std::string& path) {
  open_.remove_if([&](const Entry& entry) { return entry.path == path; });
}

std::string Ring::name(uint32_t number) const { return format("seg-%s-%08u.db", model::stream_name(stream_), number); }

model::Seq Ring::last() const {
  for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
    if (at->readings != 0) return at->range.last;
  }
  return 0;
}

uint64_t Ring::bytes() const {
  uint64_t sum = 0;
  for (const SegmentSummary& segment : segments_) sum += segment.bytes;
  return sum;
}

uint64_t Ring::readings() const {
  uint64_t sum = 0;
  for (const SegmentSummary& segment : segments_) sum += segment.readings;
  return sum;
}

size_t Ring::index_at(model::Seq seq) const {
  const auto at = std::find_if(segments_.begin(), segments_.end(),
                               [&](const SegmentSummary& segment) { return segment.readings != 0 && segment.range.last >= seq; });
  return static_cast<size_t>(at - segments_.begin());
}

bool Ring::holds_any(model::SeqRange range) const {
  const size_t index = index_at(range.first);
  return index < segments_.size() && segments_[index].range.first <= range.last;
}

void Ring::add(const SegmentSummary& summary) {
  const auto at = std::lower_bound(segments_.begin(), segments_.end(), summary.number,
                                   [](const SegmentSummary& known, uint32_t number) { return known.number < number; });
  segments_.insert(at, summary);
}

void Ring::adopt_active(Segment segment, const SegmentSummary& summary) {
  segments_.push_back(summary);
  active_.emplace(std::move(segment));
  series_in_active_.clear();  // definitions are written again where needed: INSERT OR IGNORE
}

Status Ring::start(const SegmentIdentity& identity) {
  const std::string file = path(identity.number);
  // What is left of a creation that failed; it never held a commit.
  RETURN_IF_ERROR(platform::remove_file(file));
  RETURN_IF_ERROR(platform::remove_file(file + "-wal"));
  auto created = Segment::create(file, identity);
  if (!created) {
    (void)platform::remove_file(file).has_value();
    (void)platform::remove_file(file + "-wal").has_value();
    return created.error();
  }
  RETURN_IF_ERROR(platform::sync_directory(directory_));
  SegmentSummary summary;
  summary.number = identity.number;
  summary.bytes = segment_overhead_bytes;
  adopt_active(std::move(*created), summary);
  return {};
}

Status Ring::append(std::span<const BlockRow> rows, const std::vector<bool>& used, const model::SeriesDictionary& dictionary) {
  std::vector<SeriesRow> series;
  series_in_active_.resize(dictionary.size());
  for (model::SeriesId id = 0; id < used.size(); ++id) {
    if (used[id] && !series_in_active_[id]) series.push_back({id, &dictionary.at(id)});
  }
  RETURN_IF_ERROR(active_->append(rows, series));
  for (const SeriesRow& row : series) series_in_active_[row.id] = true;
  for (const BlockRow& row : rows) segments_.back().add(row);
  return {};
}

Status Ring::seal_active() {
  RETURN_IF_ERROR(active_->seal(segments_.back()));
  active_.reset();
  SegmentSummary& sealed = segments_.back();
  sealed.sealed = true;
  if (const auto size = platform::file_size(path(sealed.number))) sealed.bytes = *size;
  return {};
}

void Ring::close_active() { active_.reset(); }

Status Ring::reopen_active(const std::string& epoch, model::Seq next) {
  active_.reset();
  if (segments_.empty() || segments_.back().sealed) return {};
  const uint32_t number = segments_.back().number;
  ASSIGN_OR_RETURN(Segment opened, Segment::open(path(number), {epoch, 0, stream_, number}));
  RETURN_IF_ERROR(opened.repair_after_failure(next));
  RETURN_IF_ERROR(opened.check(limits::recovery_blocks));
  ASSIGN_OR_RETURN(SegmentSummary summary, opened.summarize(false));
  summary.number = number;
  summary.bytes += segment_overhead_bytes;
  segments_.pop_back();
  adopt_active(std::move(opened), summary);
  return {};
}

Status Ring::remove(size_t index) {
  const std::string file = path(segments_[index].number);
  if (active_ && index + 1 == segments_.size()) active_.reset();
  cache_.forget(file);
  RETURN_IF_ERROR(platform::remove_file(file));
  RETURN_IF_ERROR(platform::remove_file(file + "-wal"));
  drop(index);
  return platform::sync_directory(directory_);
}

void Ring::drop(size_t index) {
  if (active_ && index + 1 == segments_.size()) active_.reset();
  cache_.forget(path(segments_[index].number));
  segments_.erase(segments_.begin() + static_cast<ptrdiff_t>(index));
}

Result<Segment*> Ring::read(size_t index, const std::string& epoch) {
  const SegmentSummary& segment = segments_[index];
  if (!segment.sealed) {
    if (!active_) return Error{ErrorCode::io, 0, "active segment is closed"};
    return &*active_;
  }
  return cache_.get(path(segment.number), {epoch, 0, stream_, segment.number});
}

bool parse_segment_name(std::string_view name, std::string_view prefix, model::Stream& stream, uint32_t& number) {
  constexpr std::string_view suffix = ".db";
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  const size_t dash = name.find('-');
  if (dash == std::string_view::npos || name.size() - dash - 1 != number_digits) return false;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + dash + 1, end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end && model::parse_stream(name.substr(0, dash), stream);
}

}  // namespace tideline::agent
