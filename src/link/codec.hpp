// Frames to payload bytes and back (FORMAT.md). The u32 length prefix belongs to the framer.
//
// Pure; any thread. encode() appends to `out` and cannot fail: the value is ours and within its limits (asserted). decode()
// reads what a peer sent: every count is checked against limits.hpp and against the bytes left before anything is allocated.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "link/message.hpp"

namespace tideline::link {

void encode(const Hello& hello, ByteBuffer& out);
void encode(const Welcome& welcome, ByteBuffer& out);
void encode(const SeriesFrame& frame, ByteBuffer& out);
void encode(const BlockFrame& frame, ByteBuffer& out);
void encode(const GapFrame& frame, ByteBuffer& out);
void encode(const Ack& ack, ByteBuffer& out);
void encode(const Nack& nack, ByteBuffer& out);
void encode(const Credit& credit, ByteBuffer& out);
void encode(const AnchorFrame& frame, ByteBuffer& out);
void encode(const Ping& ping, ByteBuffer& out);
void encode(const Pong& pong, ByteBuffer& out);
void encode(const Bye& bye, ByteBuffer& out);
void encode(const Enroll& enroll, ByteBuffer& out);
void encode(const Enrolled& enrolled, ByteBuffer& out);
void encode(const CallFrame& frame, ByteBuffer& out);
void encode(const ReplyFrame& frame, ByteBuffer& out);
void encode(const NotifyFrame& frame, ByteBuffer& out);
void encode(const ContextFrame& frame, ByteBuffer& out);
void encode(const CancelFrame& frame, ByteBuffer& out);

/// Parses one payload. The views of block, call, reply, notify and context frames point into it. Errors: invalid (context names the frame), limit (longer
/// than limits::frame_bytes), unsupported (a type below 64 that this version does not know).
Result<Message> decode(Bytes payload);

/// Upper bound of the payload of a block frame beyond the block's own bytes.
inline constexpr size_t block_envelope_bytes = 32;

/// Chains a definition to the hash of those before it (0 to begin with): both ends compare their first definitions by it.
/// FNV-1a, 64 bit, over the definition as it stands in a series frame.
uint64_t series_hash(const model::Series& series, uint64_t previous);

}  // namespace tideline::link
