// Strings of JSON text: what every writer and scanner of it shares. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tideline {

/// Offset of the first byte at or after `at` that is no plain ASCII string byte: a quotation mark, a backslash, a control character or a
/// byte above 0x7f. Eight bytes a step.
size_t skip_plain_json(std::string_view text, size_t at);

/// Appends `text` as a JSON string with its quotation marks. Bytes that are not UTF-8 become U+FFFD, so that nothing we write can be refused.
void append_json_string(std::string_view text, std::string& out);

}  // namespace tideline
