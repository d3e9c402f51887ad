// The hub's archive as a model: the rules of hub/archive.hpp that the link depends on. Copies are backups.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hub/store/archive.hpp"
#include "sim/model_store.hpp"

namespace tideline::sim {

class ModelArchive {
 public:
  struct Epoch {
    uint32_t incarnation = 0;
    std::map<uint32_t, std::vector<model::Series>> series;  ///< by incarnation
    model::SeqRanges held[model::stream_count];
    std::map<model::Seq, std::pair<model::Seq, std::vector<Content>>> blocks[model::stream_count];  ///< first -> last, contents
    std::vector<model::Gap> gaps;
    std::vector<hub::HeldRun> runs;
  };

  hub::DeviceState load_state(const std::string& epoch) const;
  /// Poisoned contents are refused. `problem` gets a text when an invariant broke.
  std::vector<hub::BlockVerdict> apply(const hub::IntakeBatch& batch, std::string& problem);

  const std::map<std::string, Epoch>& epochs() const { return epochs_; }
  std::map<Content, uint32_t> deliveries() const;
  uint64_t readings() const;
  static bool is_poison(Content content) { return content % 997 == 0; }

 private:
  hub::BlockVerdict take(Epoch& epoch, const hub::IntakeBatch& batch, const model::StoredBlock& block, std::string& problem);
  static void join(Epoch& epoch, const hub::HeldRun& claim);
  std::map<std::string, Epoch> epochs_;
};

}  // namespace tideline::sim
