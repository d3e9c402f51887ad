// One function per frame, in the order of FORMAT.md: read beside encode.cpp.
#include <algorithm>
#include <iterator>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "link/codec.hpp"
#include "wrap/msgpack/reader.hpp"

namespace tideline::link {
namespace {

using msgpack::Reader;

constexpr size_t most_fields = 64;            // of a frame or a structure inside one, those of later versions included
constexpr uint64_t most_seq = uint64_t{1} << 62;  // leaves room for arithmetic

/// A structure: an array of at least `required` elements, of which later versions may append more.
class Fields {
 public:
  Fields(Reader& reader, size_t required) : reader_(reader), extra_(reader.take_array(most_fields)) {
    if (extra_ < required) {
      reader_.fail();
      extra_ = 0;
    } else {
      extra_ -= required;
    }
  }
  ~Fields() {
    for (; extra_ > 0 && reader_.ok(); --extra_) reader_.skip();
  }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

 private:
  Reader& reader_;
  size_t extra_;
};

uint64_t take_at_most(Reader& reader, uint64_t most) {
  const uint64_t value = reader.take_uint();
  if (value > most) reader.fail();
  return reader.ok() ? value : 0;
}
uint32_t take_u32(Reader& reader) { return static_cast<uint32_t>(take_at_most(reader, UINT32_MAX)); }
model::Seq take_seq(Reader& reader) { return take_at_most(reader, most_seq); }
model::Seq take_first(Reader& reader) {
  const model::Seq seq = take_seq(reader);
  if (seq == 0) reader.fail();
  return seq;
}
model::Stream take_stream(Reader& reader) {
  return static_cast<model::Stream>(take_at_most(reader, model::stream_count - 1));
}
model::TimeQuality take_quality(Reader& reader) {
  return static_cast<model::TimeQuality>(take_at_most(reader, static_cast<uint64_t>(model::TimeQuality::synced)));
}
Duration take_millis(Reader& reader) {
  return milliseconds(static_cast<int64_t>(take_at_most(reader, static_cast<uint64_t>(limits::retry_most.millis()))));
}
std::string take_string(Reader& reader, size_t most) { return std::string(reader.take_text(most)); }
std::string take_device(Reader& reader) {
  std::string id = take_string(reader, limits::device_id_bytes);
  if (!is_device_id(id)) reader.fail();
  return id;
}

model::SeqRange take_range(Reader& reader) {
  model::SeqRange range;
  range.first = take_first(reader);
  range.last = take_seq(reader);
  if (range.is_empty()) reader.fail();
  return range;
}

/// Ascending and disjoint, or the frame is wrong.
std::vector<model::SeqRange> take_ranges(Reader& reader) {
  std::vector<model::SeqRange> ranges;
  const size_t count = reader.take_array(limits::ack_ranges * 2);
  if (count % 2 != 0) reader.fail();
  for (size_t i = 0; i + 1 < count && reader.ok(); i += 2) {
    const model::SeqRange range = take_range(reader);
    if (!ranges.empty() && range.first <= ranges.back().last) reader.fail();
    ranges.push_back(range);
  }
  return ranges;
}

model::Run take_run(Reader& reader) {
  model::Run run;
  const Fields fields(reader, 1 + model::stream_count);
  run.id = reader.take_uint();
  for (model::Seq& first : run.first) first = take_first(reader);
  return run;
}

model::Anchor take_anchor(Reader& reader) {
  model::Anchor anchor;
  const Fields fields(reader, 5);
  anchor.boot_id = reader.take_uint();
  anchor.mono_ns = reader.take_integer();
  anchor.utc_ns = reader.take_integer();
  anchor.error_ns = reader.take_integer();
  anchor.quality = take_quality(reader);
  // Offsets must be computable: refuse what would overflow.
  constexpr int64_t bound = INT64_MAX / 2;
  if (anchor.mono_ns < 0 || anchor.mono_ns > bound || anchor.utc_ns < -bound || anchor.utc_ns > bound || anchor.error_ns < 0) {
    reader.fail();
  }
  return anchor;
}

model::Series take_series(Reader& reader) {
  model::Series series;
  const Fields fields(reader, 5);
  series.name = take_string(reader, limits::series_name_bytes);
  const size_t labels = reader.take_array(limits::labels * 2);
  if (labels % 2 != 0) reader.fail();
  for (size_t i = 0; i + 1 < labels && reader.ok(); i += 2) {
    std::string name = take_string(reader, limits::label_bytes);
    series.labels.emplace_back(std::move(name), take_string(reader, limits::label_bytes));
  }
  series.unit = take_string(reader, limits::unit_bytes);
  series.kind = static_cast<model::Kind>(take_at_most(reader, static_cast<uint64_t>(model::Kind::event)));
  series.stream = take_stream(reader);
  if (reader.ok() && !model::validate(series)) reader.fail();
  return series;
}

model::Gap take_gap(Reader& reader) {
  model::Gap gap;
  const Fields fields(reader, 9);
  gap.stream = take_stream(reader);
  gap.range = take_range(reader);
  gap.count = take_at_most(reader, gap.range.count());
  gap.reason = static_cast<model::GapReason>(take_at_most(reader, model::gap_reason_count - 1));
  gap.at_least = reader.take_boolean();
  gap.from_ns = reader.take_integer();
  gap.to_ns = reader.take_integer();
  gap.declared_ns = reader.take_integer();
  return gap;
}

StreamHeld take_held(Reader& reader) {
  StreamHeld held;
  const Fields fields(reader, 3);
  for (const model::SeqRange& range : take_ranges(reader)) {
    if (!held.held.add(range, limits::ack_ranges)) reader.fail();
  }
  held.highest = take_seq(reader);
  held.agreed = take_at_most(reader, held.highest);
  const auto& ranges = held.held.ranges();
  if (held.highest != (ranges.empty() ? 0 : ranges.back().last)) reader.fail();
  return held;
}

Message take_hello(Reader& reader) {
  Hello hello;
  hello.version_least = static_cast<uint8_t>(take_at_most(reader, UINT8_MAX));
  hello.version_most = static_cast<uint8_t>(take_at_most(reader, UINT8_MAX));
  if (hello.version_least > hello.version_most) reader.fail();
  hello.device = take_device(reader);
  const Bytes epoch = reader.take_binary(16);
  if (epoch.size() != 16) reader.fail();
  hello.epoch = to_hex(epoch.data(), epoch.size());
  hello.incarnation = take_u32(reader);
  hello.run = reader.take_uint();
  hello.agent_version = take_string(reader, limits::link_name_bytes);
  {
    const Fields streams(reader, model::stream_count);
    for (StreamClaim& claim : hello.streams) {
      const Fields fields(reader, 2);
      claim.first_held = take_first(reader);
      claim.next = take_first(reader);
    }
  }
  const size_t runs = reader.take_array(limits::hello_runs);
  for (size_t i = 0; i < runs && reader.ok(); ++i) hello.runs.push_back(take_run(reader));
  const size_t anchors = reader.take_array(limits::hello_anchors);
  for (size_t i = 0; i < anchors && reader.ok(); ++i) hello.anchors.push_back(take_anchor(reader));
  hello.utc_ns = reader.take_integer();
  hello.quality = take_quality(reader);
  hello.series_count = static_cast<uint32_t>(take_at_most(reader, limits::series_per_device));
  hello.catalog_hash = reader.take_uint();
  return hello;
}

Message take_welcome(Reader& reader) {
  Welcome welcome;
  welcome.version = static_cast<uint8_t>(take_at_most(reader, UINT8_MAX));
  welcome.hub = take_string(reader, limits::link_name_bytes);
  welcome.utc_ns = reader.take_integer();
  if (welcome.utc_ns < 0 || welcome.utc_ns > INT64_MAX / 2) reader.fail();
  welcome.incarnation = take_u32(reader);
  welcome.series_known = static_cast<uint32_t>(take_at_most(reader, limits::series_per_device));
  welcome.series_hash = reader.take_uint();
  {
    const Fields streams(reader, model::stream_count);
    for (StreamHeld& held : welcome.streams) held = take_held(reader);
  }
  welcome.credit = take_at_most(reader, UINT32_MAX);
  welcome.live = reader.take_boolean();
  welcome.reconnect_least = take_millis(reader);
  welcome.reconnect_spread = take_millis(reader);
  welcome.ping_interval = take_millis(reader);
  welcome.catalog_hash = reader.take_uint();
  return welcome;
}

Message take_series_frame(Reader& reader) {
  SeriesFrame frame;
  frame.first = static_cast<uint32_t>(take_at_most(reader, limits::series_per_device));
  const size_t count = reader.take_array(limits::frame_series);
  for (size_t i = 0; i < count && reader.ok(); ++i) frame.series.push_back(take_series(reader));
  if (frame.first + count > limits::series_per_device) reader.fail();
  return frame;
}

Message take_block(Reader& reader) {
  BlockFrame frame;
  frame.lane = static_cast<Lane>(take_at_most(reader, 1));
  frame.stream = take_stream(reader);
  frame.range.first = take_first(reader);
  const uint64_t count = take_at_most(reader, limits::block_readings);
  if (count == 0) reader.fail();
  frame.range.last = frame.range.first + count - 1;
  frame.block = reader.take_binary(limits::block_bytes);
  return frame;
}

Message take_gap_frame(Reader& reader) {
  GapFrame frame;
  const size_t count = reader.take_array(limits::frame_gaps);
  for (size_t i = 0; i < count && reader.ok(); ++i) frame.gaps.push_back(take_gap(reader));
  return frame;
}

Message take_ack(Reader& reader) {
  Ack ack;
  ack.stream = take_stream(reader);
  ack.ranges = take_ranges(reader);
  ack.credit = take_at_most(reader, UINT32_MAX);
  return ack;
}

Message take_nack(Reader& reader) {
  Nack nack;
  nack.stream = take_stream(reader);
  nack.range = take_range(reader);
  nack.permanent = reader.take_boolean();
  nack.reason = take_string(reader, limits::link_text_bytes);
  return nack;
}

Message take_ping(Reader& reader) {
  Ping ping;
  ping.token = reader.take_uint();
  ping.interval = take_millis(reader);
  return ping;
}

Message take_bye(Reader& reader) {
  Bye bye;
  const uint64_t code = take_at_most(reader, UINT8_MAX);
  bye.code = code <= static_cast<uint64_t>(ByeCode::enrol_refused) ? static_cast<ByeCode>(code) : ByeCode::other;
  bye.reason = take_string(reader, limits::link_text_bytes);
  bye.retry_after = take_millis(reader);
  return bye;
}

Message take_enroll(Reader& reader) {
  Enroll enroll;
  enroll.token = take_string(reader, limits::enrol_token_bytes);
  enroll.request_pem = take_string(reader, limits::link_pem_bytes);
  enroll.device = take_device(reader);
  enroll.agent_version = take_string(reader, limits::link_name_bytes);
  return enroll;
}

Message take_enrolled(Reader& reader) {
  Enrolled enrolled;
  enrolled.certificate_pem = take_string(reader, limits::link_pem_bytes);
  enrolled.ca_pem = take_string(reader, limits::link_pem_bytes);
  return enrolled;
}

Message take_call(Reader& reader) {
  CallFrame frame;
  frame.call = reader.take_uint();
  frame.task = take_string(reader, limits::link_name_bytes);
  frame.principal = take_string(reader, limits::link_name_bytes);
  frame.deadline = take_millis(reader);
  frame.reply_bytes = take_at_most(reader, UINT32_MAX);
  frame.is_last = reader.take_boolean();
  frame.text = reader.take_binary(limits::link_piece_bytes);
  return frame;
}

Message take_reply(Reader& reader) {
  ReplyFrame frame;
  frame.call = reader.take_uint();
  frame.part = static_cast<ReplyPart>(take_at_most(reader, static_cast<uint64_t>(ReplyPart::answer)));
  frame.text = reader.take_binary(limits::link_piece_bytes);
  return frame;
}

Message take_notify(Reader& reader) {
  NotifyFrame frame;
  frame.is_last = reader.take_boolean();
  frame.text = reader.take_binary(limits::link_piece_bytes);
  return frame;
}

Message take_context(Reader& reader) {
  ContextFrame frame;
  frame.is_last = reader.take_boolean();
  frame.bytes = reader.take_binary(limits::link_piece_bytes);
  return frame;
}

Message take_cancel(Reader& reader) { return CancelFrame{reader.take_uint()}; }
Message take_credit(Reader& reader) { return Credit{take_at_most(reader, UINT32_MAX)}; }
Message take_anchor_frame(Reader& reader) { return AnchorFrame{take_anchor(reader)}; }
Message take_pong(Reader& reader) { return Pong{reader.take_uint()}; }

struct Kind {
  size_t fields;  ///< required after the type
  Message (*take)(Reader& reader);
};

/// By type; 0 is never used.
constexpr Kind kinds[] = {
    {0, nullptr},       {14, &take_hello}, {13, &take_welcome}, {2, &take_series_frame}, {5, &take_block},
    {1, &take_gap_frame}, {3, &take_ack},  {5, &take_nack},     {1, &take_credit},       {1, &take_anchor_frame},
    {2, &take_ping},    {1, &take_pong},   {3, &take_bye},      {4, &take_enroll},       {2, &take_enrolled},
    {2, &take_context}, {7, &take_call},   {3, &take_reply},    {2, &take_notify},       {1, &take_cancel},
};

}  // namespace

Result<Message> decode(Bytes payload) {
  if (payload.size() > limits::frame_bytes) return Error{ErrorCode::limit, 0, "frame is longer than 64 KiB"};
  Reader reader(payload);
  size_t left = reader.take_array(most_fields);
  const uint64_t type = reader.take_uint();
  if (!reader.ok() || left == 0) return Error{ErrorCode::invalid, 0, "frame is not an array that begins with its type"};
  --left;
  if (type >= first_skipped_type) return Message(Skipped{static_cast<uint8_t>(std::min<uint64_t>(type, UINT8_MAX))});
  if (type == 0 || type >= std::size(kinds)) return Error{ErrorCode::unsupported, static_cast<int>(type), "frame type is not known"};
  const Kind& kind = kinds[type];
  if (left < kind.fields) return Error{ErrorCode::invalid, 0, frame_name(static_cast<FrameType>(type))};
  Message message = kind.take(reader);
  for (left -= kind.fields; left > 0 && reader.ok(); --left) reader.skip();
  if (!reader.is_done()) return Error{ErrorCode::invalid, 0, frame_name(static_cast<FrameType>(type))};
  return message;
}

}  // namespace tideline::link
