// Text helpers with no home of their own: UTF-8 checks, globs, numbers and sizes for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace tideline {

/// Well-formed UTF-8 as of Unicode 15 table 3-7 (no surrogates, no overlong forms). NUL is allowed.
bool is_utf8(std::string_view text);

/// Glob over whole text: `*` any run, `?` one byte, no classes. Linear in practice, quadratic at worst; patterns are bounded
/// by limits::pattern_bytes where they come in.
bool matches_glob(std::string_view pattern, std::string_view text);

/// The shortest decimal form that reads back to the same double; "NaN", "inf" and "-inf" otherwise.
std::string format_number(double value);

/// "812 B", "1.5 KiB", "20 MiB": binary units, for people.
std::string format_size(uint64_t size_bytes);

/// Thousands separated by commas: 1,234,567.
std::string format_count(uint64_t count);

/// Accepts a decimal number with B, KB, MB, GB, KiB, MiB or GiB; a bare number is refused. False when wrong or beyond 2^63.
bool parse_size(std::string_view text, uint64_t& size_bytes);

std::string to_hex(const uint8_t* bytes, size_t size);
/// False unless `text` is exactly 2 * size hexadecimal digits.
bool from_hex(std::string_view text, uint8_t* bytes, size_t size);

/// RFC 4648 section 5, without padding: for tokens in headers and command lines.
std::string to_base64url(Bytes bytes);
/// False for other letters, padding, an impossible length, or bits that are left over and not 0: each value has one spelling.
bool from_base64url(std::string_view text, ByteBuffer& bytes);

}  // namespace tideline
