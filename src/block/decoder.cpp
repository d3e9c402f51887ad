#include "block/decoder.hpp"

#include <algorithm>
#include <cassert>

#include "base/crc.hpp"
#include "base/limits.hpp"
#include "block/header.hpp"
#include "block/texts.hpp"
#include "block/times.hpp"
#include "block/values.hpp"

namespace tideline::block {
namespace {

Error damaged(const char* context) { return {ErrorCode::corrupt, 0, context}; }

}  // namespace

Result<BlockView> BlockView::open(Bytes block) {
  ASSIGN_OR_RETURN(const Prologue prologue, parse_prologue(block));
  if (prologue.major != format_major) return Error{ErrorCode::unsupported, prologue.major, "block: written by a newer version"};
  if (prologue.block.count > limits::block_readings || prologue.block.size > limits::block_bytes) {
    return Error{ErrorCode::limit, 0, "block: larger than a block may be"};
  }
  if (prologue.block.size != block.size() || block.size() < prologue_bytes + checksum_bytes) return damaged("block: size");
  const size_t checked = block.size() - checksum_bytes;
  if (load_le<uint32_t>(block.data() + checked) != crc32c(block.first(checked))) return damaged("block: checksum");
  const Bytes rest = block.subspan(prologue_bytes, checked - prologue_bytes);
  if (prologue.header_size > rest.size()) return damaged("block: header size");

  BlockView view;
  view.count_ = prologue.block.count;
  view.meta_.stream = prologue.block.stream;
  view.meta_.first_seq = prologue.block.first_seq;
  RETURN_IF_ERROR(read_header(rest.first(prologue.header_size), rest.subspan(prologue.header_size), view.count_, view.meta_,
                              view.columns_));
  view.time_min_ns_ = INT64_MAX;
  view.time_max_ns_ = INT64_MIN;
  for (const Column& column : view.columns_) {
    view.time_min_ns_ = std::min(view.time_min_ns_, column.time_min_ns);
    view.time_max_ns_ = std::max(view.time_max_ns_, column.time_max_ns);
  }
  return view;
}

Status BlockView::read_times(const Column& column, std::span<int64_t> out) {
  assert(out.size() == column.count);
  if (!take_times(column, out)) return damaged("block: column of times");
  return {};
}

Status BlockView::read_values(const Column& column, std::span<uint64_t> out) {
  assert(out.size() == column.count);
  if (column.type == model::ValueType::text) return Error{ErrorCode::invalid, 0, "block: a text column holds no numbers"};
  if (!take_numbers(column, out)) return damaged("block: column of values");
  return {};
}

Status BlockView::read_texts(const Column& column, std::span<std::string_view> out) {
  assert(out.size() == column.count);
  if (column.type != model::ValueType::text) return Error{ErrorCode::invalid, 0, "block: not a text column"};
  if (!take_texts(column, out)) return damaged("block: column of texts");
  return {};
}

}  // namespace tideline::block
