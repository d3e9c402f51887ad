#include "hub/store/latest_answers.hpp"

#include <string_view>
#include <utility>

#include "base/limits.hpp"

namespace tideline::hub {
namespace {

/// With its length before it, so that no text can be taken for the end of another.
void add(std::string& key, std::string_view text) {
  key += std::to_string(text.size());
  key.push_back(':');
  key += text;
}

void add(std::string& key, const std::vector<model::LabelMatch>& labels) {
  for (const model::LabelMatch& label : labels) {
    add(key, label.name);
    add(key, label.value_glob);
  }
  key.push_back(';');
}

}  // namespace

std::string LatestAnswers::key_of(const model::DeviceSelector& devices, const model::SeriesSelector& series) {
  std::string key;
  add(key, devices.id_glob);
  add(key, devices.labels);
  for (const std::string& glob : devices.more_globs) add(key, glob);
  key.push_back(';');
  add(key, series.name_glob);
  add(key, series.labels);
  return key;
}

const LatestAnswers::Answer* LatestAnswers::find(const std::string& key, uint64_t version) const {
  const auto found = answers_.find(key);
  return found != answers_.end() && found->second.version == version ? &found->second.answer : nullptr;
}

bool LatestAnswers::has_room(const Answer& answer) const {
  return answers_.size() < limits::latest_kept && values_ + count(answer) <= limits::latest_kept_values;
}

void LatestAnswers::keep(std::string key, uint64_t version, Answer answer) {
  if (!answer || answer->size() > limits::latest_kept_values) return;
  const auto found = answers_.find(key);
  if (found != answers_.end()) {
    // Of two that were under way at once the older may come last.
    if (found->second.version > version) return;
    const size_t others = values_ - count(found->second.answer);
    if (others + answer->size() <= limits::latest_kept_values) {
      values_ = others + answer->size();
      found->second = {version, std::move(answer)};
      return;
    }
  }
  if (found != answers_.end() || !has_room(answer)) clear();
  values_ += answer->size();
  answers_.emplace(std::move(key), Kept{version, std::move(answer)});
}

void LatestAnswers::clear() {
  answers_.clear();
  values_ = 0;
}

}  // namespace tideline::hub
