#include "hub/mcp/fleet_tools_arguments.hpp"

#include "mcp/query_arguments.hpp"

namespace tideline::hub {
namespace {

using mcp::Slice;
using mcp::text_argument;

size_t read_limit(Slice arguments, size_t otherwise) {
  const auto limit = mcp::find_member(arguments, "limit").integer();
  return limit && *limit > 0 ? static_cast<size_t>(*limit) : otherwise;
}

}  // namespace

std::string read_devices(Slice arguments, const model::DeviceSelector& visible, model::DeviceSelector& out) {
  const std::string text = text_argument(arguments, "devices", "*");
  const auto selector = model::parse_device_selector(text);
  if (!selector) return "devices '" + text + "': " + selector.error().context + "; write pump-7, pump-*, {site=berlin} or pump-*{line=3}";
  out = model::both(*selector, visible);
  return {};
}

std::string read_list_devices(Slice arguments, const model::DeviceSelector& visible, ListDevicesRequest& out) {
  if (std::string problem = read_devices(arguments, visible, out.devices); !problem.empty()) return problem;
  const std::string state = text_argument(arguments, "state", "any");
  using Show = ListDevicesRequest::Show;
  if (state != "any" && state != "online" && state != "offline") return "state: any, online or offline";
  out.show = state == "online" ? Show::online : state == "offline" ? Show::offline : Show::any;
  out.limit = read_limit(arguments, devices_otherwise);
  out.after = text_argument(arguments, "cursor");
  return {};
}

std::string read_describe_device(Slice arguments, std::string& device) {
  device = text_argument(arguments, "device");
  return device.empty() ? "device: name one device; list_devices shows what there is" : "";
}

std::string read_latest(Slice arguments, const model::DeviceSelector& visible, LatestRequest& out) {
  if (std::string problem = read_devices(arguments, visible, out.devices); !problem.empty()) return problem;
  out.limit = read_limit(arguments, mcp::query_rows_otherwise);
  return mcp::read_series_argument(arguments, out.series);
}

std::string read_query(Slice arguments, const model::DeviceSelector& visible, UtcNanos now, QueryRequest& out) {
  model::Query& query = out.query;
  if (std::string problem = read_devices(arguments, visible, query.devices); !problem.empty()) return problem;
  if (std::string problem = mcp::read_series_argument(arguments, query.series); !problem.empty()) return problem;
  if (std::string problem = mcp::read_range_arguments(arguments, now, "-1h", query.from_ns, query.to_ns); !problem.empty()) return problem;
  if (std::string problem = mcp::read_aggregate_arguments(arguments, query); !problem.empty()) return problem;
  const Slice group_by = mcp::find_member(arguments, "group_by");
  if (!group_by.is_present()) return {};
  if (query.aggregate == model::Aggregate::none) return "group_by needs an aggregate: mean, min, max, sum, count, first or last";
  for (mcp::Walk walk(group_by); walk.next();) out.group_by.push_back(walk.value().text());
  auto group = model::parse_grouping(out.group_by);
  if (!group) return std::string("group_by: ") + group.error().context;
  query.group = std::move(*group);
  return {};
}

std::string read_list_gaps(Slice arguments, const model::DeviceSelector& visible, UtcNanos now, GapsRequest& out) {
  if (std::string problem = read_devices(arguments, visible, out.devices); !problem.empty()) return problem;
  if (std::string problem = mcp::read_range_arguments(arguments, now, "-7d", out.from_ns, out.to_ns); !problem.empty()) return problem;
  out.limit = read_limit(arguments, gaps_otherwise);
  const std::string name = text_argument(arguments, "class");
  if (name.empty()) return {};
  model::Stream stream{};
  if (!model::parse_stream(name, stream)) return "class: critical, normal or bulk";
  out.stream = stream;
  return {};
}

std::string read_find_tools(Slice arguments, FindToolsRequest& out) {
  out.words = text_argument(arguments, "query");
  out.limit = read_limit(arguments, tools_otherwise);
  return out.words.empty() ? "query: name what is to be done, e.g. restart service" : "";
}

}  // namespace tideline::hub
