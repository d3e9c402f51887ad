// A question about readings, the same at the edge and at the hub, and its answer. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/anchor.hpp"
#include "model/series.hpp"
#include "model/stream_state.hpp"

namespace tideline::model {

/// Stored nowhere; names are part of the command line and of the tools.
enum class Aggregate : uint8_t { none, mean, min, max, sum, count, first, last };
const char* aggregate_name(Aggregate aggregate);
bool parse_aggregate(std::string_view text, Aggregate& out);

/// One label condition: value is a glob. An absent label is matched by "" alone, not by "*": `{room=*}` means "has a room".
struct LabelMatch {
  std::string name;
  std::string value_glob;
};

/// Which series: name glob and label conditions, all must hold.
struct SeriesSelector {
  std::string name_glob = "*";
  std::vector<LabelMatch> labels;
  bool matches(const Series& series) const;
};
/// "cpu*", "temp{room=a*,site=?}", "{room=a}" (any name). Errors: invalid, limit (pattern_bytes, labels); the context names
/// the rule that was broken.
Result<SeriesSelector> parse_series_selector(std::string_view text);

/// Which devices: id glob and label conditions over the device's labels (at the hub only).
struct DeviceSelector {
  std::string id_glob = "*";
  std::vector<LabelMatch> labels;
  std::vector<std::string> more_globs{};  ///< the id must match these too
  bool matches(std::string_view id, const std::vector<std::pair<std::string, std::string>>& device_labels) const;
  /// Where ids that can match lie in a list in the order of ids: behind each other, from the first that is not below `begin`.
  struct IdRange {
    std::string_view begin;  ///< valid while the selector is
    bool is_one = false;     ///< else it is what all of them begin with, maybe nothing
    bool contains(std::string_view id) const { return is_one ? id == begin : id.starts_with(begin); }
  };
  IdRange id_range() const;
};
/// "edge-*", "edge-*{site=berlin}", "{site=berlin,line=?}". Errors as above.
Result<DeviceSelector> parse_device_selector(std::string_view text);
/// Those that both match: what was asked for, of what the caller may see.
DeviceSelector both(const DeviceSelector& a, const DeviceSelector& b);

/// Which readings are aggregated together; without one each series of each device is on its own. Series of different units are never
/// put together.
struct Grouping {
  bool by_device = false;
  bool by_series = false;            ///< by its name, without labels
  std::vector<std::string> labels;   ///< of the series, else of the device; sorted and unique
};
/// "device", "series", or the name of a label. Errors: invalid, limit (labels).
Result<Grouping> parse_grouping(const std::vector<std::string>& words);

struct Query {
  DeviceSelector devices;
  SeriesSelector series;
  int64_t from_ns = INT64_MIN;   ///< UTC, inclusive
  int64_t to_ns = INT64_MAX;     ///< UTC, exclusive
  Aggregate aggregate = Aggregate::none;
  std::optional<Grouping> group{};  ///< with an aggregate only, and at the hub only
  Duration step;                 ///< bucket width; 0 with an aggregate means one bucket over the range
  uint32_t limit = 1000;         ///< rows per answer, at most limits::query_rows; the newest are kept, `truncated` says so
};

/// One reading or one bucket. `bits` and `type` as in Reading; text is in `text`.
struct Point {
  int64_t time_ns = 0;           ///< UTC; the start of the bucket for aggregates
  ValueType type = ValueType::f64;
  uint64_t bits = 0;
  std::string text;
  uint64_t count = 1;            ///< readings behind it
};

struct SeriesAnswer {
  std::string device;            ///< "" at the edge
  Series series;
  TimeQuality time_quality = TimeQuality::none;  ///< worst over the points
  std::vector<Point> points;     ///< ascending time
};

/// As whose rows those of `series` count: device "" and name "*" where they are put together.
std::pair<std::string, Series> group_of(const Grouping& group, std::string_view device, const std::vector<std::pair<std::string, std::string>>& device_labels,
                                        const Series& series);

struct QueryAnswer {
  std::vector<SeriesAnswer> series;
  std::vector<std::pair<std::string, Gap>> gaps;  ///< device and gap, those whose stream and time touch the question
  bool truncated = false;
  uint64_t readings_scanned = 0;
  uint64_t blocks_scanned = 0;
  uint64_t blocks_unreadable = 0;
};

}  // namespace tideline::model
