#include "block/header.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "base/crc.hpp"
#include "base/limits.hpp"
#include "wrap/msgpack/reader.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::block {
namespace {

constexpr size_t header_elements = 8;
constexpr size_t elements_most = 32;  // of an array of a newer minor version

// Bits of a row's flags.
constexpr uint64_t coding_mask = 7;
constexpr uint64_t producer_flag = 8;
constexpr uint64_t unordered_flag = 16;  // min and max of the times follow, because they are not first and last
constexpr uint64_t flat_flag = 32;       // last, min and max of the values are the first
constexpr uint64_t flags_most = 63;

Error damaged(const char* context) { return {ErrorCode::corrupt, 0, context}; }

int64_t as_signed(uint64_t value) { return static_cast<int64_t>(value); }

model::ValueType type_of(Coding coding) {
  switch (coding) {
    case Coding::i64: return model::ValueType::i64;
    case Coding::boolean: return model::ValueType::boolean;
    case Coding::text: return model::ValueType::text;
    case Coding::f64_bits:
    case Coding::f64_decimal:
    case Coding::f64_step:
    case Coding::f64_decimal_patched:
    case Coding::f64_step_patched: break;
  }
  return model::ValueType::f64;
}

bool is_integers(Coding coding) { return coding == Coding::i64 || coding == Coding::f64_decimal || coding == Coding::f64_step; }

/// The integer of a value that is known to be on the scale.
uint64_t to_integer(const ColumnCoding& coding, uint64_t bits) {
  if (coding.values == Coding::i64) return bits;
  const double value = std::bit_cast<double>(bits);
  const double scaled = has_step(coding.values) ? value / coding.step : value * powers_of_ten[coding.exponent];
  return static_cast<uint64_t>(static_cast<int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5)));
}

// ---- one row of the column table

bool is_ordered(const Column& c) { return c.time_min_ns == c.time_first_ns && c.time_max_ns == c.time_last_ns; }
bool is_flat(const Column& c) {
  return c.value_last == c.value_first && c.value_min == c.value_first && c.value_max == c.value_first;
}

size_t row_elements(const Column& c, uint64_t flags) {
  size_t elements = 8;  // series, flags, units, count, first and span of time, two lengths
  if ((flags & unordered_flag) != 0) elements += 2;
  if (has_step(c.coding.values)) elements += 1;
  if (c.coding.values == Coding::boolean) return elements + 1;
  if (c.coding.values != Coding::text) elements += (flags & flat_flag) != 0 ? 1 : 4;
  return elements;
}

void write_values(const Column& c, uint64_t flags, msgpack::Writer& writer) {
  const bool flat = (flags & flat_flag) != 0;
  if (c.coding.values == Coding::text) return;
  if (c.coding.values == Coding::boolean) {
    writer.uint(c.value_first | c.value_last << 1 | c.value_min << 2 | c.value_max << 3);
    return;
  }
  if (!is_integers(c.coding.values)) {
    writer.uint(c.value_first);
    if (!flat) writer.uint(c.value_last).uint(c.value_min).uint(c.value_max);
    return;
  }
  const uint64_t first = c.coding.first;
  writer.integer(as_signed(first));
  if (flat) return;
  writer.integer(as_signed(c.coding.last - first));
  writer.integer(as_signed(to_integer(c.coding, c.value_min) - first));
  writer.integer(as_signed(to_integer(c.coding, c.value_max) - first));
}

void write_row(const Column& c, uint64_t base_ns, msgpack::Writer& writer) {
  const int64_t unit = time_units_ns[c.coding.time_unit];
  const auto units = [&](int64_t time_ns) { return as_signed(static_cast<uint64_t>(time_ns) - base_ns) / unit; };
  const auto from_first = [&](int64_t time_ns) {
    return as_signed(static_cast<uint64_t>(units(time_ns)) - static_cast<uint64_t>(units(c.time_first_ns)));
  };
  uint64_t flags = static_cast<uint64_t>(c.coding.values);
  if (c.time_source == model::TimeSource::producer) flags |= producer_flag;
  if (!is_ordered(c)) flags |= unordered_flag;
  if (is_flat(c)) flags |= flat_flag;
  writer.array(row_elements(c, flags)).uint(c.series).uint(flags).uint(c.coding.time_unit | uint64_t{c.coding.exponent} << 2).uint(c.count);
  writer.integer(units(c.time_first_ns)).integer(from_first(c.time_last_ns));
  if ((flags & unordered_flag) != 0) writer.integer(from_first(c.time_min_ns)).integer(from_first(c.time_max_ns));
  if (has_step(c.coding.values)) writer.uint(std::bit_cast<uint64_t>(c.coding.step));
  write_values(c, flags, writer);
  writer.uint(c.time_bytes.size()).uint(c.value_bytes.size());
}

