// Texts that clients write: arguments of questions, and state that they give back. Whatever comes, the readers say what is wrong or give a
// question that can be asked; nothing is opened that was not sealed here, and base64url has one spelling.
#include <cassert>
#include <cstdint>
#include <string>

#include "base/text.hpp"
#include "mcp/hmac_sealer.hpp"
#include "mcp/query_arguments.hpp"

using namespace tideline;

namespace {

void read_arguments(std::string_view text) {
  const auto json = mcp::check_json(text);
  if (!json) return;
  constexpr UtcNanos now{1'800'000'000'000'000'000};
  model::Query query;
  const bool has_range = mcp::read_range_arguments(*json, now, "-1h", query.from_ns, query.to_ns).empty();
  assert(!has_range || query.from_ns < query.to_ns);
  if (mcp::read_aggregate_arguments(*json, query).empty()) assert(query.step.nanos >= 0 && (query.step.nanos == 0 || query.aggregate != model::Aggregate::none));
  if (mcp::read_series_argument(*json, query.series).empty()) (void)query.series.matches({});
}

void open_state(std::string_view text) {
  mcp::SealKey key{};
  mcp::HmacSealer sealer(key, [] { return int64_t{0}; });
  assert(!sealer.open(text, "another context than that of the corpus").has_value());
  const auto sealed = sealer.open(sealer.seal(text, text), text);
  assert(sealed && *sealed == text);
  ByteBuffer bytes;
  if (from_base64url(text, bytes)) assert(to_base64url(bytes) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  read_arguments(text);
  open_state(text);
  return 0;
}
