// What goes wrong, and what must be true all the same.
#include "sim/world.hpp"

namespace tideline::sim {

void World::fault() {
  switch (random_.below(10)) {
    case 0:
    case 1:
      if (faults_.link) cut();
      return;
    case 2:
      if (!faults_.crash) return;
      stop_device();
      start_device(store_->image());
      return;
    case 3:
      if (faults_.crash) restart_hub();
      return;
    case 4:
      if (faults_.restore_device && saved_.size() < 3) saved_.push_back(store_->image());
      return;
    case 5: {
      if (!faults_.restore_device || saved_.empty() || !chance(50)) return;
      ++restores_;
      stop_device();
      for (const auto& log : store_->image().log) {
        for (const Entry& entry : log) abandoned_.insert(entry.text.contents.begin(), entry.text.contents.end());
      }
      const auto which = static_cast<size_t>(random_.below(saved_.size()));
      StoreImage image = saved_[which];
      if (chance(50)) saved_.erase(saved_.begin() + static_cast<std::ptrdiff_t>(which));
      start_device(std::move(image));
      return;
    }
    case 6: {
      if (!faults_.swap_device) return;
      ++restores_;
      stop_device();
      StoreImage image = store_->image();
      std::swap(image, saved_.front());
      start_device(std::move(image));
      return;
    }
    case 7:
      if (faults_.restore_hub && chance(50)) backup_ = archive_;
      return;
    case 8:
      if (!faults_.restore_hub || !chance(30)) return;
      ++restores_;
      restart_hub();
      archive_ = backup_;
      return;
    default:
      if (faults_.evict) store_->evict(static_cast<model::Stream>(random_.below(model::stream_count)));
      if (faults_.evict && chance(20)) in_device([this] { store_->lose(static_cast<model::Stream>(random_.below(model::stream_count)), 1 + random_.below(9)); });
  }
}

void World::live(Duration length) {
  const Instant end = now_ + length;
  // Quiet and busy times: the link comes up with a backlog or with nothing to say.
  while (now_ < end && problem_.empty()) {
    step_to(now_ + between(milliseconds(50), chance(10) ? seconds(40) : seconds(2)));
    if (!problem_.empty()) return;
    const uint64_t dice = random_.below(100);
    if (dice < 75) {
      for (uint64_t i = random_.below(4) + 1; i > 0; --i) produce();
    } else if (dice < 85) {
      store_->free_acknowledged();
    } else {
      fault();
    }
  }
}

bool World::settle() {
  is_faulty_ = false;
  const Instant end = now_ + hours(2);
  while (now_ < end && problem_.empty()) {
    step_to(now_ + seconds(5));
    // A dead connection with nothing to say is found out by its pings: until then the uplink does not know better.
    if (uplink_->is_synced() && device_connection_ == hub_connection_ && device_connection_ > dead_) return problem_.empty();
  }
  if (problem_.empty()) problem_ = std::string("not settled: ") + agent::uplink_state_name(uplink_->status().state) + ", " + uplink_->status().last_error;
  return false;
}

// ---- Oracle

std::string World::check_stream(model::Stream stream, const std::map<Content, uint32_t>& delivered) {
  const size_t i = model::index_of(stream);
  const StoreImage& image = store_->image();
  const ModelArchive::Epoch& epoch = archive_.epochs().at(image.epoch);
  const bool is_rolled_back = faults_.restore_device || faults_.swap_device;
  model::SeqRanges lost;
  for (const model::Gap& gap : epoch.gaps) {
    if (gap.stream == stream) (void)lost.add(gap.range, SIZE_MAX);
  }
  if (epoch.held[i].cursor() != image.next[i] - 1) return format("%s: the hub holds up to %llu, the device has %llu", stream_name(stream),
      static_cast<unsigned long long>(epoch.held[i].cursor()), static_cast<unsigned long long>(image.next[i] - 1));
  for (const Entry& entry : image.log[i]) {
    const bool may_be_declared = entry.kind != Entry::Kind::block || is_rolled_back;
    // Acknowledged, freed, then lost by the hub's restore: if another timeline took the numbers meanwhile, no gap can stand there.
    const bool is_taken = entry.kind == Entry::Kind::freed && faults_.restore_hub && is_rolled_back;
    const bool is_declared = lost.covers(entry.range) || is_taken;
    for (const Content content : entry.text.contents) {
      abandoned_.erase(content);
      if (delivered.count(content) == 0 && !(may_be_declared && is_declared)) {
        return format("%s: reading %llu (number %llu, kind %d) is neither delivered nor declared", stream_name(stream),
                      static_cast<unsigned long long>(content), static_cast<unsigned long long>(entry.range.first), static_cast<int>(entry.kind));
      }
    }
  }
  return "";
}

std::string World::verdict() {
  if (!problem_.empty()) return problem_;
  const auto delivered = archive_.deliveries();
  for (const auto& [content, count] : delivered) {
    if (count > 1) return format("reading %llu was delivered %u times", static_cast<unsigned long long>(content), count);
  }
  for (size_t turn = 0; turn <= (faults_.swap_device ? 1u : 0u); ++turn) {
    if (turn == 1) {  // the other copy has its say
      stop_device();
      StoreImage image = store_->image();
      std::swap(image, saved_.front());
      start_device(std::move(image));
      if (!settle()) return problem_;
    }
    const auto now_delivered = archive_.deliveries();
    for (const model::Stream stream : model::streams) {
      if (store_->image().next[model::index_of(stream)] == 1) continue;
      if (std::string wrong = check_stream(stream, now_delivered); !wrong.empty()) return wrong;
    }
    for (const auto& [content, count] : now_delivered) {
      if (count > 1) return format("reading %llu was delivered %u times", static_cast<unsigned long long>(content), count);
    }
  }
  rebases_ += uplink_->status().rebases;
  return "";
}

}  // namespace tideline::sim
