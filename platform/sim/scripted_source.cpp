#include "sim/scripted_source.hpp"

namespace tideline::platform {

uint32_t ScriptedSource::add(model::Series series) {
  series_.push_back(std::move(series));
  states_.emplace_back();
  return static_cast<uint32_t>(series_.size() - 1);
}

void ScriptedSource::set(uint32_t channel, double value) { states_[channel] = {value, {}}; }
void ScriptedSource::break_channel(uint32_t channel, Error error) { states_[channel].status = error; }
void ScriptedSource::break_source(Error error) { source_status_ = error; }
void ScriptedSource::repair() { source_status_ = {}; }

Status ScriptedSource::sample(Instant, SampleSet& out) {
  RETURN_IF_ERROR(source_status_);
  for (uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].status) {
      out.samples.push_back({i, states_[i].value});
    } else {
      out.failures.push_back({i, states_[i].status.error()});
    }
  }
  return {};
}

}  // namespace tideline::platform
