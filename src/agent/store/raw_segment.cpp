#include "agent/store/raw_segment.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "agent/store/pragmas.hpp"
#include "agent/store/series_codec.hpp"
#include "base/limits.hpp"

namespace tideline::agent {
namespace {

constexpr size_t page_bytes = store_page_bytes;
constexpr size_t wal_header_bytes = 32;
constexpr size_t frame_header_bytes = 24;
constexpr size_t payload_most = limits::block_bytes + 256;  // a row is a block and six integers
constexpr size_t pages_most = 64 * 1024;                    // 64 MiB: no segment of ours is that large

uint32_t load_be16(const uint8_t* p) { return uint32_t{p[0]} << 8 | p[1]; }

/// SQLite's variable-length integer, at most 9 bytes. False when it runs over the end.
bool take_varint(const uint8_t*& at, const uint8_t* end, uint64_t& value) {
  value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at == end) return false;
    const uint8_t byte = *at++;
    if (i == 8) {
      value = value << 8 | byte;
      return true;
    }
    value = value << 7 | (byte & 0x7f);
    if ((byte & 0x80) == 0) return true;
  }
  return true;
}

/// Bytes of a payload that stand in the leaf page itself (section 1.6).
size_t local_bytes(uint64_t payload) {
  constexpr uint64_t usable = page_bytes;
  constexpr uint64_t most = usable - 35;
  constexpr uint64_t least = (usable - 12) * 32 / 255 - 23;
  if (payload <= most) return static_cast<size_t>(payload);
  const uint64_t fitting = least + (payload - least) % (usable - 4);
  return static_cast<size_t>(fitting <= most ? fitting : least);
}

/// The running checksum of a WAL (section 4.2): over pairs of 32-bit words, in the byte order that the header names.
struct WalChecksum {
  bool is_big_endian = false;
  uint32_t s0 = 0;
  uint32_t s1 = 0;
  void add(const uint8_t* bytes, size_t size) {
    for (size_t i = 0; i + 8 <= size; i += 8) {
      s0 += (is_big_endian ? load_be32(bytes + i) : load_le<uint32_t>(bytes + i)) + s1;
      s1 += (is_big_endian ? load_be32(bytes + i + 4) : load_le<uint32_t>(bytes + i + 4)) + s0;
    }
  }
  bool matches(const uint8_t* stored) const { return load_be32(stored) == s0 && load_be32(stored + 4) == s1; }
};

}  // namespace

RawSegment::RawSegment(const std::string& path, const std::string& wal_path, model::Stream stream)
    : stream_(stream), file_(std::fopen(path.c_str(), "rbe")), wal_(std::fopen(wal_path.c_str(), "rbe")) {
  if (file_ != nullptr && std::fseek(file_.get(), 0, SEEK_END) == 0) {
    const long size = std::ftell(file_.get());
    if (size > 0) pages_ = static_cast<uint32_t>(std::min<size_t>((static_cast<size_t>(size) + page_bytes - 1) / page_bytes, pages_most));
  }
  if (wal_ != nullptr) index_wal();
}

void RawSegment::index_wal() {
  uint8_t header[wal_header_bytes];
  if (!read_at(wal_.get(), 0, header, sizeof header)) return;
  const uint32_t magic = load_be32(header);
  if ((magic & ~1U) != 0x377f0682 || load_be32(header + 8) != page_bytes) return;
  WalChecksum checksum{.is_big_endian = (magic & 1) != 0};
  checksum.add(header, 24);
  if (!checksum.matches(header + 24)) return;
  wal_is_readable_ = true;

  uint8_t frame[frame_header_bytes + page_bytes];
  std::vector<std::pair<uint32_t, uint64_t>> uncommitted;
  for (uint64_t at = wal_header_bytes; uncommitted.size() < pages_most && read_at(wal_.get(), at, frame, sizeof frame); at += sizeof frame) {
    if (std::memcmp(frame + 8, header + 16, 8) != 0) return;  // salts of an earlier use of the file
    checksum.add(frame, 8);
    checksum.add(frame + frame_header_bytes, page_bytes);
    if (!checksum.matches(frame + 16)) return;
    uncommitted.emplace_back(load_be32(frame), at + frame_header_bytes);
    const uint32_t pages_after_commit = load_be32(frame + 4);
    if (pages_after_commit == 0) continue;
    for (const auto& [page, offset] : uncommitted) overlay_[page] = offset;
    uncommitted.clear();
    pages_ = std::max(pages_, static_cast<uint32_t>(std::min<size_t>(pages_after_commit, pages_most)));
  }
}

void RawSegment::visit(Visitor& visitor) {
  uint8_t page[page_bytes];
  for (uint32_t number = 1; number <= pages_; ++number) {
    const size_t header_at = number == 1 ? 100 : 0;
    if (read_page(number, page) && page[header_at] == 0x0d) visit_leaf(page, header_at, visitor);
  }
}

