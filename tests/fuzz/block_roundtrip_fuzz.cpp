// Bytes become readings; what is encoded decodes to the same readings, bit by bit.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <tuple>
#include <vector>

#include "base/limits.hpp"
#include "block/decoder.hpp"
#include "block/encoder.hpp"

namespace {

using namespace tideline;

/// Numbers from the input; zeros when it has ended.
class Source {
 public:
  Source(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}
  bool is_empty() const { return at_ == end_; }
  uint64_t take(size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && at_ != end_; ++i) value |= uint64_t{*at_++} << 8 * i;
    return value;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

/// One command: how the value and the time of the next readings come about, and how many there are.
void add_run(Source& source, model::ReadingBatch& batch, int64_t& time_ns, uint64_t& value) {
  const uint64_t command = source.take(1);
  const uint64_t clock = source.take(1);
  const auto series = static_cast<model::SeriesId>(source.take(1) % 5);
  const auto length = static_cast<size_t>(1 + source.take(1) % 100);
  const auto time_source = (clock & 1) != 0 ? model::TimeSource::producer : model::TimeSource::agent;
  static constexpr uint64_t steps[] = {0, 1, 1'000, 1'000'000, 1'000'000'000};
  uint64_t step = steps[clock / 2 % 5];
  if (clock >= 200) step = source.take(8);
  const uint64_t change = (command & 8) != 0 ? source.take(8) : source.take(2);
  for (size_t i = 0; i < length && batch.size() < limits::block_readings; ++i) {
    const uint64_t jitter = (clock & 64) != 0 ? source.take(1) * (step / 256 + 1) : 0;
    time_ns = static_cast<int64_t>(static_cast<uint64_t>(time_ns) + step + jitter);
    value = (command & 16) != 0 ? value ^ source.take(8) : value + change * ((command & 32) != 0 ? source.take(1) : 1);
    const model::ReadingBatch::Stamp stamp{time_ns, time_source};
    switch (command & 7) {
      case 0: batch.add_f64(series, stamp, std::bit_cast<double>(value)); break;
      case 1: batch.add_f64(series, stamp, static_cast<double>(static_cast<int64_t>(value << 40) >> 40) / 100); break;
      case 2: batch.add_f64(series, stamp, static_cast<double>(value & 0xffff) * 0.00080566); break;
      case 3: batch.add_i64(series, stamp, static_cast<int64_t>(value)); break;
      case 4: batch.add_boolean(series, stamp, std::popcount(value) % 2 == 0); break;
      case 5: batch.add_text(series, stamp, std::string(static_cast<size_t>(value % 9), static_cast<char>(value >> 8 & 0x7f))); break;
      case 6: batch.add_f64(series, stamp, static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(value)))); break;
      default: batch.add_f64(series, stamp, value % 7 == 0 ? -0.0 : static_cast<double>(value & 0xff) / 10); break;
    }
  }
}

using Key = std::tuple<model::SeriesId, model::ValueType, model::TimeSource>;

void check(const model::ReadingBatch& batch, const block::BlockView& view) {
  std::map<Key, std::vector<const model::Reading*>> expected;
  for (const model::Reading& reading : batch.readings()) expected[{reading.series, reading.type, reading.time_source}].push_back(&reading);
  if (view.count() != batch.size() || view.columns().size() != expected.size()) std::abort();
  for (const block::Column& column : view.columns()) {
    const auto& readings = expected[{column.series, column.type, column.time_source}];
    if (readings.size() != column.count) std::abort();
    std::vector<int64_t> times(column.count);
    std::vector<uint64_t> values(column.count);
    std::vector<std::string_view> texts(column.count);
    const bool is_text = column.type == model::ValueType::text;
    if (!block::BlockView::read_times(column, times)) std::abort();
    if (is_text ? !block::BlockView::read_texts(column, texts) : !block::BlockView::read_values(column, values)) std::abort();
    for (size_t i = 0; i < column.count; ++i) {
      if (times[i] != readings[i]->time_ns) std::abort();
      if (is_text && texts[i] != model::ReadingBatch::text_of(*readings[i], batch.text())) std::abort();
      if (!is_text && values[i] != readings[i]->bits) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Source source(data, size);
  block::BlockMeta meta;
  meta.run_id = source.take(8);
  meta.mono_first_ns = static_cast<int64_t>(source.take(8));
  meta.utc_offset_ns = static_cast<int64_t>(source.take(8));
  auto time_ns = static_cast<int64_t>(source.take(8));
  uint64_t value = source.take(8);
  model::ReadingBatch batch;
  while (!source.is_empty() && batch.size() < limits::block_readings) add_run(source, batch, time_ns, value);
  if (batch.is_empty()) return 0;

  static block::Encoder encoder;  // kept, as an agent keeps it: nothing of one block may show in the next
  ByteBuffer bytes;
  const Status status = encoder.encode(meta, batch.readings(), batch.text(), bytes);
  if (!status) {
    if (status.error().code != ErrorCode::limit || batch.size() < 1000) std::abort();
    return 0;
  }
  if (bytes.size() > limits::block_bytes) std::abort();
  const auto view = block::BlockView::open(bytes);
  if (!view || view->meta().run_id != meta.run_id || view->meta().mono_first_ns != meta.mono_first_ns) std::abort();
  check(batch, *view);
  return 0;
}
