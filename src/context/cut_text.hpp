// Text that travels must be UTF-8 and short, wherever it came from: one byte that is not would end a connection for good. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tideline::context {

/// At most `most` bytes of `text`, cut between characters; bytes that are no UTF-8 become ?.
std::string cut_text(std::string_view text, size_t most);

}  // namespace tideline::context
