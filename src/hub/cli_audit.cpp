// `tideline-hub audit`: lines of the audit, newest last for people as in a log, newest first as JSON.
#include <charconv>
#include <cstdio>

#include "base/limits.hpp"
#include "base/table.hpp"
#include "clock.hpp"
#include "hub/cli.hpp"
#include "mcp/json_write.hpp"

namespace tideline::hub::cli {
namespace {

/// "" when all is well, else what is wrong.
std::string read_filter(const Arguments& arguments, UtcNanos now, AuditFilter& filter) {
  filter.device = arguments.get("device");
  filter.principal = arguments.get("principal");
  if (arguments.has("since")) {
    Duration age;
    if (!parse_duration(arguments.get("since"), age) || age.nanos < 0) return "--since '" + arguments.get("since") + "' is not an age such as 90s, 15m or 24h";
    filter.from_ns = (now - age).nanos;
  }
  if (!arguments.has("limit")) return "";
  const std::string text = arguments.get("limit");
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), filter.limit);
  if (wrong == std::errc{} && end == text.data() + text.size() && filter.limit >= 1 && filter.limit <= limits::audit_answer_rows) return "";
  return "--limit '" + text + "' is not a number from 1 to " + std::to_string(limits::audit_answer_rows);
}

void print_json(const std::vector<AuditRow>& rows) {
  std::string items;
  for (const AuditRow& row : rows) {
    if (!items.empty()) items += ",";
    mcp::ObjectWriter object(items);
    object.integer("id", row.id).text("time", format_utc({row.time_ns})).text("principal", row.principal).text("device", row.device);
    object.text("method", row.method).text("target", row.target).text("arguments_digest", row.arguments_digest).text("outcome", row.outcome);
    object.integer("duration_us", row.duration_us).text("trace", row.trace).text("chain", row.chain);
    object.end();
  }
  std::printf("{\"audit\":[%s]}\n", items.c_str());
}

/// Callers chose some of these texts: they must not move the terminal's cursor.
std::string shown(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

void print_table(const std::vector<AuditRow>& rows) {
  Table table;
  for (const char* title : {"time", "caller", "device", "method", "target", "outcome"}) table.add_column(title);
  table.add_column("took", Table::Align::right);
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    table.add_row({format_utc({row->time_ns / 1'000'000 * 1'000'000}), shown(row->principal), shown(row->device), shown(row->method), shown(row->target),
                   shown(row->outcome), format_duration({row->duration_us * 1000})});
  }
  std::fputs(table.text().c_str(), stdout);
}

}  // namespace

int audit(const Arguments& arguments) {
  auto site = load(arguments, "audit");
  if (!site) return usage_error;
  AuditFilter filter;
  if (const std::string problem = read_filter(arguments, platform::wall_clock(), filter); !problem.empty()) return fail(usage_error, "audit", problem);
  int code = done;
  const auto archive = open_for_reading(*site, "audit", code);
  if (archive == nullptr) return code;
  const auto rows = archive->audit(filter);
  if (!rows) return fail(failed, "audit", describe(rows.error()));
  arguments.has("json") ? print_json(*rows) : print_table(*rows);
  return done;
}

}  // namespace tideline::hub::cli
