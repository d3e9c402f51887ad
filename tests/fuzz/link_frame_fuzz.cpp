// Frames of the link out of arbitrary bytes, cut where the first byte says: the same frames must come out however it is cut.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "link/framer.hpp"

namespace {

using namespace tideline;

struct Outcome {
  std::vector<std::string> frames;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read_all(Bytes wire, size_t piece) {
  Outcome outcome;
  link::FrameReader reader;
  while (!wire.empty() && !outcome.failed) {
    Bytes input = wire.first(std::min(piece, wire.size()));
    wire = wire.subspan(input.size());
    while (true) {
      const auto frame = reader.next(input);
      outcome.failed = !frame;
      if (!frame || !*frame) break;
      outcome.frames.emplace_back(as_text(**frame));
    }
    if (reader.buffered_bytes() > limits::frame_bytes + link::frame_header_bytes) std::abort();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t piece = data[0] == 0 ? 1 : data[0];
  const Bytes wire(data + 1, size - 1);
  if (read_all(wire, piece) != read_all(wire, wire.size())) std::abort();
  return 0;
}
