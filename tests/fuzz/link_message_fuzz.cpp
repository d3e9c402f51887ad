// Any bytes as a frame payload: decode() never reads beyond them, and what it accepts means the same after encode().
#include <cstdlib>

#include "link/codec.hpp"

using namespace tideline;

namespace {

void check(bool is_right) {
  if (!is_right) std::abort();
}

template <class Frame>
void go_round(const Frame& frame) {
  ByteBuffer payload;
  link::encode(frame, payload);
  const auto again = link::decode(payload);
  check(again.has_value() && std::holds_alternative<Frame>(*again));
  ByteBuffer second;
  link::encode(std::get<Frame>(*again), second);
  check(payload == second);
}
void go_round(const link::Skipped&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = link::decode(Bytes(data, size));
  if (message) std::visit([](const auto& frame) { go_round(frame); }, *message);
  return 0;
}
