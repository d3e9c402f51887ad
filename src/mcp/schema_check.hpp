// Checks a tool's arguments against its inputSchema, so that a handler meets only values it declared and the caller learns what to
// change. A subset of JSON Schema 2020-12: type, anyOf, enum, const, properties, required, additionalProperties, items, minItems, maxItems,
// minLength, maxLength (code points), minimum, maximum, exclusiveMinimum, exclusiveMaximum. Other keywords (pattern, format, $ref,
// allOf, ...) are ignored: a handler checks those itself. Pure; bounds: limits::mcp_schema_depth.
#pragma once

#include <string>

#include "mcp/json_slice.hpp"

namespace tideline::mcp {

/// Empty when `value` fits; else up to four findings for people, each naming the place: "arguments.zone: expected a string, got a number".
/// `schema` is trusted (ours, or judged); absent arguments count as an empty object.
std::string check_arguments(Slice schema, Slice value);

}  // namespace tideline::mcp
