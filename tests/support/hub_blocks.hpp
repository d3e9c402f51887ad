// Blocks as a device would send them, for tests and benches of the hub: one Source is one store of one device.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "block/encoder.hpp"
#include "hub/store/archive.hpp"

namespace tideline::test {

class BlockSource {
 public:
  explicit BlockSource(std::string epoch = std::string(32, 'e')) : epoch_(std::move(epoch)) {
    meta.run_id = 77;
    meta.boot_id = 0xb007;
    meta.time_quality = model::TimeQuality::synced;
  }

  block::BlockMeta meta;  ///< first_seq is set by block()

  static model::Series series(const std::string& name, model::Stream stream = model::Stream::normal) {
    model::Series made;
    made.name = name;
    made.unit = "Cel";
    made.stream = stream;
    return made;
  }

  /// A block of `readings` numbered from `first` on.
  model::StoredBlock block(model::Seq first, const model::ReadingBatch& readings) {
    meta.first_seq = first;
    model::StoredBlock made;
    made.stream = meta.stream;
    made.range = {first, first + readings.size() - 1};
    const bool encoded = encoder_.encode(meta, readings.readings(), readings.text(), made.bytes).has_value();
    assert(encoded);
    (void)encoded;
    return made;
  }

  /// `count` readings of series `id`, one a second from `time_s` on; the value is the sequence number.
  model::StoredBlock ramp(model::Seq first, uint32_t count, int64_t time_s, model::SeriesId id = 0,
                          model::TimeSource source = model::TimeSource::agent) {
    model::ReadingBatch readings;
    for (uint32_t i = 0; i < count; ++i) {
      readings.add_i64(id, {(time_s + i) * 1'000'000'000, source}, static_cast<int64_t>(first + i));
    }
    return block(first, readings);
  }

  /// A batch without content for `device`.
  hub::IntakeBatch batch(hub::DeviceKey device) const {
    hub::IntakeBatch made;
    made.device = device;
    made.epoch = epoch_;
    return made;
  }
  hub::IntakeBatch batch(hub::DeviceKey device, std::vector<model::StoredBlock> blocks) const {
    hub::IntakeBatch made = batch(device);
    made.blocks = std::move(blocks);
    return made;
  }
  const std::string& epoch() const { return epoch_; }

 private:
  std::string epoch_;
  block::Encoder encoder_;
};

class NullLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

}  // namespace tideline::test
