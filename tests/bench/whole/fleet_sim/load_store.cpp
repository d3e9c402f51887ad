#include "load_store.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/random.hpp"

namespace tideline::bench {

SharedBlocks::SharedBlocks(uint32_t readings, uint32_t series) : readings_(readings) {
  for (uint32_t i = 0; i < series; ++i) {
    model::Series one;
    one.name = "load.s" + std::to_string(i);
    one.unit = "Cel";
    const auto added = dictionary_.add(one);
    assert(added.has_value());
  }
}

/// Walks in steps of 0.01, one reading a second and series, up to 3 ms of jitter.
model::StoredBlock SharedBlocks::block(size_t index) {
  constexpr int64_t second = 1'000'000'000;
  constexpr int64_t start_s = 1'700'000'000;
  while (made_.size() <= index) {
    const uint64_t first = made_.size() * readings_ + 1;
    Random random(first);
    model::ReadingBatch batch;
    double value = 21.5;
    for (uint32_t i = 0; i < readings_; ++i) {
      const uint64_t number = first - 1 + i;
      value = std::round((value + (static_cast<double>(random.below(7)) - 3) * 0.01) * 100) / 100;
      const int64_t time = (start_s + static_cast<int64_t>(number / dictionary_.size())) * second + static_cast<int64_t>(random.below(4)) * 1'000'000;
      batch.add_f64(static_cast<model::SeriesId>(number % dictionary_.size()), {time, model::TimeSource::producer}, value);
    }
    block::BlockMeta meta;
    meta.first_seq = first;
    meta.run_id = run_id;
    meta.boot_id = 0xb007;
    meta.mono_first_ns = static_cast<int64_t>(made_.size()) * second;
    meta.mono_last_ns = meta.mono_first_ns + second;
    meta.time_quality = model::TimeQuality::synced;
    const Status encoded = encoder_.encode(meta, batch.readings(), batch.text(), made_.emplace_back());
    assert(encoded.has_value());
  }
  const model::Seq first = static_cast<model::Seq>(index) * readings_ + 1;
  return {model::Stream::normal, {first, first + readings_ - 1}, made_[index]};
}

LoadStore::LoadStore(SharedBlocks& blocks, Later& later, std::string epoch, const model::Anchor& anchor) : blocks_(blocks), later_(later) {
  status_.epoch = std::move(epoch);
  status_.incarnation = 1;
  status_.run.id = SharedBlocks::run_id;
  status_.anchor = anchor;
}

void LoadStore::produce(size_t count) {
  next_ += count * blocks_.readings();
  status_.streams[model::index_of(model::Stream::normal)].next = next_;
  if (count > 0) listener_->on_committed(model::Stream::normal, next_);
}

void LoadStore::fetch(model::Stream stream, model::Seq from, size_t max_bytes) {
  requests_.push_back({stream, from, max_bytes, false});
  later_.want_answer(*this);
}

/// Nothing rolls back here, so the hub never asks for it; the answer keeps the uplink going should it happen.
void LoadStore::rebase(model::Stream stream, model::Seq from, model::Seq) {
  requests_.push_back({stream, from, 0, true});
  later_.want_answer(*this);
}

void LoadStore::answer() {
  std::vector<Request> requests;
  requests.swap(requests_);
  for (const Request& request : requests) {
    if (request.is_rebase) listener_->on_rebased(request.stream, Error{ErrorCode::unsupported, 0, "a load device cannot be rebased"});
    else fetch_now(request);
  }
}

void LoadStore::fetch_now(const Request& request) {
  std::vector<model::StoredBlock> blocks;
  model::Seq covered_to = request.from - 1;
  size_t bytes = 0;
  if (request.stream == model::Stream::normal) {
    for (model::Seq at = request.from; at < next_ && (blocks.empty() || bytes < request.max_bytes);) {
      blocks.push_back(blocks_.block(static_cast<size_t>((at - 1) / blocks_.readings())));
      bytes += blocks.back().bytes.size();
      covered_to = blocks.back().range.last;
      at = covered_to + 1;
    }
  }
  listener_->on_fetched(request.stream, request.from, std::move(blocks), {}, covered_to);
}

void LoadStore::set_acknowledged(model::Stream stream, const model::SeqRanges& ranges) {
  status_.streams[model::index_of(stream)].acknowledged = ranges;
}

void LoadStore::add_acknowledged(model::Stream stream, model::SeqRange range) {
  (void)status_.streams[model::index_of(stream)].acknowledged.add(range, limits::cursor_ranges);
}

std::optional<std::string> LoadStore::setting(const std::string& key) const {
  const auto found = settings_.find(key);
  return found == settings_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace tideline::bench
