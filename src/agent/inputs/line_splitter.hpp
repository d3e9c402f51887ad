// Bytes as they arrive into lines. Whole lines are passed on where they lie; only an unfinished one is copied. A line beyond
// limits::ingest_line_bytes is skipped without being kept. Pure; owned by whoever reads the stream.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace tideline::agent {

class LineSplitter {
 public:
  struct Line {
    std::string_view text;     ///< without \n or \r\n; valid until the next call
    bool is_too_long = false;  ///< its text was not kept
  };

  /// Takes the next line from the front of `bytes`, which shrinks by what was used. False: all of it was used up.
  bool next(Bytes& bytes, Line& line);
  /// At the end of the stream: what came after the last end of line. False when there was nothing.
  bool finish(Line& line);
  size_t kept_bytes() const { return partial_.size(); }

 private:
  bool give(std::string_view text, Line& line);
  std::string partial_;
  bool gave_partial_ = false;  // partial_ was returned and is to be dropped
  bool is_skipping_ = false;   // inside a line that is too long
};

}  // namespace tideline::agent
