// Answers about newest values, kept until something changes: an agent that asks the same again and again costs no look into the archive.
//
// Owned by StoreThread. Thread: loop. Memory only. Bounds: limits::latest_kept answers with limits::latest_kept_values values in all; when
// they are reached all go at once, because those still asked come back with the next answer.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "hub/store/archive.hpp"
#include "model/query.hpp"

namespace tideline::hub {

class LatestAnswers {
 public:
  using Answer = Result<std::vector<LatestValue>>;

  /// One text for one question: two that differ in anything have different ones.
  static std::string key_of(const model::DeviceSelector& devices, const model::SeriesSelector& series);

  /// The answer to the question when it is of `version`, else null. Valid until clear(), or keep() of another question.
  const Answer* find(const std::string& key, uint64_t version) const;
  /// Takes the place of an older answer to the same question. Nothing is kept of an error or of an answer over the bound.
  void keep(std::string key, uint64_t version, Answer answer);
  /// False when keep() of one more answer with so many values would let all others go.
  bool has_room(const Answer& answer) const;
  void clear();

  size_t size() const { return answers_.size(); }
  size_t values() const { return values_; }

 private:
  struct Kept {
    uint64_t version = 0;
    Answer answer;
  };
  static size_t count(const Answer& answer) { return answer ? answer->size() : 0; }

  std::unordered_map<std::string, Kept> answers_;  // by key; an answer stays at its address until it goes
  size_t values_ = 0;
};

}  // namespace tideline::hub
