#include "sim/model_archive.hpp"

#include <algorithm>

#include "link/codec.hpp"

namespace tideline::sim {

hub::DeviceState ModelArchive::load_state(const std::string& name) const {
  hub::DeviceState state;
  state.epoch = name;
  const auto found = epochs_.find(name);
  if (found == epochs_.end()) return state;
  const Epoch& epoch = found->second;
  state.incarnation = epoch.incarnation;
  if (const auto series = epoch.series.find(epoch.incarnation); series != epoch.series.end()) {
    state.series_known = static_cast<model::SeriesId>(series->second.size());
    for (const model::Series& one : series->second) state.series_hash = link::series_hash(one, state.series_hash);
  }
  for (size_t i = 0; i < model::stream_count; ++i) state.held[i] = epoch.held[i];
  state.runs = epoch.runs;
  return state;
}

std::vector<hub::BlockVerdict> ModelArchive::apply(const hub::IntakeBatch& batch, std::string& problem) {
  Epoch& epoch = epochs_[batch.epoch];
  auto& series = epoch.series[batch.incarnation];
  if (!batch.series.empty() && batch.first_series != series.size()) problem = "series definitions overlap or leave a hole";
  series.insert(series.end(), batch.series.begin(), batch.series.end());
  epoch.incarnation = std::max(epoch.incarnation, batch.incarnation);
  std::vector<hub::BlockVerdict> verdicts;
  for (const model::StoredBlock& block : batch.blocks) verdicts.push_back(take(epoch, batch, block, problem));
  for (const model::Gap& gap : batch.gaps) {
    model::SeqRanges& held = epoch.held[model::index_of(gap.stream)];
    if (held.first_missing(gap.range.first, gap.range.last) != gap.range) problem = "a gap overlaps what is held";
    if (!held.add(gap.range, limits::cursor_ranges)) problem = "too many ranges for a gap";
    epoch.gaps.push_back(gap);
  }
  for (const hub::HeldRun& run : batch.runs) join(epoch, run);
  return verdicts;
}

void ModelArchive::join(Epoch& epoch, const hub::HeldRun& claim) {
  auto known = std::find_if(epoch.runs.begin(), epoch.runs.end(), [&](const hub::HeldRun& run) { return run.id == claim.id; });
  if (known == epoch.runs.end()) {
    epoch.runs.push_back({claim.id, {}, {}});
    known = epoch.runs.end() - 1;
  }
  for (size_t i = 0; i < model::stream_count; ++i) {
    if (claim.first[i] != 0) known->first[i] = claim.first[i];
    known->highest[i] = std::max(known->highest[i], claim.highest[i]);
  }
}

hub::BlockVerdict ModelArchive::take(Epoch& epoch, const hub::IntakeBatch& batch, const model::StoredBlock& block, std::string& problem) {
  const size_t i = model::index_of(block.stream);
  hub::BlockVerdict verdict{block.stream, block.range, true, false, ""};
  if (epoch.held[i].covers(block.range)) {
    verdict.duplicate = true;
    return verdict;
  }
  const BlockText text = read_block(block.bytes);
  if (std::any_of(text.contents.begin(), text.contents.end(), &ModelArchive::is_poison)) {
    return {block.stream, block.range, false, false, "poison"};
  }
  if (epoch.held[i].first_missing(block.range.first, block.range.last) != block.range) problem = "a block overlaps what is held";
  if (!epoch.held[i].add(block.range, limits::cursor_ranges)) problem = "too many ranges for a block";
  const auto& series = epoch.series[batch.incarnation];
  if (text.series >= series.size()) {
    problem = "a block came before its series definition";
  } else if (link::series_hash(series[text.series], 0) != text.series_identity) {
    problem = "readings were stored under another series";
  }
  epoch.blocks[i][block.range.first] = {block.range.last, text.contents};
  hub::HeldRun run;
  run.id = text.run;
  run.highest[i] = block.range.last;
  join(epoch, run);
  return verdict;
}

std::map<Content, uint32_t> ModelArchive::deliveries() const {
  std::map<Content, uint32_t> count;
  for (const auto& [name, epoch] : epochs_) {
    for (const auto& blocks : epoch.blocks) {
      for (const auto& [first, block] : blocks) {
        for (const Content content : block.second) ++count[content];
      }
    }
  }
  return count;
}

}  // namespace tideline::sim
