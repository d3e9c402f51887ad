#include "block/renumber.hpp"

#include "base/crc.hpp"
#include "base/limits.hpp"
#include "block/header.hpp"
#include "wrap/msgpack/reader.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::block {

Status renumber(Bytes block, model::Seq first, uint64_t run_id, ByteBuffer& out) {
  ASSIGN_OR_RETURN(const BlockView view, BlockView::open(block));
  if (first == 0 || first + (view.count() - 1) < first) return Error{ErrorCode::invalid, 0, "block: impossible sequence numbers"};
  ASSIGN_OR_RETURN(Prologue prologue, parse_prologue(block));

  // The run id is the first element of the header array (FORMAT.md section 3); all that follows is copied as it is.
  const Bytes rest = block.subspan(prologue_bytes, block.size() - prologue_bytes - checksum_bytes);
  msgpack::Reader reader(rest.first(prologue.header_size));
  (void)reader.take_array(prologue.header_size);
  const size_t array_end = reader.position();
  (void)reader.take_uint();
  if (!reader.ok()) return Error{ErrorCode::corrupt, 0, "block: header"};
  const size_t run_end = reader.position();

  out.assign(prologue_bytes, 0);
  append(out, rest.first(array_end));
  msgpack::Writer(out).uint(run_id);
  prologue.header_size = static_cast<uint32_t>(out.size() - prologue_bytes + prologue.header_size - run_end);
  append(out, rest.subspan(run_end));
  const size_t checked = out.size();
  if (checked + checksum_bytes > limits::block_bytes) return Error{ErrorCode::limit, 0, "block: exceeds the size of a block"};
  prologue.block.first_seq = first;
  prologue.block.size = static_cast<uint32_t>(checked + checksum_bytes);
  write_prologue(prologue, out.data());
  out.resize(checked + checksum_bytes);
  store_le(out.data() + checked, crc32c({out.data(), checked}));
  return {};
}

}  // namespace tideline::block
