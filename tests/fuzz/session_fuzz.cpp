// A device that says anything at any time, and an archive that accepts, refuses and fails: the session keeps its bounds, and
// acknowledges nothing that the archive did not accept.
#include <algorithm>
#include <cstdlib>

#include "../unit/hub/fleet/session_fixture.hpp"
#include "base/limits.hpp"

using namespace tideline;
using namespace tideline::hub;
using namespace tideline::hub::session_test;

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
  const model::Seq first = 1 + in.byte() * 4u;
  return {first, first + in.byte() % 16};
}

void device_frame(Fixture& fixture, Input& in) {
  switch (in.byte() % 9) {
    case 0: {
      link::Hello hello = Fixture::make_hello();
      hello.incarnation = in.byte() % 3;
      hello.runs.clear();
      for (uint64_t run = in.byte() % 4; run > 0; --run) hello.runs.push_back({run, {1u + in.byte(), 1u + in.byte(), 1u + in.byte()}});
      return fixture.device_sends(hello);
    }
    case 1:
    case 2: return fixture.send_block(stream_of(in.byte()), range_of(in), in.byte() * 20u);
    case 3: return fixture.send_gap(stream_of(in.byte()), range_of(in), in.byte() % 2);
    case 4: {
      model::Series series;
      series.name = "s";
      return fixture.device_sends(link::SeriesFrame{in.byte(), {series}});
    }
    case 5: return fixture.device_sends(link::Ping{in.byte(), seconds(in.byte())});
    case 6: return fixture.device_sends(link::AnchorFrame{{in.byte(), 1, 1, 1, model::TimeQuality::hub}});
    case 7: return fixture.device_sends(link::Enroll{in.byte() % 2 == 0 ? "" : "token", "pem", "pump-7", ""});
    default: return fixture.session->on_frame(in.take(in.byte()), fixture.now);
  }
}

/// Applies the batch under way; what is acknowledged afterwards was accepted, or held, or a gap of that batch.
void apply(Fixture& fixture, Input& in, model::SeqRanges (&accepted)[model::stream_count]) {
  if (fixture.actions.batches.empty()) return;
  const IntakeBatch batch = std::move(fixture.actions.batches.back());
  fixture.actions.batches.clear();
  if (in.byte() % 16 == 0) return fixture.session->on_applied(Error{ErrorCode::io, 0, "fuzz"}, fixture.now);
  std::vector<BlockVerdict> verdicts;
  for (const model::StoredBlock& block : batch.blocks) {
    const bool is_accepted = in.byte() % 4 != 0;
    verdicts.push_back({block.stream, block.range, is_accepted, false, "fuzz"});
    if (is_accepted) (void)accepted[model::index_of(block.stream)].add(block.range, SIZE_MAX);
  }
  for (const model::Gap& gap : batch.gaps) {
    check(!gap.range.is_empty() && gap.count <= gap.range.count());
    (void)accepted[model::index_of(gap.stream)].add(gap.range, SIZE_MAX);
  }
  fixture.session->on_applied(std::move(verdicts), fixture.now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, std::min<size_t>(size, 4096));
  Fixture fixture;
  fixture.options.credit_bytes = 1000u + in.byte() * 100u;
  fixture.peer.has_certificate = in.byte() % 8 != 0;
  model::SeqRanges accepted[model::stream_count];
  fixture.connect();
  while (!in.is_empty()) {
    fixture.actions.sent.clear();
    switch (in.byte() % 8) {
      case 0:
        (void)fixture.state.held[1].add(range_of(in), limits::cursor_ranges);
        for (const auto& range : fixture.state.held[1].ranges()) (void)accepted[1].add(range, SIZE_MAX);
        fixture.session->on_state_loaded(fixture.state, fixture.now);
        break;
      case 1: fixture.session->flush(fixture.now); break;
      case 2: apply(fixture, in, accepted); break;
      case 3:
        fixture.now = fixture.now + milliseconds(in.byte() * 100);
        fixture.session->on_tick(fixture.now);
        check(fixture.session->next_wake() > fixture.now);
        break;
      case 4:
        if (in.byte() % 8 == 0) fixture.session->on_replaced(fixture.now);
        break;
      default: device_frame(fixture, in);
    }
    check(fixture.session->status().pending_bytes <= fixture.options.credit_bytes);
    for (const link::Ack& ack : fixture.sent<link::Ack>()) {
      for (const model::SeqRange& range : ack.ranges) check(accepted[model::index_of(ack.stream)].covers(range));
    }
  }
  return 0;
}
