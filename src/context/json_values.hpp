// What the context does with JSON values, on their text: numbers keep their digits. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace tideline::context {

struct Member {
  std::string_view name;   ///< escapes as written, without quotation marks
  std::string_view value;
};

/// `text`, one JSON value, without the white space that means nothing. Errors: invalid (not JSON, or not UTF-8, or a member twice),
/// limit (limits::{value_bytes, value_depth}).
Result<std::string> compact(std::string_view text);

// The following take compact() values.

/// RFC 7396: members of `patch` replace those of `target`, null removes, anything but an object replaces the whole.
std::string merge_patch(std::string_view target, std::string_view patch);
/// The same value: members in any order, numbers by value, strings by meaning.
bool are_equal(std::string_view a, std::string_view b);
/// Of an object, in order; empty for anything else.
std::vector<Member> members_of(std::string_view object);
/// Of an array, in order; empty for anything else.
std::vector<std::string_view> elements_of(std::string_view array);
/// The member called `name`, "" if there is none.
std::string_view member_of(std::string_view object, std::string_view name);

}  // namespace tideline::context
