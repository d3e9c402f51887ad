// What replicas say to each other, as values and as bytes (FORMAT.md). Pure. A decoded value is within every limit of limits.hpp.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "context/book.hpp"

namespace tideline::context {

inline constexpr uint8_t sync_version = 1;

/// First of a connection, and again when a side has nothing left to send.
struct StateMessage {
  uint8_t version = sync_version;
  ReplicaState state;
  uint64_t declarations = 0;  ///< hash of the JSON held of the device's declarations; 0: none
  bool operator==(const StateMessage&) const = default;
};
/// Registers of one side, in the order of their stamps. Answered by Ack or Failed before the next.
struct RegistersMessage {
  std::vector<Register> registers;
  bool operator==(const RegistersMessage&) const = default;
};
/// The registers that came last are durable here.
struct AckMessage {
  Tops tops;
  bool operator==(const AckMessage&) const = default;
};
/// They are not, and what is in the way; to be sent again later.
struct FailedMessage {
  std::string why;
  bool operator==(const FailedMessage&) const = default;
};
/// The replicas differ although their tops are equal: send everything, as this side does.
struct ResyncMessage {
  bool operator==(const ResyncMessage&) const = default;
};
/// Device to hub.
struct DeclarationsMessage {
  std::string json;
  bool operator==(const DeclarationsMessage&) const = default;
};
/// Numbers on the wire: never renumber.
enum class MessageType : uint8_t { state = 1, registers = 2, ack = 3, failed = 4, resync = 5, declarations = 6 };

/// One decoded message: the member that `type` names is filled in. Types of newer versions have none and are ignored.
struct Message {
  MessageType type = MessageType::resync;
  StateMessage state;
  RegistersMessage registers;
  AckMessage ack;
  FailedMessage failed;
  DeclarationsMessage declarations;
};

void encode(const StateMessage& message, ByteBuffer& out);
void encode(const RegistersMessage& message, ByteBuffer& out);
void encode(const AckMessage& message, ByteBuffer& out);
void encode(const FailedMessage& message, ByteBuffer& out);
void encode(const ResyncMessage& message, ByteBuffer& out);
void encode(const DeclarationsMessage& message, ByteBuffer& out);
/// Errors: invalid (not such a message, or a register that cannot be), limit.
Result<Message> decode(Bytes bytes);

}  // namespace tideline::context
