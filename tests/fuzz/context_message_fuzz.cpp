// Any bytes as a message about context: decode() never reads beyond them, and what it accepts means the same after encode().
#include <cstdlib>

#include "context/message.hpp"

using namespace tideline;

namespace {

void check(bool is_right) {
  if (!is_right) std::abort();
}

template <class M>
void go_round(const M& message, M context::Message::*member) {
  ByteBuffer bytes;
  context::encode(message, bytes);
  const auto again = context::decode(bytes);
  check(again.has_value());
  check((*again).*member == message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = context::decode(Bytes(data, size));
  if (!message) return 0;
  using context::MessageType;
  switch (message->type) {
    case MessageType::state: go_round(message->state, &context::Message::state); break;
    case MessageType::registers: {
      go_round(message->registers, &context::Message::registers);
      context::Book book;
      for (const context::Register& reg : message->registers.registers) (void)book.put(reg).has_value();
      break;
    }
    case MessageType::ack: go_round(message->ack, &context::Message::ack); break;
    case MessageType::failed: go_round(message->failed, &context::Message::failed); break;
    case MessageType::declarations: go_round(message->declarations, &context::Message::declarations); break;
    case MessageType::resync: break;
  }
  return 0;
}
