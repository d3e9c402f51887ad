#include "agent/inputs/line_splitter.hpp"

#include <cstring>

#include "base/limits.hpp"

namespace tideline::agent {

bool LineSplitter::give(std::string_view text, Line& line) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  line = {text, false};
  return true;
}

bool LineSplitter::next(Bytes& bytes, Line& line) {
  if (gave_partial_) partial_.clear();
  gave_partial_ = false;
  if (bytes.empty()) return false;
  const auto* end = static_cast<const uint8_t*>(std::memchr(bytes.data(), '\n', bytes.size()));
  const size_t size = end == nullptr ? bytes.size() : static_cast<size_t>(end - bytes.data());
  const std::string_view piece = as_text(bytes.first(size));
  const bool is_too_long = is_skipping_ || partial_.size() + size > limits::ingest_line_bytes;
  if (is_too_long) partial_.clear();
  if (end == nullptr) {
    is_skipping_ = is_too_long;
    if (!is_too_long) partial_.append(piece);
    bytes = {};
    return false;
  }
  bytes = bytes.subspan(size + 1);
  is_skipping_ = false;
  if (is_too_long) {
    line = {{}, true};
    return true;
  }
  if (partial_.empty()) return give(piece, line);
  partial_.append(piece);
  gave_partial_ = true;
  return give(partial_, line);
}

bool LineSplitter::finish(Line& line) {
  if (gave_partial_) partial_.clear();
  gave_partial_ = false;
  if (is_skipping_) {
    is_skipping_ = false;
    line = {{}, true};
    return true;
  }
  if (partial_.empty()) return false;
  gave_partial_ = true;
  return give(partial_, line);
}

}  // namespace tideline::agent
