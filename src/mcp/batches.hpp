// JSON-RPC batches, which only revision 2025-03-26 has: answers are gathered until the last, then leave as one array. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tideline::mcp {

class Batches {
 public:
  /// Opens one; it stays open, whatever finishes, until close().
  uint32_t open();
  void expect_answer(uint32_t batch);
  /// Takes one answer, or an empty one for a request that gets none; gives the array once it is complete and closed.
  std::optional<std::string> add_answer(uint32_t batch, std::string_view line);
  /// All requests are known. Nothing when answers are missing, or when there were none to give.
  std::optional<std::string> close(uint32_t batch);

 private:
  struct Batch {
    uint32_t id = 0;
    size_t missing = 1;  ///< one for the batch itself, until closed
    std::string lines;
  };
  std::vector<Batch> batches_;
  uint32_t last_id_ = 0;
};

}  // namespace tideline::mcp
