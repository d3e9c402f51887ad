// Two JSON texts with a zero byte between them: what compact() accepts stays what it is, equals itself, and a merge patch makes a value
// that a second one of the same kind does not change (RFC 7396).
#include <cstdlib>
#include <string_view>

#include "context/json_values.hpp"
#include "wrap/json/document.hpp"

using namespace tideline;

namespace {

void check(bool is_right) {
  if (!is_right) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = text.find('\0');
  const auto a = context::compact(text.substr(0, middle));
  if (!a) return 0;
  const auto again = context::compact(*a);
  check(again.has_value() && *again == *a);
  check(context::are_equal(*a, *a));
  if (middle == std::string_view::npos) return 0;
  const auto b = context::compact(text.substr(middle + 1));
  if (!b) return 0;
  check(context::are_equal(*a, *b) == context::are_equal(*b, *a));
  const std::string merged = context::merge_patch(*a, *b);
  if (merged.size() <= 64 * 1024) {
    const auto sound = context::compact(merged);
    check(sound.has_value() && *sound == merged);
  }
  check(context::are_equal(context::merge_patch(merged, *b), merged));
  if (!b->starts_with('{')) check(merged == *b);
  check(context::members_of(*a).empty() || a->starts_with('{'));
  check(context::elements_of(*a).empty() || a->starts_with('['));
  return 0;
}
