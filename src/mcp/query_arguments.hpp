// Arguments that the tools of a device and of the fleet have in common: which series, what time, which aggregate; with their schemas, so that
// a client learns one way of asking. Pure. Each reader gives "" or what is wrong and what to write instead.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mcp/json_slice.hpp"
#include "model/query.hpp"

namespace tideline::mcp {

/// A text member, or `otherwise`.
std::string text_argument(Slice arguments, std::string_view name, std::string_view otherwise = {});

/// "now", "-15m" (before now), RFC 3339, a date, or seconds since 1970.
std::string read_when(std::string_view text, UtcNanos now, int64_t& out_ns);

/// The member `series`; all series when absent.
std::string read_series_argument(Slice arguments, model::SeriesSelector& out);
/// The members `from` and `to`; without `to` the end stays open.
std::string read_range_arguments(Slice arguments, UtcNanos now, std::string_view from_otherwise, int64_t& from_ns, int64_t& to_ns);
/// The members `aggregate`, `step` and `limit`.
std::string read_aggregate_arguments(Slice arguments, model::Query& query);

inline constexpr uint32_t query_rows_otherwise = 500;

namespace schema {
// Members of "properties", raw.
inline constexpr const char* series_argument =
    R"("series":{"type":"string","minLength":1,"maxLength":256,"default":"*","description":"Which series: a glob over the name, with label conditions in braces. Examples: cpu.percent, temp*, temp{room=a}, {room=*}."})";
inline constexpr const char* to_argument = R"("to":{"type":"string","description":"End, not included; the same forms, or now. Default: no end."})";
inline constexpr const char* aggregate_arguments =
    R"("aggregate":{"type":"string","enum":["none","mean","min","max","sum","count","first","last"],"description":"One value per bucket instead of every reading. Default: none, or mean when step is given."},)"
    R"("step":{"type":"string","description":"Width of the buckets, to get fewer rows: 10s, 5m, 1h. Without it an aggregate gives one row per series."})";
inline constexpr const char* series_members =
    R"("name":{"type":"string"},"labels":{"type":"object"},)"
    R"("unit":{"type":"string","description":"UCUM code, e.g. Cel, %, By; empty when none was given."},"kind":{"type":"string","enum":["gauge","counter","state","event"]},)"
    R"("class":{"type":"string","enum":["critical","normal","bulk"]},"time_quality":{"type":"string","enum":["none","floor","rtc","hub","synced"],"description":"How far the device's clock could be trusted; synced is best."})";
/// `otherwise` is written as given, e.g. -1h.
std::string from_argument(std::string_view otherwise);
std::string limit_argument(size_t most, size_t otherwise, std::string_view what);
/// An object of these members; `required` is a list of quoted names, may be empty.
std::string object(std::string_view properties, std::string_view required);
/// The same, with nothing else allowed: for input.
std::string input(std::string_view properties, std::string_view required = {});
}  // namespace schema

}  // namespace tideline::mcp
