#include "block/encoder.hpp"

#include <algorithm>
#include <cassert>

#include "base/crc.hpp"
#include "base/limits.hpp"
#include "block/bits.hpp"
#include "block/group.hpp"
#include "block/header.hpp"
#include "block/texts.hpp"
#include "block/times.hpp"
#include "block/values.hpp"

namespace tideline::block {
namespace {

// Columns are written while the block is within its limit, so what is there is at most a block and one column more.
constexpr size_t column_bytes_most = ints_bytes_most(limits::block_readings) + value_bytes_most(limits::block_readings);
constexpr size_t body_bytes = limits::block_bytes + column_bytes_most + limits::block_bytes + 2 * pack_slack;

// renumber() may replace a short run id by one of nine bytes.
constexpr size_t renumber_reserve = 8;

Error too_big() { return {ErrorCode::limit, 0, "block: exceeds the size of a block"}; }

Status check(const BlockMeta& meta, std::span<const model::Reading> readings) {
  if (readings.empty()) return Error{ErrorCode::invalid, 0, "block: no readings"};
  if (readings.size() > limits::block_readings) return Error{ErrorCode::limit, 0, "block: too many readings"};
  if (meta.first_seq == 0 || meta.first_seq + (readings.size() - 1) < meta.first_seq) {
    return Error{ErrorCode::invalid, 0, "block: impossible sequence numbers"};
  }
  return {};
}

}  // namespace

struct Encoder::Scratch {
  Grouper grouper;
  std::vector<Column> columns;
  ByteBuffer header;
  std::vector<uint64_t> integers = std::vector<uint64_t>(limits::block_readings);
  std::vector<uint64_t> residuals = std::vector<uint64_t>(limits::block_readings);
  ValueScratch values{integers, residuals, {}};
  std::unique_ptr<uint8_t[]> body = std::make_unique_for_overwrite<uint8_t[]>(body_bytes);

  Status put_column(const Grouper::Group& group, std::string_view text, uint64_t base_ns, uint8_t*& at);
  void assemble(const BlockMeta& meta, uint32_t count, size_t body_size, ByteBuffer& out) const;
};

Encoder::Encoder() : scratch_(std::make_unique<Scratch>()) {}
Encoder::~Encoder() = default;

Status Encoder::encode(const BlockMeta& meta, std::span<const model::Reading> readings, std::string_view text, ByteBuffer& out) {
  RETURN_IF_ERROR(check(meta, readings));
  Scratch& scratch = *scratch_;
  RETURN_IF_ERROR(scratch.grouper.group(readings));
  scratch.columns.clear();
  scratch.header.clear();
  const int64_t base_seconds = base_seconds_of(readings[0].time_ns);
  uint8_t* at = scratch.body.get();
  for (const Grouper::Group& group : scratch.grouper.groups()) {
    RETURN_IF_ERROR(scratch.put_column(group, text, base_ns_of(base_seconds), at));
  }
  const auto body_size = static_cast<size_t>(at - scratch.body.get());
  write_header(meta, base_seconds, scratch.columns, scratch.header);
  if (prologue_bytes + scratch.header.size() + body_size + checksum_bytes + renumber_reserve > limits::block_bytes) return too_big();
  scratch.assemble(meta, static_cast<uint32_t>(readings.size()), body_size, out);
  return {};
}

Status Encoder::Scratch::put_column(const Grouper::Group& group, std::string_view text, uint64_t base_ns, uint8_t*& at) {
  Column column;
  column.series = group.sample.series;
  column.type = group.sample.type;
  column.time_source = group.sample.time_source;
  column.count = group.count;
  const std::span<uint64_t> offsets = std::span(integers).first(group.count);
  const std::span<const uint64_t> bits = grouper.bits(group);
  uint8_t* const time_end = put_times(grouper.times(group), base_ns, column, offsets, residuals, at);
  uint8_t* value_end = nullptr;
  switch (column.type) {
    case model::ValueType::text: {
      column.coding.values = Coding::text;
      ASSIGN_OR_RETURN(value_end, put_texts(bits, text, values, time_end, limits::block_bytes));
      break;
    }
    case model::ValueType::boolean:
      if (std::any_of(bits.begin(), bits.end(), [](uint64_t value) { return value > 1; })) {
        return Error{ErrorCode::invalid, 0, "block: a boolean is neither 0 nor 1"};
      }
      [[fallthrough]];
    case model::ValueType::f64:
    case model::ValueType::i64: value_end = put_numbers(bits, column, values, time_end); break;
  }
  column.time_bytes = {at, time_end};
  column.value_bytes = {time_end, value_end};
  columns.push_back(column);
  at = value_end;
  if (static_cast<size_t>(at - body.get()) > limits::block_bytes) return too_big();
  return {};
}

void Encoder::Scratch::assemble(const BlockMeta& meta, uint32_t count, size_t body_size, ByteBuffer& out) const {
  const size_t size = prologue_bytes + header.size() + body_size + checksum_bytes;
  out.resize(size);
  Prologue prologue;
  prologue.block = {meta.stream, meta.first_seq, count, static_cast<uint32_t>(size)};
  prologue.header_size = static_cast<uint32_t>(header.size());
  write_prologue(prologue, out.data());
  std::memcpy(out.data() + prologue_bytes, header.data(), header.size());
  if (body_size > 0) std::memcpy(out.data() + prologue_bytes + header.size(), body.get(), body_size);
  store_le(out.data() + size - checksum_bytes, crc32c({out.data(), size - checksum_bytes}));
}

}  // namespace tideline::block
