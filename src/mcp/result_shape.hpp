// Fits a result to the revision of the client: modern results say what they are and how long they keep; legacy clients get what
// their schema knows. The body is spliced, never re-printed. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mcp/json_slice.hpp"
#include "mcp/method.hpp"
#include "mcp/revision.hpp"

namespace tideline::mcp {

struct CacheHint {
  int64_t ttl_ms = 0;
  bool is_public = false;  ///< may be shared between callers
};

struct ResultShape {
  Revision revision = newest_modern;
  Method method = Method::unknown;
  CacheHint cache;               ///< used where the method wants a hint and the body has none that is valid
  std::string_view server_info_json;  ///< raw; empty leaves it out
};

/// What a body says of itself; an absent resultType reads as complete.
enum class ResultType : uint8_t { complete, input_required, task, other };
ResultType result_type(Slice body);
ResultType read_result_type(Slice type);  ///< of the member alone

/// Errors: invalid when the body is no object, has a key twice, or a resultType its method cannot have.
/// Modern: resultType; ttlMs and cacheScope on complete results of the six cacheable methods; serverInfo in _meta, ours.
/// Legacy: none of these; content of unknown kinds becomes text; structuredContent that is no object is left out.
Result<std::string> shape_result(Slice body, const ResultShape& shape);

/// The same for a complete result that we wrote ourselves: unique keys, none of the members named above, content that every revision knows.
/// Appended without being read.
void append_own_result(std::string& out, std::string_view body, const ResultShape& shape);

bool is_cacheable(Method method);
/// Whether the method may answer input_required.
bool may_ask(Method method);

}  // namespace tideline::mcp
