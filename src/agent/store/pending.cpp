#include "agent/store/pending.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace tideline::agent {

void Pending::add(PendingBatch batch) {
  readings_ += batch.batch.size();
  text_bytes_ += batch.batch.text().size();
  const double encoded = static_cast<double>(readings_) * bytes_per_reading_ + static_cast<double>(text_bytes_);
  const bool is_large = encoded >= static_cast<double>(limits::commit_bytes) || readings_ >= limits::pending_readings / 4;
  const Instant due = batch.durability == Durability::synced || is_large ? Instant{INT64_MIN} : batch.taken + interval_;
  due_ = std::min(due_, due);
  batches_.push_back(std::move(batch));
}

std::vector<PendingBatch> Pending::take() {
  readings_ = 0;
  text_bytes_ = 0;
  due_ = never;
  return std::exchange(batches_, {});
}

void Pending::note_encoded(uint64_t readings, uint64_t bytes) {
  if (readings == 0) return;
  const double now = static_cast<double>(bytes) / static_cast<double>(readings);
  bytes_per_reading_ += (now - bytes_per_reading_) / 4;
}

}  // namespace tideline::agent
