#include "mcp/schema_digest.hpp"

#include <algorithm>

namespace tideline::mcp {
namespace {

constexpr size_t arguments_most = 64;  // one bit each
constexpr size_t number_bytes = 15;    // so many digits are exact and in range

enum KindBit : unsigned { null_bit = 1, boolean_bit = 2, integer_bit = 4, fraction_bit = 8, string_bit = 16 };
// A string argument says more: that it takes no empty one, and how long it may be (0: as long as it likes).
constexpr unsigned nonempty_bit = 32;
constexpr unsigned length_shift = 8;
constexpr int64_t length_most = (int64_t{1} << 24) - 1;
constexpr unsigned all_bits = null_bit | boolean_bit | integer_bit | fraction_bit | string_bit;

unsigned bits_of_type(Slice type) {
  if (type.equals("null")) return null_bit;
  if (type.equals("boolean")) return boolean_bit;
  if (type.equals("integer")) return integer_bit;
  if (type.equals("number")) return integer_bit | fraction_bit;
  return type.equals("string") ? static_cast<unsigned>(string_bit) : 0;
}

/// `kinds` with the bounds of a string's length, or without strings when the long check must count.
unsigned with_length(unsigned kinds, Slice shortest, Slice longest) {
  if ((kinds & string_bit) == 0) return kinds;
  const int64_t least = shortest.is_present() ? shortest.integer().value_or(length_most) : 0;
  const int64_t most = longest.is_present() ? longest.integer().value_or(0) : length_most;
  if (least > 1 || most < 1 || most > length_most) return kinds & ~static_cast<unsigned>(string_bit);
  return kinds | (least == 1 ? nonempty_bit : 0) | (longest.is_present() ? static_cast<unsigned>(most) << length_shift : 0);
}

/// The kinds of scalars that fit `schema`, when their kind alone decides.
unsigned kinds_taken(Slice schema) {
  Slice type, values, constant, branches, least, most, above, below, shortest, longest;
  if (!read_members(schema, {{"type", &type}, {"enum", &values}, {"const", &constant}, {"anyOf", &branches}, {"minimum", &least}, {"maximum", &most},
                             {"exclusiveMinimum", &above}, {"exclusiveMaximum", &below}, {"minLength", &shortest}, {"maxLength", &longest}})) {
    return 0;
  }
  for (const Slice more : {values, constant, branches}) {
    if (more.is_present()) return 0;
  }
  unsigned kinds = type.is_present() ? bits_of_type(type) : all_bits;
  for (Walk walk(type); walk.next();) kinds |= bits_of_type(walk.value());
  if (least.is_present() || most.is_present() || above.is_present() || below.is_present()) kinds &= ~static_cast<unsigned>(integer_bit | fraction_bit);
  return with_length(kinds, shortest, longest);
}

unsigned bit_of_value(Slice value) {
  switch (value.kind()) {
    case JsonKind::null: return null_bit;
    case JsonKind::boolean: return boolean_bit;
    case JsonKind::string: return string_bit;
    case JsonKind::number:
      if (value.raw().size() > number_bytes || value.raw().find_first_of("eE") != std::string_view::npos) return 0;
      return value.is_integer() ? integer_bit : fraction_bit;
    default: return 0;
  }
}

bool takes(unsigned kinds, Slice value) {
  const unsigned bit = bit_of_value(value);
  if ((kinds & bit) == 0) return false;
  if (bit != string_bit) return true;
  // Escaped or not, there are no more code points than bytes, and at least one when there are any.
  const size_t bytes = value.raw().size() - 2;
  const size_t most = kinds >> length_shift;
  return (most == 0 || bytes <= most) && (bytes > 0 || (kinds & nonempty_bit) == 0);
}

}  // namespace

SchemaDigest::SchemaDigest(Slice schema) {
  Slice type, values, constant, branches, properties, required;
  if (!read_members(schema, {{"type", &type}, {"enum", &values}, {"const", &constant}, {"anyOf", &branches}, {"properties", &properties}, {"required", &required}})) return;
  if (!type.equals("object") || values.is_present() || constant.is_present() || branches.is_present()) return;
  for (Walk walk(properties); walk.next();) {
    // Keys are compared as they are written: a name that JSON writes in several ways is left to the long check.
    std::string name = walk.key().text();
    if (name.find('\\') != std::string::npos || arguments_.size() == arguments_most) return;
    arguments_.push_back({std::move(name), kinds_taken(walk.value())});
  }
  for (Walk walk(required); walk.next();) {
    const auto is_it = [&](const Argument& one) { return walk.value().equals(one.name); };
    const auto found = std::find_if(arguments_.begin(), arguments_.end(), is_it);
    if (found == arguments_.end()) return;
    required_ |= uint64_t{1} << (found - arguments_.begin());
  }
  is_usable_ = true;
}

bool SchemaDigest::surely_fits(Slice arguments) const {
  if (!is_usable_ || (arguments.is_present() && !arguments.is(JsonKind::object))) return false;
  uint64_t seen = 0;
  for (Walk walk(arguments); walk.next();) {
    const std::string_view key = walk.key().raw().substr(1, walk.key().raw().size() - 2);
    const auto found = std::find_if(arguments_.begin(), arguments_.end(), [key](const Argument& one) { return one.name == key; });
    if (found == arguments_.end() || !takes(found->kinds, walk.value())) return false;
    const uint64_t bit = uint64_t{1} << (found - arguments_.begin());
    if ((seen & bit) != 0) return false;  // a key twice
    seen |= bit;
  }
  return (required_ & ~seen) == 0;
}

}  // namespace tideline::mcp
