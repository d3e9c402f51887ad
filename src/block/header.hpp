// The prologue and the MessagePack header of a block (FORMAT.md sections 2 and 3). Pure.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "block/decoder.hpp"

namespace tideline::block {

/// Everything the fixed prologue says.
struct Prologue {
  uint8_t major = format_major;
  uint8_t minor = format_minor;
  BlockPrologue block;
  uint32_t header_size = 0;
};

void write_prologue(const Prologue& prologue, uint8_t* to);  // prologue_bytes of them
/// Any major version: the prologue never changes. Errors: corrupt.
Result<Prologue> parse_prologue(Bytes bytes);

/// The base time of a block whose first reading is at `time_ns`: whole seconds, at or before it.
int64_t base_seconds_of(int64_t time_ns);
inline uint64_t base_ns_of(int64_t base_seconds) { return static_cast<uint64_t>(base_seconds) * static_cast<uint64_t>(base_unit_ns); }

void write_header(const BlockMeta& meta, int64_t base_seconds, std::span<const Column> columns, ByteBuffer& out);
/// Fills `meta` (but stream and first_seq) and `columns`, whose bytes are cut from `body`. Errors: corrupt, limit.
Status read_header(Bytes header, Bytes body, uint32_t count, BlockMeta& meta, std::vector<Column>& columns);

}  // namespace tideline::block
