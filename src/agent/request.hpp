// One question of a command to the agent, answered by the daemon or, without one, by the store of this process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/config.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace tideline::agent {

struct Answer {
  Error error;            ///< when problem is not empty
  std::string problem;    ///< for people
  std::string line;       ///< the JSON-RPC response otherwise
};

/// Keeps the way to the agent open for several questions. Blocks the caller for each, at most limits::request_deadline.
class Requester {
 public:
  Requester(const Config& config, Log& log);
  ~Requester();
  /// `params` is a JSON object.
  Answer ask(std::string_view method, std::string_view params);
  /// Whether a daemon answers; known after the first question.
  bool has_daemon() const;

 private:
  class Way;
  std::unique_ptr<Way> way_;
};

}  // namespace tideline::agent
