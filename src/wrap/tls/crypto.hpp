// The few primitives that other parts need: digest, keyed digest, random bytes, comparison in constant time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hpp"

namespace tideline::tls {

using Digest = std::array<uint8_t, 32>;

Digest sha256(Bytes bytes);
/// sha256() as 64 lower-case hexadecimal digits.
std::string sha256_hex(Bytes bytes);
Digest hmac_sha256(Bytes key, Bytes message);
/// Takes the same time wherever the two differ; false at once when their lengths do.
bool equal_in_constant_time(Bytes a, Bytes b);
/// From getrandom(2): waits for the kernel's pool once after boot, cannot fail afterwards, needs no state of ours.
void fill_random(std::span<uint8_t> bytes);
/// `count` random bytes as hexadecimal digits, for tokens.
std::string random_hex(size_t count);

}  // namespace tideline::tls