bool read_values(msgpack::Reader& reader, uint64_t flags, Column& c) {
  const bool flat = (flags & flat_flag) != 0;
  if (c.coding.values == Coding::text) return true;
  if (c.coding.values == Coding::boolean) {
    const uint64_t all = reader.take_uint();
    c.value_first = all & 1;
    c.value_last = all >> 1 & 1;
    c.value_min = all >> 2 & 1;
    c.value_max = all >> 3 & 1;
    return all < 16 && c.value_min <= c.value_max;
  }
  if (!is_integers(c.coding.values)) {
    c.value_first = c.value_last = c.value_min = c.value_max = reader.take_uint();
    if (flat) return true;
    c.value_last = reader.take_uint();
    c.value_min = reader.take_uint();
    c.value_max = reader.take_uint();
    return true;
  }
  const auto first = static_cast<uint64_t>(reader.take_integer());
  uint64_t last = first;
  uint64_t least = first;
  uint64_t most = first;
  if (!flat) {
    last += static_cast<uint64_t>(reader.take_integer());
    least += static_cast<uint64_t>(reader.take_integer());
    most += static_cast<uint64_t>(reader.take_integer());
  }
  if (as_signed(least) > as_signed(most)) return false;
  const auto value = [&](uint64_t q) {
    return c.coding.values == Coding::i64 ? q : std::bit_cast<uint64_t>(unscale(c.coding, q));
  };
  c.coding.first = first;
  c.coding.last = last;
  c.value_first = value(first);
  c.value_last = value(last);
  c.value_min = value(least);
  c.value_max = value(most);
  return true;
}

bool read_times(msgpack::Reader& reader, uint64_t flags, uint64_t base_ns, Column& c) {
  const auto unit = static_cast<uint64_t>(time_units_ns[c.coding.time_unit]);
  const auto take_time = [&](uint64_t from_ns) {
    return static_cast<int64_t>(from_ns + static_cast<uint64_t>(reader.take_integer()) * unit);
  };
  c.time_first_ns = take_time(base_ns);
  const auto first = static_cast<uint64_t>(c.time_first_ns);
  c.time_min_ns = c.time_first_ns;
  c.time_max_ns = c.time_last_ns = take_time(first);
  if ((flags & unordered_flag) != 0) {
    c.time_min_ns = take_time(first);
    c.time_max_ns = take_time(first);
  }
  return c.time_min_ns <= std::min(c.time_first_ns, c.time_last_ns) && c.time_max_ns >= std::max(c.time_first_ns, c.time_last_ns);
}

/// Cuts the column's bytes off the front of `body`.
bool read_row(msgpack::Reader& reader, uint64_t base_ns, Bytes& body, Column& c) {
  const size_t elements = reader.take_array(elements_most);
  const uint64_t series = reader.take_uint();
  const uint64_t flags = reader.take_uint();
  const uint64_t units = reader.take_uint();
  const uint64_t count = reader.take_uint();
  if (!reader.ok() || series > UINT32_MAX || flags > flags_most || count == 0 || count > limits::block_readings) return false;
  if (units >> 2 > exponent_most) return false;
  c.series = static_cast<model::SeriesId>(series);
  c.count = static_cast<uint32_t>(count);
  c.coding.values = static_cast<Coding>(flags & coding_mask);
  c.coding.time_unit = units & 3;
  c.coding.exponent = static_cast<uint8_t>(units >> 2);
  c.type = type_of(c.coding.values);
  c.time_source = (flags & producer_flag) != 0 ? model::TimeSource::producer : model::TimeSource::agent;
  if (elements < row_elements(c, flags) || !read_times(reader, flags, base_ns, c)) return false;
  if (has_step(c.coding.values)) c.coding.step = std::bit_cast<double>(reader.take_uint());
  if (!read_values(reader, flags, c)) return false;
  const uint64_t time_size = reader.take_uint();
  const uint64_t value_size = reader.take_uint();
  if (!reader.ok() || time_size > body.size() || value_size > body.size() - time_size) return false;
  c.time_bytes = body.first(static_cast<size_t>(time_size));
  body = body.subspan(c.time_bytes.size());
  c.value_bytes = body.first(static_cast<size_t>(value_size));
  body = body.subspan(c.value_bytes.size());
  for (size_t i = row_elements(c, flags); i < elements; ++i) reader.skip();
  return reader.ok();
}

}  // namespace

