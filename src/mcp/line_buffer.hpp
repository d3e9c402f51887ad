// Cuts a byte stream into lines: "\n" or "\r\n" ends one, blank lines are skipped, a line over the bound is reported once and
// passed over to its end. One owner; pure. Bound: limits::mcp_line_bytes (or as given) plus one chunk.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.hpp"

namespace tideline::mcp {

class LineBuffer {
 public:
  struct Line {
    std::string_view text;    ///< valid until the next call
    bool is_too_long = false;  ///< then `text` is empty
  };

  explicit LineBuffer(size_t line_bytes = limits::mcp_line_bytes) : most_(line_bytes) {}
  /// Takes bytes as they come; call next() until it gives nothing before pushing more.
  void push(std::string_view bytes);
  std::optional<Line> next();
  /// Bytes of an unfinished line held.
  size_t held() const { return buffer_.size() - at_; }

 private:
  size_t most_;
  std::string buffer_;
  size_t at_ = 0;        ///< start of the current line
  size_t searched_ = 0;  ///< no line end before this offset
  bool is_skipping_ = false;
};

}  // namespace tideline::mcp
