// A hub that says anything at any time, and a store that answers as it likes: the uplink keeps its bounds, never asks to be woken
// for nothing, and never lets unsent readings be acknowledged.
//
// Input: events of one byte each with their arguments; frames are a length byte and raw payload, or made from a few numbers.
#include <algorithm>
#include <cstdlib>

#include "../unit/agent/uplink_fixture.hpp"

using namespace tideline;
using namespace tideline::agent;
using namespace tideline::agent::uplink_test;

namespace {

void check(bool is_right) {
  if (!is_right) std::abort();
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}
  bool is_empty() const { return at_ >= bytes_.size(); }
  uint8_t byte() { return is_empty() ? 0 : bytes_[at_++]; }
  Bytes take(size_t size) {
    size = std::min(size, bytes_.size() - at_);
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

model::Stream stream_of(uint8_t byte) { return static_cast<model::Stream>(byte % model::stream_count); }

model::SeqRange range_of(Input& in) {
  const model::Seq first = 1 + in.byte();
  return {first, first + in.byte()};
}

void hub_frame(Fixture& fixture, Input& in) {
  switch (in.byte() % 8) {
    case 0: {
      link::Welcome welcome = Fixture::make_welcome();
      welcome.credit = in.byte() * 1000u;
      welcome.live = in.byte() % 2 == 0;
      welcome.incarnation = in.byte() % 3;
      welcome.series_known = in.byte() % 5;
      for (auto& held : welcome.streams) {
        const model::SeqRange range = range_of(in);
        if (range.first == 1) continue;
        (void)held.held.add(range, limits::ack_ranges);
        held.highest = range.last;
        held.agreed = std::min<model::Seq>(in.byte(), range.last);
      }
      return fixture.hub_sends(welcome);
    }
    case 1: return fixture.hub_sends(link::Ack{stream_of(in.byte()), {range_of(in)}, in.byte() * 100u});
    case 2: return fixture.hub_sends(link::Nack{stream_of(in.byte()), range_of(in), in.byte() % 2 == 0, "fuzz"});
    case 3: return fixture.hub_sends(link::Credit{in.byte() * 1000u});
    case 4: return fixture.hub_sends(link::Pong{in.byte()});
    case 5: return fixture.hub_sends(link::Bye{static_cast<link::ByeCode>(in.byte() % 11), "", seconds(in.byte())});
    case 6: return fixture.hub_sends(link::Ping{in.byte(), {}});
    default: return fixture.uplink->on_frame(in.take(in.byte()), fixture.now);
  }
}

void store_event(Fixture& fixture, Input& in) {
  const model::Stream stream = stream_of(in.byte());
  switch (in.byte() % 7) {
    case 0: fixture.store.put_block(stream, 1 + in.byte() % 8, 1 + in.byte() * 50u, in.byte() % 3); break;
    case 1: fixture.store.put_gap(stream, 1 + in.byte() % 8, static_cast<model::GapReason>(in.byte() % model::gap_reason_count)); break;
    case 2: fixture.store.put_freed(stream, 1 + in.byte() % 8); break;
    case 3:
      if (!fixture.store.fetches.empty()) fixture.serve_one();
      return;
    case 4: return fixture.serve();
    case 5: return fixture.uplink->on_rebased(stream, in.byte() % 4 == 0 ? Status(Error{ErrorCode::io, 0, "fuzz"}) : Status(), fixture.now);
    default: {  // an answer that was never asked for, or that makes no sense
      const model::SeqRange range = range_of(in);
      return fixture.uplink->on_fetched(stream, in.byte(), {{stream, range, ByteBuffer(1 + in.byte(), 0)}}, {}, in.byte(), fixture.now);
    }
  }
  fixture.uplink->on_committed(stream, fixture.store.status_.streams[model::index_of(stream)].next, fixture.now);
}

void check_bounds(const Fixture& fixture) {
  const UplinkStatus status = fixture.uplink->status();
  size_t buffered = 0;
  for (const LaneStatus& lane : status.lanes) buffered += static_cast<size_t>(lane.buffered_bytes);
  check(buffered <= 6 * (limits::uplink_buffer_bytes + 2 * limits::uplink_fetch_bytes));
  for (const model::SeqRange& range : fixture.store.acknowledged) {
    check(range.last < std::max({fixture.store.status_.streams[0].next, fixture.store.status_.streams[1].next, fixture.store.status_.streams[2].next}));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, std::min<size_t>(size, 4096));
  Fixture fixture;
  fixture.options.bytes_per_second = in.byte() % 4 == 0 ? 1000u * in.byte() : 0;
  fixture.start();
  while (!in.is_empty()) {
    switch (in.byte() % 8) {
      case 0: fixture.uplink->on_connected(fixture.now); break;
      case 1:
      case 2: hub_frame(fixture, in); break;
      case 3:
      case 4: store_event(fixture, in); break;
      case 5: {
        const Instant end = fixture.now + milliseconds(in.byte() * 500);
        size_t ticks = 0;
        while (fixture.uplink->next_wake() <= end) {
          check(++ticks < 10'000);
          fixture.now = std::max(fixture.now, fixture.uplink->next_wake());
          fixture.uplink->on_tick(fixture.now);
        }
        fixture.now = end;
        break;
      }
      case 6: fixture.uplink->on_send_queue(in.byte() * 4096u, fixture.now); break;
      default:
        if (in.byte() % 8 == 0) {
          fixture.uplink->on_closed("fuzz", fixture.now);
        } else {
          fixture.uplink->sync_now(fixture.now);
        }
    }
    check_bounds(fixture);
    fixture.wire.sent.clear();
    fixture.store.acknowledged.clear();
  }
  return 0;
}
