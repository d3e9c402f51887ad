#include "hub/fleet/intake.hpp"

#include <cassert>

#include "base/limits.hpp"

namespace tideline::hub {

size_t size_bytes(const IntakeBatch& batch) {
  size_t bytes = sizeof batch + batch.gaps.size() * sizeof(model::Gap) + batch.anchors.size() * sizeof(model::Anchor);
  for (const model::StoredBlock& block : batch.blocks) bytes += sizeof block + block.bytes.size();
  for (const model::Series& series : batch.series) bytes += sizeof series + series.key().size();
  return bytes;
}

Status Intake::put(SessionId session, IntakeBatch&& batch) {
  const size_t bytes = size_bytes(batch);
  if (pending_bytes() + bytes > limits::intake_queue_bytes) return Error{ErrorCode::full, 0, "the hub's store is behind: try again later"};
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(batch));
  waiting_sessions_.push_back(session);
  return {};
}

void Intake::load_state(SessionId session, DeviceKey device, const std::string& epoch) {
  // The store works first in, first out: only what has not been handed over yet must go before.
  if (waiting_.empty()) return actions_.load_state(session, device, epoch);
  waiting_loads_.push_back({session, device, epoch});
}

void Intake::flush() {
  if (is_applying_ || waiting_.empty()) return;
  is_applying_ = true;
  applying_bytes_ = waiting_bytes_;
  waiting_bytes_ = 0;
  applying_sessions_.swap(waiting_sessions_);
  waiting_sessions_.clear();
  std::vector<IntakeBatch> batches;
  batches.swap(waiting_);
  std::vector<Load> loads;
  loads.swap(waiting_loads_);
  actions_.apply(std::move(batches));
  for (const Load& load : loads) actions_.load_state(load.session, load.device, load.epoch);
}

void Intake::on_applied(Result<std::vector<std::vector<BlockVerdict>>> verdicts) {
  assert(is_applying_);
  is_applying_ = false;
  applying_bytes_ = 0;
  std::vector<SessionId> sessions;
  sessions.swap(applying_sessions_);
  assert(!verdicts || verdicts->size() == sessions.size());
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (verdicts) actions_.deliver(sessions[i], std::move((*verdicts)[i]));
    else actions_.deliver(sessions[i], verdicts.error());
  }
  flush();
}

bool Intake::has_room() const { return pending_bytes() <= limits::intake_queue_bytes / 2; }

}  // namespace tideline::hub
