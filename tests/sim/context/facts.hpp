// Every write that was ever made in a run, and what its writer really knew: the truth that replicas are judged by. The number of a write
// travels as its author.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "context/entry.hpp"

namespace tideline::context::sim {

using FactId = size_t;

struct Fact {
  Register reg;
  Stamp known = 0;            ///< the other side's highest stamp in this entry that the writer's replica ever held
  std::set<FactId> held;      ///< writes of its own side to this entry that the writer's replica ever held
  bool is_acknowledged = false;
  bool is_thrown_away = false;  ///< known only to an image that was replaced by an older one
};

inline FactId fact_of(const Write& write) { return std::stoul(write.author); }

/// What a replica ever held durably: its memory goes back with the image.
struct Memory {
  std::set<FactId> facts;
  std::map<std::pair<std::string, Side>, Stamp> known;
};

}  // namespace tideline::context::sim
