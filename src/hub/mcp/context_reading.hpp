// Reads the context of devices for an answer, some devices at a time. Store thread, or a command that opened the archive.
#pragma once

#include <string>
#include <vector>

#include "hub/mcp/context_answers.hpp"

namespace tideline::hub {

struct ContextTarget {
  DeviceKey key = 0;
  std::string id;
  bool is_online = false;
};

/// An entry that was never written comes back empty.
Result<ContextRow> read_context_row(ContextArchive& archive, const ContextTarget& target, const std::string& path);

/// What is read of many devices, in the order of their ids, until the page is full.
class ContextReading {
 public:
  enum class Kind : uint8_t { list, diff };
  ContextReading(Kind kind, ContextListRequest request, std::vector<ContextTarget> targets, UtcNanos now);
  /// At most `devices` more of them; true when the answer is complete.
  Result<bool> advance(ContextArchive& archive, size_t devices);
  ContextAnswer take() { return std::move(answer_); }

 private:
  Status read(ContextArchive& archive, const ContextTarget& target);
  Status add(ContextArchive& archive, const ContextTarget& target, ContextRow row);
  bool is_full() const { return answer_.rows.size() >= request_.limit || bytes_ > bytes_most; }
  static constexpr size_t bytes_most = 512 * 1024;

  Kind kind_;
  ContextListRequest request_;
  std::vector<ContextTarget> targets_;
  int64_t now_ms_;
  size_t at_ = 0;
  size_t bytes_ = 0;
  bool is_done_ = false;
  ContextAnswer answer_;
};

}  // namespace tideline::hub