void RawSegment::visit_leaf(const uint8_t* page, size_t header_at, Visitor& visitor) {
  const size_t cells = load_be16(page + header_at + 3);
  for (size_t i = 0; i < cells && header_at + 8 + i * 2 + 2 <= page_bytes; ++i) {
    const size_t cell = load_be16(page + header_at + 8 + i * 2);
    if (cell >= page_bytes) continue;
    const uint8_t* at = page + cell;
    uint64_t size = 0;
    uint64_t rowid = 0;
    if (!take_varint(at, page + page_bytes, size) || !take_varint(at, page + page_bytes, rowid)) continue;
    if (size > payload_most || !read_payload(page, static_cast<size_t>(at - page), size, payload_)) continue;
    visit_record(rowid, payload_, visitor);
  }
}

bool RawSegment::read_payload(const uint8_t* page, size_t at, uint64_t size, ByteBuffer& out) {
  const size_t local = local_bytes(size);
  if (at + local + (local < size ? 4 : 0) > page_bytes) return false;
  out.assign(page + at, page + at + local);
  uint32_t next = local < size ? load_be32(page + at + local) : 0;
  uint8_t overflow[page_bytes];
  while (out.size() < size) {
    if (next == 0 || !read_page(next, overflow)) return false;
    const size_t part = std::min(static_cast<size_t>(size) - out.size(), page_bytes - 4);
    out.insert(out.end(), overflow + 4, overflow + 4 + part);
    next = load_be32(overflow);
  }
  return true;
}

void RawSegment::visit_record(uint64_t rowid, Bytes record, Visitor& visitor) {
  const uint8_t* at = record.data();
  const uint8_t* const end = at + record.size();
  uint64_t header_bytes = 0;
  if (!take_varint(at, end, header_bytes) || header_bytes > record.size()) return;
  const uint8_t* const header_end = record.data() + header_bytes;
  uint64_t last_type = 0;
  size_t columns = 0;
  for (; at < header_end; ++columns) {
    if (!take_varint(at, header_end, last_type)) return;
  }
  // The last column is the blob: even serial types from 12 on.
  if (last_type < 12 || last_type % 2 != 0 || (last_type - 12) / 2 > record.size() - header_bytes) return;
  const Bytes data = record.last(static_cast<size_t>((last_type - 12) / 2));
  if (columns == 2 && rowid < limits::series_per_device) {
    if (const auto series = decode_series(data)) visitor.on_series(static_cast<model::SeriesId>(rowid), *series);
  } else if (columns == 7) {
    const auto view = block::BlockView::open(data);
    if (view && view->meta().stream == stream_ && view->range().first == rowid) visitor.on_block(*view, data);
  }
}

model::Seq RawSegment::carve_last(model::SeqRange plausible) {
  model::Seq last = 0;
  uint8_t page[page_bytes];
  for (const auto& [number, offset] : overlay_) {
    if (read_at(wal_.get(), offset, page, page_bytes)) carve({page, page_bytes}, plausible, last);
  }
  wal_has_block_ = last != 0;
  if (wal_ != nullptr && !wal_is_readable_) last = std::max(last, carve_file(wal_.get(), plausible));
  if (file_ != nullptr) last = std::max(last, carve_file(file_.get(), plausible));
  return last;
}

model::Seq RawSegment::carve_file(std::FILE* file, model::SeqRange plausible) {
  // Chunks overlap by a prologue, so that none is cut.
  std::vector<uint8_t> chunk(64 * 1024);
  model::Seq last = 0;
  for (uint64_t at = 0; at < pages_most * page_bytes; at += chunk.size() - block::prologue_bytes) {
    if (std::fseek(file, static_cast<long>(at), SEEK_SET) != 0) break;
    const size_t size = std::fread(chunk.data(), 1, chunk.size(), file);
    carve({chunk.data(), size}, plausible, last);
    if (size < chunk.size()) break;
  }
  return last;
}

void RawSegment::carve(Bytes bytes, model::SeqRange plausible, model::Seq& last) const {
  for (size_t at = 0; at + block::prologue_bytes <= bytes.size(); ++at) {
    const void* const hit = std::memchr(bytes.data() + at, block::block_magic[0], bytes.size() - block::prologue_bytes + 1 - at);
    if (hit == nullptr) return;
    at = static_cast<size_t>(static_cast<const uint8_t*>(hit) - bytes.data());
    if (std::memcmp(bytes.data() + at, block::block_magic, sizeof block::block_magic) != 0) continue;
    const auto prologue = block::read_prologue(bytes.subspan(at, block::prologue_bytes));
    if (!prologue || prologue->stream != stream_ || prologue->count == 0) continue;
    const model::Seq end = prologue->first_seq + prologue->count - 1;
    if (plausible.contains(prologue->first_seq) && plausible.contains(end)) last = std::max(last, end);
  }
}

bool RawSegment::read_page(uint32_t number, uint8_t* page) {
  if (number == 0 || number > pages_) return false;
  if (const auto found = overlay_.find(number); found != overlay_.end()) return read_at(wal_.get(), found->second, page, page_bytes);
  return file_ != nullptr && read_at(file_.get(), uint64_t{number - 1} * page_bytes, page, page_bytes);
}

bool RawSegment::read_at(std::FILE* file, uint64_t offset, uint8_t* to, size_t size) {
  return std::fseek(file, static_cast<long>(offset), SEEK_SET) == 0 && std::fread(to, 1, size, file) == size;
}

}  // namespace tideline::agent
