// A Session whose peer, archive and connection are the test. Header only: the fuzz target uses it too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/fleet/session.hpp"
#include "link/codec.hpp"

namespace tideline::hub::session_test {

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

class FakeActions final : public SessionActions {
 public:
  std::vector<ByteBuffer> sent;
  int closes = 0;
  std::vector<std::string> loads;
  std::vector<IntakeBatch> batches;
  std::vector<bool> presences;
  std::vector<std::pair<link::Enroll, bool>> enrolments;

  void send(Bytes payload) override { sent.emplace_back(payload.begin(), payload.end()); }
  void close() override { ++closes; }
  void load_state(DeviceKey, const std::string& epoch) override { loads.push_back(epoch); }
  void intake(IntakeBatch&& batch) override { batches.push_back(std::move(batch)); }
  UtcNanos utc_now() override { return {1'700'000'000'000'000'000}; }
  void enroll(const link::Enroll& request, bool renewal) override { enrolments.emplace_back(request, renewal); }
  bool may_send_backlog() override {
    ++asked;
    return has_slot;
  }
  bool has_slot = true;
  int asked = 0;
  void presence(bool online) override { presences.push_back(online); }
};

struct Fixture {
  QuietLog log;
  FakeActions actions;
  SessionOptions options;
  SessionPeer peer = make_peer();
  Instant now{seconds(1000).nanos};
  link::Hello hello = make_hello();
  DeviceState state = make_state();
  std::optional<Session> session;

  static SessionPeer make_peer() {
    SessionPeer peer;
    peer.has_certificate = true;
    peer.certificate_device = "pump-7";
    peer.fingerprint = "f1";
    peer.is_known = true;
    peer.record.key = 5;
    peer.record.id = "pump-7";
    return peer;
  }
  static link::Hello make_hello() {
    link::Hello hello;
    hello.device = "pump-7";
    hello.epoch = "00112233445566778899aabbccddeeff";
    hello.runs = {{1, {1, 1, 1}}};
    hello.streams[1].next = 1000;
    return hello;
  }
  static DeviceState make_state() {
    DeviceState state;
    state.epoch = "00112233445566778899aabbccddeeff";
    return state;
  }

  void connect() { session.emplace(options, peer, actions, log, now); }
  template <class Frame>
  void device_sends(const Frame& frame) {
    ByteBuffer payload;
    link::encode(frame, payload);
    session->on_frame(payload, now);
  }
  void come_online() {
    connect();
    device_sends(hello);
    session->on_state_loaded(state, now);
  }
  void send_block(model::Stream stream, model::SeqRange range, size_t bytes = 50) {
    const ByteBuffer block(bytes, 0xbb);
    device_sends(link::BlockFrame{link::Lane::live, stream, range, block});
  }
  void send_gap(model::Stream stream, model::SeqRange range, uint64_t count = 0) {
    device_sends(link::GapFrame{{{stream, range, count == 0 ? range.count() : count, model::GapReason::evicted, false, 0, 0, 0}}});
  }
  /// The archive takes everything of the batch under way.
  void apply_all() {
    std::vector<BlockVerdict> verdicts;
    for (const model::StoredBlock& block : actions.batches.back().blocks) verdicts.push_back({block.stream, block.range, true, false, ""});
    session->on_applied(std::move(verdicts), now);
  }
  template <class Frame>
  std::vector<Frame> sent() {
    std::vector<Frame> frames;
    for (const ByteBuffer& payload : actions.sent) {
      const auto message = link::decode(payload);
      if (message && std::holds_alternative<Frame>(*message)) frames.push_back(std::get<Frame>(*message));
    }
    return frames;
  }
  std::optional<link::ByeCode> bye() {
    const auto byes = sent<link::Bye>();
    return byes.empty() ? std::nullopt : std::optional(byes.front().code);
  }
};

}  // namespace tideline::hub::session_test
