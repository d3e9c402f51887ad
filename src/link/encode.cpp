// One function per frame, in the order of FORMAT.md: read beside decode.cpp.
#include <algorithm>
#include <cassert>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "link/codec.hpp"
#include "wrap/msgpack/writer.hpp"

namespace tideline::link {
namespace {

using msgpack::Writer;

/// Begins a frame: an array of its type and `fields` more elements.
Writer begin(ByteBuffer& out, FrameType type, size_t fields) {
  Writer writer(out);
  writer.array(fields + 1).uint(static_cast<uint64_t>(type));
  return writer;
}

uint64_t whole_millis(Duration duration) { return static_cast<uint64_t>(duration.millis()); }

/// At most `most` bytes of text; what is not UTF-8 (a name from somebody's certificate) becomes question marks.
std::string bounded(std::string text, size_t most) {
  if (text.size() > most) {
    text.resize(most);
    while (!text.empty() && (text.back() & 0x80) != 0) text.pop_back();  // perhaps the middle of a character
  }
  if (!is_utf8(text)) std::replace_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  return text;
}

/// An array of first, last, first, last, ...
void put(Writer& writer, const std::vector<model::SeqRange>& ranges) {
  assert(ranges.size() <= limits::ack_ranges);
  writer.array(ranges.size() * 2);
  for (const model::SeqRange& range : ranges) writer.uint(range.first).uint(range.last);
}

void put(Writer& writer, const model::Run& run) {
  writer.array(1 + model::stream_count).uint(run.id);
  for (const model::Seq first : run.first) writer.uint(first);
}

void put(Writer& writer, const model::Anchor& anchor) {
  writer.array(5).uint(anchor.boot_id).integer(anchor.mono_ns).integer(anchor.utc_ns).integer(anchor.error_ns);
  writer.uint(static_cast<uint64_t>(anchor.quality));
}

void put(Writer& writer, const model::Series& series) {
  writer.array(5).text(series.name).array(series.labels.size() * 2);
  for (const auto& [name, value] : series.labels) writer.text(name).text(value);
  writer.text(series.unit).uint(static_cast<uint64_t>(series.kind)).uint(static_cast<uint64_t>(series.stream));
}

void put(Writer& writer, const model::Gap& gap) {
  writer.array(9).uint(model::index_of(gap.stream)).uint(gap.range.first).uint(gap.range.last).uint(gap.count);
  writer.uint(static_cast<uint64_t>(gap.reason)).boolean(gap.at_least);
  writer.integer(gap.from_ns).integer(gap.to_ns).integer(gap.declared_ns);
}

void put(Writer& writer, const StreamHeld& held) {
  writer.array(3);
  put(writer, held.held.ranges());
  writer.uint(held.highest).uint(held.agreed);
}

}  // namespace

void encode(const Hello& hello, ByteBuffer& out) {
  assert(hello.runs.size() <= limits::hello_runs && hello.anchors.size() <= limits::hello_anchors);
  uint8_t epoch[16] = {};
  [[maybe_unused]] const bool is_epoch = from_hex(hello.epoch, epoch, sizeof epoch);
  assert(is_epoch);
  Writer writer = begin(out, FrameType::hello, 14);
  writer.uint(hello.version_least).uint(hello.version_most).text(hello.device).binary(epoch);
  writer.uint(hello.incarnation).uint(hello.run).text(bounded(hello.agent_version, limits::link_name_bytes)).array(model::stream_count);
  for (const StreamClaim& claim : hello.streams) writer.array(2).uint(claim.first_held).uint(claim.next);
  writer.array(hello.runs.size());
  for (const model::Run& run : hello.runs) put(writer, run);
  writer.array(hello.anchors.size());
  for (const model::Anchor& anchor : hello.anchors) put(writer, anchor);
  writer.integer(hello.utc_ns).uint(static_cast<uint64_t>(hello.quality)).uint(hello.series_count).uint(hello.catalog_hash);
}

void encode(const Welcome& welcome, ByteBuffer& out) {
  Writer writer = begin(out, FrameType::welcome, 13);
  writer.uint(welcome.version).text(bounded(welcome.hub, limits::link_name_bytes)).integer(welcome.utc_ns).uint(welcome.incarnation);
  writer.uint(welcome.series_known).uint(welcome.series_hash).array(model::stream_count);
  for (const StreamHeld& held : welcome.streams) put(writer, held);
  writer.uint(welcome.credit).boolean(welcome.live).uint(whole_millis(welcome.reconnect_least));
  writer.uint(whole_millis(welcome.reconnect_spread)).uint(whole_millis(welcome.ping_interval)).uint(welcome.catalog_hash);
}

void encode(const SeriesFrame& frame, ByteBuffer& out) {
  assert(frame.series.size() <= limits::frame_series);
  Writer writer = begin(out, FrameType::series, 2);
  writer.uint(frame.first).array(frame.series.size());
  for (const model::Series& series : frame.series) put(writer, series);
}

void encode(const BlockFrame& frame, ByteBuffer& out) {
  assert(frame.block.size() <= limits::block_bytes);
  Writer writer = begin(out, FrameType::block, 5);
  writer.uint(static_cast<uint64_t>(frame.lane)).uint(model::index_of(frame.stream));
  writer.uint(frame.range.first).uint(frame.range.count()).binary(frame.block);
}

void encode(const GapFrame& frame, ByteBuffer& out) {
  assert(frame.gaps.size() <= limits::frame_gaps);
  Writer writer = begin(out, FrameType::gap, 1);
  writer.array(frame.gaps.size());
  for (const model::Gap& gap : frame.gaps) put(writer, gap);
}

void encode(const Ack& ack, ByteBuffer& out) {
  Writer writer = begin(out, FrameType::ack, 3);
  writer.uint(model::index_of(ack.stream));
  put(writer, ack.ranges);
  writer.uint(ack.credit);
}

void encode(const Nack& nack, ByteBuffer& out) {
  begin(out, FrameType::nack, 5)
      .uint(model::index_of(nack.stream)).uint(nack.range.first).uint(nack.range.last).boolean(nack.permanent).text(bounded(nack.reason, limits::link_text_bytes));
}

void encode(const Credit& credit, ByteBuffer& out) { begin(out, FrameType::credit, 1).uint(credit.bytes); }

void encode(const AnchorFrame& frame, ByteBuffer& out) {
  Writer writer = begin(out, FrameType::anchor, 1);
  put(writer, frame.anchor);
}

void encode(const Ping& ping, ByteBuffer& out) {
  begin(out, FrameType::ping, 2).uint(ping.token).uint(whole_millis(ping.interval));
}

void encode(const Pong& pong, ByteBuffer& out) { begin(out, FrameType::pong, 1).uint(pong.token); }

void encode(const Bye& bye, ByteBuffer& out) {
  begin(out, FrameType::bye, 3).uint(static_cast<uint64_t>(bye.code)).text(bounded(bye.reason, limits::link_text_bytes)).uint(whole_millis(bye.retry_after));
}

void encode(const Enroll& enroll, ByteBuffer& out) {
  begin(out, FrameType::enroll, 4).text(enroll.token).text(enroll.request_pem).text(enroll.device).text(bounded(enroll.agent_version, limits::link_name_bytes));
}

void encode(const Enrolled& enrolled, ByteBuffer& out) {
  begin(out, FrameType::enrolled, 2).text(enrolled.certificate_pem).text(enrolled.ca_pem);
}

void encode(const CallFrame& frame, ByteBuffer& out) {
  assert(frame.text.size() <= limits::link_piece_bytes);
  begin(out, FrameType::call, 7)
      .uint(frame.call).text(bounded(frame.task, limits::link_name_bytes)).text(bounded(frame.principal, limits::link_name_bytes))
      .uint(whole_millis(frame.deadline)).uint(frame.reply_bytes).boolean(frame.is_last).binary(frame.text);
}

void encode(const ReplyFrame& frame, ByteBuffer& out) {
  assert(frame.text.size() <= limits::link_piece_bytes);
  begin(out, FrameType::reply, 3).uint(frame.call).uint(static_cast<uint64_t>(frame.part)).binary(frame.text);
}

void encode(const NotifyFrame& frame, ByteBuffer& out) {
  assert(frame.text.size() <= limits::link_piece_bytes);
  begin(out, FrameType::notify, 2).boolean(frame.is_last).binary(frame.text);
}

void encode(const ContextFrame& frame, ByteBuffer& out) {
  assert(frame.bytes.size() <= limits::link_piece_bytes);
  begin(out, FrameType::context, 2).boolean(frame.is_last).binary(frame.bytes);
}

void encode(const CancelFrame& frame, ByteBuffer& out) { begin(out, FrameType::cancel, 1).uint(frame.call); }

uint64_t series_hash(const model::Series& series, uint64_t previous) {
  ByteBuffer bytes;
  Writer writer(bytes);
  put(writer, series);
  uint64_t hash = previous ^ 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash == 0 ? 1 : hash;  // 0 means "none"
}

}  // namespace tideline::link
