// Raw JSON by reference: finds values in the original text without building a tree, so that what is passed on keeps every
// digit and every escape. Strict (RFC 8259): no trailing bytes, byte order mark, wrong numbers, wrong UTF-8 or control characters.
//
// A Slice is a view: the text outlives it. Text becomes a Slice through check_json() once; reading a Slice never fails for syntax.
// Bounds: limits::mcp_json_depth, limits::mcp_object_members. Cost: one pass to check, one more per level that is read. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace tideline::mcp {

enum class JsonKind : uint8_t { absent, null, boolean, number, string, array, object };

class Slice {
 public:
  Slice() = default;
  /// `checked` is one JSON value without outer white space, out of text that check_json() accepted or that we wrote.
  explicit Slice(std::string_view checked) : raw_(checked) {}

  std::string_view raw() const { return raw_; }
  bool is_present() const { return !raw_.empty(); }
  JsonKind kind() const;
  bool is(JsonKind wanted) const { return kind() == wanted; }
  bool is_true() const { return raw_ == "true"; }

  /// The string un-escaped (NULs kept, surrogate pairs joined, a lone surrogate becomes U+FFFD); empty for other kinds.
  std::string text() const;
  /// Whether this is a string equal to `plain`, whatever its escapes. No allocation unless there are some.
  bool equals(std::string_view plain) const;
  /// A number written as an integer (no fraction, no exponent) that fits.
  std::optional<int64_t> integer() const;
  /// Any number, to the nearest double; nothing when out of range.
  std::optional<double> real() const;
  /// A number written as an integer, of any size.
  bool is_integer() const;

 private:
  std::string_view raw_;
};

/// Checks that `text` is exactly one JSON value, white space around it allowed, and returns it without that.
/// Errors: invalid or limit, the context says what is wrong; Error::native is the offset.
Result<Slice> check_json(std::string_view text);

/// Walks the members of an object or the elements of an array in order.
class Walk {
 public:
  explicit Walk(Slice container);
  /// Moves to the next; false at the end, and at once when the container is neither object nor array.
  bool next();
  Slice key() const { return key_; }  ///< absent in arrays
  Slice value() const { return value_; }

 private:
  Slice take();
  std::string_view text_;
  size_t at_ = 0;
  bool is_object_ = false;
  Slice key_;
  Slice value_;
};

struct Member {
  std::string_view name;
  Slice* into;
};

/// Reads the named members of an object; those missing stay absent, others are passed over.
/// Errors: invalid (not an object, or any key twice, however escaped), limit (members).
Status read_members(Slice object, std::initializer_list<Member> wanted);

/// One member, or absent; no check for duplicates.
Slice find_member(Slice object, std::string_view name);

/// The same check alone, for objects that are walked.
Status check_keys(Slice object);

}  // namespace tideline::mcp
