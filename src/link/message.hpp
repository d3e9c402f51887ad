// The frames of the link as values (FORMAT.md). Plain values; codec.hpp turns them into payload bytes and back.
//
// A decoded value is within every limit named here. Views in BlockFrame point into the payload that was decoded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/anchor.hpp"
#include "model/series.hpp"
#include "model/stream_state.hpp"

namespace tideline::link {

inline constexpr uint8_t protocol_version = 1;

/// Numbers on the wire: never renumber. Below 64 an unknown number is an error; from 64 on it is skipped.
enum class FrameType : uint8_t {
  hello = 1,
  welcome = 2,
  series = 3,
  block = 4,
  gap = 5,
  ack = 6,
  nack = 7,
  credit = 8,
  anchor = 9,
  ping = 10,
  pong = 11,
  bye = 12,
  enroll = 13,
  enrolled = 14,
  context = 15,
  call = 16,
  reply = 17,
  notify = 18,
  cancel = 19,
};
inline constexpr uint8_t first_skipped_type = 64;
const char* frame_name(FrameType type);

/// What the device holds of one stream.
struct StreamClaim {
  model::Seq first_held = 1;
  model::Seq next = 1;  ///< durable numbers end below this
  bool operator==(const StreamClaim&) const = default;
};

/// Device to hub, first frame of a connection.
struct Hello {
  uint8_t version_least = protocol_version;
  uint8_t version_most = protocol_version;
  std::string device;
  std::string epoch;                    ///< 32 hexadecimal digits (16 bytes on the wire)
  uint32_t incarnation = 0;
  uint64_t run = 0;
  std::string agent_version;
  std::array<StreamClaim, model::stream_count> streams;
  std::vector<model::Run> runs;         ///< newest limits::hello_runs, oldest first
  std::vector<model::Anchor> anchors;   ///< newest limits::hello_anchors
  int64_t utc_ns = 0;                   ///< what the device believes, 0 if it has no idea
  model::TimeQuality quality = model::TimeQuality::none;
  uint32_t series_count = 0;
  uint64_t catalog_hash = 0;            ///< of what the device offers over MCP; 0: not known yet
  bool operator==(const Hello&) const = default;
};

/// What the hub holds of one stream.
struct StreamHeld {
  model::SeqRanges held;          ///< blocks and gaps; at most limits::ack_ranges: the first and the newest
  model::Seq highest = 0;         ///< highest number held
  model::Seq agreed = 0;          ///< up to here both sides mean the same readings; below `highest`: a rollback (FORMAT.md)
  bool operator==(const StreamHeld&) const = default;
};

/// Hub to device, the answer to Hello.
struct Welcome {
  uint8_t version = protocol_version;
  std::string hub;
  int64_t utc_ns = 0;                   ///< hub's wall time when this was made
  uint32_t incarnation = 0;             ///< highest one that the hub has seen in this epoch
  uint32_t series_known = 0;            ///< definitions held of the device's incarnation
  uint64_t series_hash = 0;             ///< series_hash() over them; 0: not known, do not compare
  std::array<StreamHeld, model::stream_count> streams;
  uint64_t credit = 0;                  ///< bytes of series, block and gap payloads that may be sent
  bool live = true;                     ///< false: oldest first only, the hub holds too many ranges
  Duration reconnect_least;             ///< wait at least this after a loss, ...
  Duration reconnect_spread;            ///< ... plus a random part of this (whole milliseconds on the wire)
  Duration ping_interval;               ///< to begin with; 0: the device's own choice
  uint64_t catalog_hash = 0;            ///< of the catalog that the hub keeps of this device; 0: none
  bool operator==(const Welcome&) const = default;
};

/// Definitions first, first + 1, ... of the device's dictionary, at most limits::frame_series.
struct SeriesFrame {
  model::SeriesId first = 0;
  std::vector<model::Series> series;
  bool operator==(const SeriesFrame&) const = default;
};

enum class Lane : uint8_t { live = 0, backfill = 1 };
const char* lane_name(Lane lane);

struct BlockFrame {
  Lane lane = Lane::live;
  model::Stream stream = model::Stream::normal;
  model::SeqRange range;  ///< 1 to limits::block_readings numbers; must be what the block's own header says
  Bytes block;            ///< as stored; at most limits::block_bytes; points into the payload
};

/// At most limits::frame_gaps.
struct GapFrame {
  std::vector<model::Gap> gaps;
  bool operator==(const GapFrame&) const = default;
};

/// The hub holds these durably.
struct Ack {
  model::Stream stream = model::Stream::normal;
  std::vector<model::SeqRange> ranges;  ///< ascending, at most limits::ack_ranges
  uint64_t credit = 0;                  ///< given back
  bool operator==(const Ack&) const = default;
};

struct Nack {
  model::Stream stream = model::Stream::normal;
  model::SeqRange range;
  bool permanent = false;   ///< true: never send it again, set it aside; false: again after limits::nack_retry
  std::string reason;       ///< for people, at most limits::link_text_bytes
  bool operator==(const Nack&) const = default;
};

struct Credit {
  uint64_t bytes = 0;
  bool operator==(const Credit&) const = default;
};

struct AnchorFrame {
  model::Anchor anchor;
  bool operator==(const AnchorFrame&) const = default;
};

struct Ping {
  uint64_t token = 0;
  Duration interval;        ///< the next frame comes within this (whole milliseconds on the wire)
  bool operator==(const Ping&) const = default;
};

struct Pong {
  uint64_t token = 0;
  bool operator==(const Pong&) const = default;
};

/// Why a side closes. Numbers on the wire: never renumber; unknown ones decode to `other`.
enum class ByeCode : uint8_t {
  shutting_down = 0,
  protocol_error = 1,
  too_old = 2,
  not_authorised = 3,
  unknown_device = 4,
  duplicate_device = 5,  ///< another certificate is in force for this device id
  revoked = 6,
  unavailable = 7,       ///< the store cannot take data now
  idle = 8,              ///< nothing heard for too long
  replaced = 9,          ///< the same device connected again
  enrol_refused = 10,
  other = 255,
};
const char* bye_name(ByeCode code);

struct Bye {
  ByeCode code = ByeCode::shutting_down;
  std::string reason;    ///< for people, at most limits::link_text_bytes
  Duration retry_after;  ///< not before; 0: as the device likes
  bool operator==(const Bye&) const = default;
};

/// Asks for a certificate: the only frame besides bye on a connection without a client certificate; without a token, on a
/// connection with one, it asks for renewal.
struct Enroll {
  std::string token;          ///< at most limits::enrol_token_bytes, "" for renewal
  std::string request_pem;    ///< the signing request, at most limits::link_pem_bytes
  std::string device;
  std::string agent_version;
  bool operator==(const Enroll&) const = default;
};

struct Enrolled {
  std::string certificate_pem;
  std::string ca_pem;
  bool operator==(const Enrolled&) const = default;
};

/// Hub to device: a piece of one MCP request (JSON-RPC of the newest revision, its id is the number of the call). The pieces of a call
/// follow each other; everything but the text counts as the first piece has it.
struct CallFrame {
  uint64_t call = 0;         ///< never used twice on one connection
  std::string task;          ///< of a call that may come again after a loss: its lasting name, else ""; at most limits::link_name_bytes
  std::string principal;     ///< on whose behalf, for the device's own log; at most limits::link_name_bytes
  Duration deadline;         ///< nobody waits for the answer after this; 0: no such bound
  uint64_t reply_bytes = 0;  ///< each message of the reply may be this long
  bool is_last = true;
  Bytes text;                ///< at most limits::link_piece_bytes; points into the payload
};

enum class ReplyPart : uint8_t {
  more = 0,     ///< the message goes on in the next reply to this call
  message = 1,  ///< the end of a notification; more messages follow
  answer = 2,   ///< the end of the answer: the call is over
};

/// Device to hub: a piece of what answers a call.
struct ReplyFrame {
  uint64_t call = 0;
  ReplyPart part = ReplyPart::answer;
  Bytes text;                ///< at most limits::link_piece_bytes; points into the payload
};

/// Device to hub: a piece of a JSON-RPC notification that belongs to no call.
struct NotifyFrame {
  bool is_last = true;
  Bytes text;                ///< at most limits::link_piece_bytes; points into the payload
};

/// Hub to device: nobody waits for this call any more; no reply is sent. Unknown calls are ignored.
struct CancelFrame {
  uint64_t call = 0;
  bool operator==(const CancelFrame&) const = default;
};

/// Either way: a piece of one message about the device's context (src/context/FORMAT.md), which the link only carries. The pieces of a
/// message follow each other.
struct ContextFrame {
  bool is_last = true;
  Bytes bytes;               ///< at most limits::link_piece_bytes; points into the payload
};

/// A frame of a type from 64 on: made by something newer, to be ignored.
struct Skipped {
  uint8_t type = first_skipped_type;
};

using Message = std::variant<Hello, Welcome, SeriesFrame, BlockFrame, GapFrame, Ack, Nack, Credit, AnchorFrame, Ping, Pong, Bye,
                             Enroll, Enrolled, CallFrame, ReplyFrame, NotifyFrame, CancelFrame, ContextFrame, Skipped>;

/// [a-z0-9._-], 1 to limits::device_id_bytes, beginning with a letter or digit.
bool is_device_id(std::string_view id);

}  // namespace tideline::link
