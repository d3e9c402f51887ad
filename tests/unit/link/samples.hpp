// One value of every frame, as used by the round trip, the golden files and FORMAT.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "link/codec.hpp"

namespace tideline::link::samples {

inline const char* epoch = "00112233445566778899aabbccddeeff";

inline model::Series series() {
  model::Series one;
  one.name = "temp";
  one.labels = {{"room", "a"}};
  one.unit = "Cel";
  return one;
}

inline model::Anchor anchor() { return {7, 1'000'000'000, 1'700'000'000'000'000'000, 5'000'000, model::TimeQuality::synced}; }

inline Hello hello() {
  Hello frame;
  frame.device = "pump-7";
  frame.epoch = epoch;
  frame.incarnation = 1;
  frame.run = 0x1122334455667788;
  frame.agent_version = "0.1.0";
  frame.streams = {{{1, 1}, {41, 141}, {1, 9}}};
  frame.runs = {{5, {1, 1, 1}}, {0x1122334455667788, {1, 100, 9}}};
  frame.anchors = {anchor()};
  frame.utc_ns = 1'700'000'000'000'000'000;
  frame.quality = model::TimeQuality::synced;
  frame.series_count = 3;
  frame.catalog_hash = 0xca7b;
  return frame;
}

inline Welcome welcome() {
  Welcome frame;
  frame.hub = "hub-1";
  frame.utc_ns = 1'700'000'000'500'000'000;
  frame.incarnation = 1;
  frame.series_known = 2;
  frame.series_hash = 0xfeed;
  (void)frame.streams[1].held.add({1, 120}, 8);
  (void)frame.streams[1].held.add({131, 140}, 8);
  frame.streams[1].highest = 140;
  frame.streams[1].agreed = 140;
  frame.credit = 1'048'576;
  frame.reconnect_spread = seconds(5);
  frame.ping_interval = seconds(30);
  frame.catalog_hash = 0xca7a;
  return frame;
}

inline model::Gap gap() {
  return {model::Stream::bulk, {10, 29}, 20, model::GapReason::evicted, false, 1'699'999'000'000'000'000, 1'699'999'900'000'000'000, 1'700'000'000'000'000'000};
}

/// Payloads by name.
inline std::vector<std::pair<std::string, ByteBuffer>> payloads() {
  std::vector<std::pair<std::string, ByteBuffer>> all;
  const auto add = [&](const char* name, const auto& frame) {
    encode(frame, all.emplace_back(name, ByteBuffer{}).second);
  };
  static const ByteBuffer block = {0x54, 0x44, 0x4c, 0x42};
  add("hello", hello());
  add("welcome", welcome());
  add("series", SeriesFrame{2, {series()}});
  add("block", BlockFrame{Lane::backfill, model::Stream::normal, {121, 130}, block});
  add("gap", GapFrame{{gap()}});
  add("ack", Ack{model::Stream::normal, {{1, 130}, {141, 150}}, 4096});
  add("nack", Nack{model::Stream::normal, {121, 130}, true, "block is damaged"});
  add("credit", Credit{65536});
  add("anchor", AnchorFrame{anchor()});
  add("ping", Ping{3, seconds(45)});
  add("pong", Pong{3});
  add("bye", Bye{ByeCode::revoked, "the device was revoked at this hub", {}});
  add("enroll", Enroll{"one-time", "-----BEGIN CERTIFICATE REQUEST-----\n", "pump-7", "0.1.0"});
  add("enrolled", Enrolled{"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n"});
  static const ByteBuffer text = {'{', '}'};
  add("call", CallFrame{9, "task-1", "key:ops", seconds(30), 1'048'576, true, text});
  add("reply", ReplyFrame{9, ReplyPart::answer, text});
  add("notify", NotifyFrame{true, text});
  add("cancel", CancelFrame{9});
  return all;
}

}  // namespace tideline::link::samples
