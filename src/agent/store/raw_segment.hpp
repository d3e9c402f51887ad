// Reads what is left of a damaged segment without SQLite: pages of the file, overlaid with the committed frames of its WAL.
// SQLite opens a file whole or not at all; here one good page is enough, because every block has a checksum of its own.
// Page, cell and WAL layouts: sqlite.org/fileformat2.html sections 1.5, 1.6, 2.1 and 4.
//
// Owned by salvage(). Thread: store. Never writes. Bounded: one block and one page number per page in memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.hpp"
#include "block/decoder.hpp"
#include "model/stream_state.hpp"

namespace tideline::agent {

class RawSegment {
 public:
  class Visitor {
   public:
    virtual ~Visitor() = default;
    /// A whole block with a good checksum, of the right stream. In page order; the same block may come twice.
    virtual void on_block(const block::BlockView& view, Bytes data) = 0;
    /// A definition from the table `series`.
    virtual void on_series(model::SeriesId id, const model::Series& series) = 0;
  };

  /// Either file may be missing. Reads the WAL once.
  RawSegment(const std::string& path, const std::string& wal_path, model::Stream stream);

  void visit(Visitor& visitor);
  /// The highest sequence number that any block prologue speaks of, in whatever bytes; 0 if none. Looks for it in pages, in
  /// committed WAL frames and, when the WAL itself cannot be parsed, in its raw bytes. Only numbers in `plausible` count.
  model::Seq carve_last(model::SeqRange plausible);
  /// The WAL holds a committed block. Then carve_last() is exact: a commit always goes to the WAL, so the newest block is in
  /// it. Call after carve_last().
  bool is_end_certain() const { return wal_has_block_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  void index_wal();
  bool read_page(uint32_t number, uint8_t* page);
  bool read_at(std::FILE* file, uint64_t offset, uint8_t* to, size_t size);
  void visit_leaf(const uint8_t* page, size_t header_at, Visitor& visitor);
  void visit_record(uint64_t rowid, Bytes record, Visitor& visitor);
  bool read_payload(const uint8_t* page, size_t at, uint64_t size, ByteBuffer& out);
  void carve(Bytes bytes, model::SeqRange plausible, model::Seq& last) const;
  model::Seq carve_file(std::FILE* file, model::SeqRange plausible);

  model::Stream stream_;
  File file_;
  File wal_;
  uint32_t pages_ = 0;
  bool wal_is_readable_ = false;
  bool wal_has_block_ = false;
  std::unordered_map<uint32_t, uint64_t> overlay_;  // page number to offset in the WAL
  ByteBuffer payload_;
};

}  // namespace tideline::agent
