// What becomes of values whose time is over: readers do not see them any more, and the side that wrote one makes a deletion of it at
// last, so that it takes no room. Pure.
#pragma once

#include <string>
#include <vector>

#include "context/book.hpp"
#include "context/change.hpp"

namespace tideline::context {

/// What `side` wrote is in force, expired, and no living value of the other side is in conflict with it: that conflict is for people.
bool is_to_be_deleted(const Entry& entry, Side side, int64_t now_ms);
/// Paths of such entries, in order of paths, at most `most`. `next_ms`: when the next one expires that was not among them; INT64_MAX never.
std::vector<std::string> expired_paths(const Book::Entries& entries, Side side, int64_t now_ms, size_t most, int64_t& next_ms);
/// The deletion, which replaces nothing but the value that expired: what that had not seen is still to be seen. False when it is not due.
bool make_expiry(const std::string& path, const Entry& entry, const Judge& judge, HybridClock& clock, Register& made);

}  // namespace tideline::context
