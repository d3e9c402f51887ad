#include "context/message.hpp"

#include "context/cut_text.hpp"
#include "context/json_values.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"
#include "wrap/msgpack/reader.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::context {
namespace {

constexpr uint64_t number_of(MessageType type) { return static_cast<uint64_t>(type); }
constexpr size_t register_fields = 8;
constexpr size_t why_bytes = 512;

void write_register(msgpack::Writer& w, const Register& reg) {
  w.array(register_fields).text(reg.path).uint(index_of(reg.side)).uint(reg.write.stamp).uint(reg.write.seen);
  w.boolean(reg.write.is_deleted).integer(reg.write.expires_ms).text(reg.write.author).text(reg.write.value);
}

Register take_register(msgpack::Reader& r) {
  Register reg;
  if (const size_t fields = r.take_array(64); fields < register_fields) {
    r.fail();
  } else {
    reg.path = r.take_text(limits::path_bytes);
    const uint64_t side = r.take_uint();
    if (side >= side_count) r.fail();
    reg.side = side == 0 ? Side::device : Side::hub;
    reg.write.stamp = r.take_uint();
    reg.write.seen = r.take_uint();
    reg.write.is_deleted = r.take_boolean();
    reg.write.expires_ms = r.take_integer();
    reg.write.author = r.take_text(limits::author_bytes);
    reg.write.value = r.take_text(limits::value_bytes);
    for (size_t i = register_fields; i < fields; ++i) r.skip();
  }
  return reg;
}

bool is_sound(const Register& reg) {
  const Write& write = reg.write;
  if (!is_path(reg.path) || write.stamp == 0 || write.stamp >= stamp_end || write.seen >= stamp_end) return false;
  if (write.expires_ms < 0 || write.expires_ms > stamp_ms(stamp_end) + limits::time_to_live_most_ms) return false;
  if (const auto writer = only_writer(reg.path); writer && *writer != reg.side) return false;
  if (write.is_deleted) return write.value.empty();
  const Result<std::string> value = compact(write.value);
  return value && *value == write.value;
}

/// Clocks follow them: one that cannot be would carry every later write with it.
Tops take_tops(msgpack::Reader& r) {
  Tops tops;
  for (const Side side : sides) {
    tops[side] = r.take_uint();
    if (tops[side] >= stamp_end) r.fail();
  }
  return tops;
}

StateMessage take_state(msgpack::Reader& r) {
  StateMessage message;
  message.version = static_cast<uint8_t>(r.take_uint());
  message.state.tops = take_tops(r);
  message.state.digest = r.take_uint();
  message.state.entries = r.take_uint();
  message.declarations = r.take_uint();
  return message;
}

Status take_registers(msgpack::Reader& r, RegistersMessage& message) {
  const size_t count = r.take_array(limits::message_registers);
  message.registers.reserve(count);
  for (size_t i = 0; i < count && r.ok(); ++i) message.registers.push_back(take_register(r));
  for (size_t i = 0; i < message.registers.size() && r.ok(); ++i) {
    if (!is_sound(message.registers[i])) return Error{ErrorCode::invalid, 0, "a context entry is not possible"};
  }
  return {};
}

}  // namespace

void encode(const StateMessage& message, ByteBuffer& out) {
  const ReplicaState& state = message.state;
  msgpack::Writer(out).array(7).uint(number_of(MessageType::state)).uint(message.version).uint(state.tops[Side::device]).uint(state.tops[Side::hub])
      .uint(state.digest).uint(state.entries).uint(message.declarations);
}

void encode(const RegistersMessage& message, ByteBuffer& out) {
  msgpack::Writer w(out);
  w.array(2).uint(number_of(MessageType::registers)).array(message.registers.size());
  for (const Register& reg : message.registers) write_register(w, reg);
}

void encode(const AckMessage& message, ByteBuffer& out) {
  msgpack::Writer(out).array(3).uint(number_of(MessageType::ack)).uint(message.tops[Side::device]).uint(message.tops[Side::hub]);
}

void encode(const FailedMessage& message, ByteBuffer& out) { msgpack::Writer(out).array(2).uint(number_of(MessageType::failed)).text(cut_text(message.why, why_bytes)); }

void encode(const ResyncMessage&, ByteBuffer& out) { msgpack::Writer(out).array(1).uint(number_of(MessageType::resync)); }

void encode(const DeclarationsMessage& message, ByteBuffer& out) { msgpack::Writer(out).array(2).uint(number_of(MessageType::declarations)).text(message.json); }

Result<Message> decode(Bytes bytes) {
  msgpack::Reader r(bytes);
  const size_t fields = r.take_array(64);
  const uint64_t type = r.take_uint();
  static constexpr size_t least[] = {0, 7, 2, 3, 2, 1, 2};
  if (!r.ok() || type == 0 || type > UINT8_MAX) return Error{ErrorCode::invalid, 0, "no message about context"};
  Message message;
  message.type = static_cast<MessageType>(type);
  if (type >= std::size(least)) return message;
  if (fields < least[type]) return Error{ErrorCode::invalid, 0, "a message about context is incomplete"};
  switch (message.type) {
    case MessageType::state: message.state = take_state(r); break;
    case MessageType::registers: RETURN_IF_ERROR(take_registers(r, message.registers)); break;
    case MessageType::ack:
      message.ack.tops = take_tops(r);
      break;
    case MessageType::failed: message.failed.why = r.take_text(why_bytes); break;
    case MessageType::resync: break;
    case MessageType::declarations: message.declarations.json = r.take_text(limits::declarations_bytes); break;
  }
  for (size_t i = least[type]; i < fields; ++i) r.skip();
  if (!r.is_done()) return Error{ErrorCode::invalid, static_cast<int>(r.position()), "a message about context cannot be read"};
  return message;
}

}  // namespace tideline::context
