// Arguments of the built-in tools and prompts, after the schema was checked: times, selectors, readings. Each reader returns an empty
// text, or what is wrong and how to write it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/agent_services.hpp"
#include "agent/gateway/hearing.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/query_arguments.hpp"
#include "model/query.hpp"

namespace tideline::agent {

/// The arguments of `query`. `range` is what is asked for, also where the query itself is open.
std::string read_query(mcp::Slice arguments, UtcNanos now, model::Query& query, TimeRange& range);

/// The arguments of `record`.
std::string read_readings(mcp::Slice arguments, UtcNanos now, std::vector<NewReading>& out);

/// "%7B" to "{": what a URI template variable stands for. False when a % is not followed by two hexadecimal digits.
bool decode_percent(std::string_view text, std::string& out);

}  // namespace tideline::agent
