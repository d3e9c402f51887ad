// Any bytes as a block: opened, decoded, scanned and renumbered, as they are and behind correct checksums.
#include <cstdint>
#include <cstdlib>

#include "base/limits.hpp"
#include "block/decoder.hpp"
#include "block/renumber.hpp"
#include "block/scan.hpp"
#include "support/block_seal.hpp"

namespace {

using namespace tideline;

class Sink final : public block::ScanSink {
 public:
  explicit Sink(const block::ScanRange& range) : range_(range) {}
  bool wants(const block::Column&) override { return true; }
  void on_values(const block::Column& column, std::span<const int64_t> times, std::span<const uint64_t> values) override {
    check(column, times, values.size());
  }
  void on_texts(const block::Column& column, std::span<const int64_t> times, std::span<const std::string_view> texts) override {
    check(column, times, texts.size());
    for (const std::string_view text : texts) {
      if (text.size() > limits::text_value_bytes) std::abort();
    }
  }

 private:
  void check(const block::Column& column, std::span<const int64_t> times, size_t values) {
    if (times.size() != values || times.empty() || times.size() > column.count) std::abort();
    for (const int64_t time : times) {
      if (time < range_.from_ns || time >= range_.to_ns) std::abort();
    }
  }
  block::ScanRange range_;
};

void read_all(Bytes bytes) {
  (void)block::read_prologue(bytes);
  const auto view = block::BlockView::open(bytes);
  if (!view) return;
  block::ScanScratch scratch;
  const int64_t middle = view->time_min_ns() / 2 + view->time_max_ns() / 2;
  const block::ScanRange ranges[] = {{INT64_MIN, INT64_MAX, 0}, {middle, INT64_MAX, 0}, {INT64_MIN, middle, 1'000'000'007}, {0, middle, INT64_MIN}};
  for (const block::ScanRange& range : ranges) {
    Sink sink(range);
    const auto decoded = block::scan(*view, range, scratch, sink);
    if (decoded && *decoded > view->count()) std::abort();
  }
  ByteBuffer renumbered;
  if (!block::renumber(bytes, 77, 0x1122334455667788, renumbered)) return;
  const auto again = block::BlockView::open(renumbered);
  if (!again || again->meta().first_seq != 77 || again->columns().size() != view->columns().size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_all({data, size});
  ByteBuffer sealed(data, data + size);
  support::reseal(sealed);
  read_all(sealed);
  return 0;
}
