#include "mcp/line_buffer.hpp"

namespace tideline::mcp {

void LineBuffer::push(std::string_view bytes) {
  buffer_.erase(0, at_);
  searched_ -= at_;
  at_ = 0;
  buffer_ += bytes;
}

std::optional<LineBuffer::Line> LineBuffer::next() {
  while (true) {
    const size_t end = buffer_.find('\n', searched_);
    if (end == std::string::npos) {
      searched_ = buffer_.size();
      if (!is_skipping_ && held() <= most_ + 1) return std::nullopt;  // + 1: a carriage return may be pending
      at_ = buffer_.size();
      if (is_skipping_) return std::nullopt;
      is_skipping_ = true;
      return Line{{}, true};
    }
    std::string_view text = std::string_view(buffer_).substr(at_, end - at_);
    at_ = searched_ = end + 1;
    if (is_skipping_) {
      is_skipping_ = false;
      continue;
    }
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.size() > most_) return Line{{}, true};
    if (text.find_first_not_of(" \t\r") != std::string_view::npos) return Line{text, false};
  }
}

}  // namespace tideline::mcp
