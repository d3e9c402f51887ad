// One line for every call that changed or asked something: who, which device, what, how it ended, how long it took. Arguments are kept as
// a digest, so that the same call can be recognised and nothing secret is stored.
//
// Owned by McpService. Thread: loop. Lines are written together, audit_interval after the first of them or when there are audit_batch_rows:
// each write is a sync, and questions wait behind it in the store's thread. Bound: limits::audit_rows_queued, beyond
// which the oldest are dropped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/time.hpp"

namespace tideline::hub {

inline constexpr Duration audit_interval = milliseconds(50);
inline constexpr size_t audit_batch_rows = 512;

struct AuditEntry {
  std::string principal;
  std::string device;      ///< "" for the fleet
  std::string method;
  std::string target;      ///< tool, prompt, URI or task
  std::string arguments_digest;
  std::string trace;       ///< traceparent of the request
  UtcNanos begun;
  Instant started;
};

struct AuditLine {
  AuditEntry entry;
  std::string outcome;
  Duration took;
};

class Audit {
 public:
  void add(AuditEntry entry, std::string outcome, Instant now) {
    if (lines_.size() >= limits::audit_rows_queued) {
      lines_.erase(lines_.begin());
      ++dropped_;
    }
    const Duration took = now - entry.started;
    lines_.push_back({std::move(entry), std::move(outcome), took});
  }
  std::vector<AuditLine> take() { return std::exchange(lines_, {}); }
  size_t size() const { return lines_.size(); }
  uint64_t dropped() const { return dropped_; }

 private:
  std::vector<AuditLine> lines_;
  uint64_t dropped_ = 0;
};

}  // namespace tideline::hub
