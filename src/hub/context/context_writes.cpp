#include "hub/context/context_writes.hpp"

#include <algorithm>

#include "clock.hpp"

namespace tideline::hub {
namespace {

constexpr size_t slice_devices = 256;
constexpr size_t slice_bytes = 2 * 1024 * 1024;
constexpr Duration expiry_interval = seconds(5);

}  // namespace

struct ContextWrites::Running {
  std::vector<DeviceKey> devices;
  context::Change change;
  Progress progress;
  Then then;
  std::vector<ContextOutcome> outcomes;
};

ContextWrites::ContextWrites(StoreDesk& desk, ContextSyncs& syncs) : desk_(desk), syncs_(syncs) {}
ContextWrites::~ContextWrites() = default;

void ContextWrites::write(std::vector<DeviceKey> devices, context::Change change, Progress progress, Then then) {
  const uint64_t id = next_++;
  running_[id] = std::make_unique<Running>(Running{std::move(devices), std::move(change), std::move(progress), std::move(then), {}});
  go_on(id);
}

void ContextWrites::go_on(uint64_t id) {
  const auto found = running_.find(id);
  Running& running = *found->second;
  const size_t done = running.outcomes.size();
  if (done == running.devices.size()) {
    const std::unique_ptr<Running> over = std::move(found->second);
    running_.erase(found);
    return over->then(std::move(over->outcomes));
  }
  const size_t fits = std::max<size_t>(1, slice_bytes / (running.change.value.size() + running.change.path.size() + 256));
  const size_t count = std::min({slice_devices, fits, running.devices.size() - done});
  std::vector<ContextWrite> writes;
  for (size_t i = done; i < done + count; ++i) writes.push_back({running.devices[i], &running.change});
  // The store thread has ended before this is destroyed, so the change outlives its use.
  desk_.fetch<std::vector<ContextOutcome>>(
      [writes = std::move(writes), now = platform::wall_clock()](Archive& archive) { return archive.context().change(writes, now); },
      [this, id, count](Result<std::vector<ContextOutcome>> outcomes) { on_slice(id, count, std::move(outcomes)); });
}

void ContextWrites::on_tick(Instant now) {
  if (is_expiring_ || now - expired_ < expiry_interval) return;
  expired_ = now;
  expire();
}

void ContextWrites::expire() {
  is_expiring_ = true;
  desk_.fetch<std::vector<ContextExpired>>(
      [now = platform::wall_clock()](Archive& archive) { return archive.context().expire(now, slice_devices); },
      [this](Result<std::vector<ContextExpired>> expired) {
        is_expiring_ = false;
        if (!expired) return;  // at the next tick
        for (const ContextExpired& one : *expired) syncs_.on_written(one.device, {{one.path, context::Side::hub, one.stamp}});
        if (expired->size() == slice_devices) expire();
      });
}

void ContextWrites::on_slice(uint64_t id, size_t count, Result<std::vector<ContextOutcome>> outcomes) {
  Running& running = *running_.at(id);
  for (size_t i = 0; i < count; ++i) {
    ContextOutcome& outcome = running.outcomes.emplace_back();
    if (!outcomes) {
      outcome.refusal = {outcomes.error().code, std::string("the archive: ") + outcomes.error().context};
      continue;
    }
    outcome = std::move((*outcomes)[i]);
    if (outcome.is_written) syncs_.on_written(running.devices[running.outcomes.size() - 1], {{running.change.path, context::Side::hub, outcome.stamp}});
  }
  if (running.progress) running.progress(running.outcomes.size(), running.devices.size());
  go_on(id);
}

}  // namespace tideline::hub
