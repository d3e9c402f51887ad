#include "mcp/batches.hpp"

#include <algorithm>
#include <cassert>

namespace tideline::mcp {

uint32_t Batches::open() {
  if (++last_id_ == 0) ++last_id_;
  batches_.push_back({last_id_, 1, {}});
  return last_id_;
}

void Batches::expect_answer(uint32_t batch) {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [batch](const Batch& b) { return b.id == batch; });
  assert(found != batches_.end());
  ++found->missing;
}

std::optional<std::string> Batches::add_answer(uint32_t batch, std::string_view line) {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [batch](const Batch& b) { return b.id == batch; });
  assert(found != batches_.end());
  if (!line.empty()) {
    found->lines += found->lines.empty() ? "[" : ",";
    found->lines += line;
  }
  if (--found->missing > 0) return std::nullopt;
  std::string lines = std::move(found->lines);
  batches_.erase(found);
  if (lines.empty()) return std::nullopt;
  return lines + "]";
}

std::optional<std::string> Batches::close(uint32_t batch) { return add_answer(batch, {}); }

}  // namespace tideline::mcp