void write_prologue(const Prologue& prologue, uint8_t* to) {
  std::memcpy(to, block_magic, sizeof block_magic);
  to[4] = prologue.major;
  to[5] = prologue.minor;
  to[6] = static_cast<uint8_t>(prologue.block.stream);
  to[7] = 0;
  store_le(to + 8, prologue.block.first_seq);
  store_le(to + 16, prologue.block.count);
  store_le(to + 20, prologue.block.size);
  store_le(to + 24, prologue.header_size);
  store_le(to + 28, crc32c({to, 28}));
}

Result<Prologue> parse_prologue(Bytes bytes) {
  if (bytes.size() < prologue_bytes) return damaged("block: too short for a prologue");
  const uint8_t* from = bytes.data();
  if (std::memcmp(from, block_magic, sizeof block_magic) != 0) return damaged("block: no magic number");
  if (load_le<uint32_t>(from + 28) != crc32c(bytes.first(28))) return damaged("block: prologue checksum");
  Prologue prologue;
  prologue.major = from[4];
  prologue.minor = from[5];
  if (from[6] >= model::stream_count) return damaged("block: unknown stream");
  prologue.block.stream = static_cast<model::Stream>(from[6]);
  prologue.block.first_seq = load_le<uint64_t>(from + 8);
  prologue.block.count = load_le<uint32_t>(from + 16);
  prologue.block.size = load_le<uint32_t>(from + 20);
  prologue.header_size = load_le<uint32_t>(from + 24);
  const BlockPrologue& block = prologue.block;
  if (block.count == 0 || block.first_seq == 0 || block.first_seq + (block.count - 1) < block.first_seq) {
    return damaged("block: impossible sequence numbers");
  }
  return prologue;
}

Result<BlockPrologue> read_prologue(Bytes bytes) {
  ASSIGN_OR_RETURN(const Prologue prologue, parse_prologue(bytes));
  return prologue.block;
}

int64_t base_seconds_of(int64_t time_ns) {
  const int64_t seconds = time_ns / base_unit_ns;
  return time_ns % base_unit_ns < 0 ? seconds - 1 : seconds;
}

void write_header(const BlockMeta& meta, int64_t base_seconds, std::span<const Column> columns, ByteBuffer& out) {
  const uint64_t base_ns = base_ns_of(base_seconds);
  const auto offset = static_cast<uint64_t>(meta.utc_offset_ns);
  msgpack::Writer writer(out);
  writer.array(header_elements).uint(meta.run_id).uint(meta.boot_id).integer(meta.utc_offset_ns);
  writer.uint(static_cast<uint64_t>(meta.time_quality)).integer(base_seconds).array(columns.size());
  int64_t time_max_ns = INT64_MIN;
  for (const Column& column : columns) {
    write_row(column, base_ns, writer);
    time_max_ns = std::max(time_max_ns, column.time_max_ns);
  }
  writer.integer(as_signed(static_cast<uint64_t>(meta.mono_first_ns) + offset - base_ns));
  writer.integer(as_signed(static_cast<uint64_t>(meta.mono_last_ns) + offset - static_cast<uint64_t>(time_max_ns)));
}

Status read_header(Bytes header, Bytes body, uint32_t count, BlockMeta& meta, std::vector<Column>& columns) {
  msgpack::Reader reader(header);
  const size_t elements = reader.take_array(elements_most);
  meta.run_id = reader.take_uint();
  meta.boot_id = reader.take_uint();
  meta.utc_offset_ns = reader.take_integer();
  const uint64_t quality = reader.take_uint();
  const int64_t base_seconds = reader.take_integer();
  const size_t rows = reader.take_array(limits::block_columns);
  if (!reader.ok() || elements < header_elements || quality > static_cast<uint64_t>(model::TimeQuality::synced) || rows == 0) {
    return damaged("block: header");
  }
  meta.time_quality = static_cast<model::TimeQuality>(quality);
  columns.resize(rows);
  uint32_t seq_offset = 0;
  int64_t time_max_ns = INT64_MIN;
  for (Column& column : columns) {
    if (!read_row(reader, base_ns_of(base_seconds), body, column)) return damaged("block: column table");
    column.seq_offset = seq_offset;
    seq_offset += column.count;
    time_max_ns = std::max(time_max_ns, column.time_max_ns);
  }
  const uint64_t offset = static_cast<uint64_t>(meta.utc_offset_ns);
  meta.mono_first_ns = as_signed(static_cast<uint64_t>(reader.take_integer()) + base_ns_of(base_seconds) - offset);
  meta.mono_last_ns = as_signed(static_cast<uint64_t>(reader.take_integer()) + static_cast<uint64_t>(time_max_ns) - offset);
  for (size_t i = header_elements; i < elements; ++i) reader.skip();
  if (!reader.is_done()) return damaged("block: header");
  if (seq_offset != count || !body.empty()) return damaged("block: columns do not add up");
  return {};
}

}  // namespace tideline::block
