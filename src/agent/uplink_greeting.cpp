// The first exchange of a connection: hello, welcome, and what follows when the store is older than the hub (FORMAT.md, rollback).
#include <algorithm>

#include "agent/uplink.hpp"
#include "base/limits.hpp"
#include "link/codec.hpp"

namespace tideline::agent {
namespace {

constexpr const char* area = "uplink";
constexpr Duration hub_time_renewal = hours(1);

/// The newest `most` of `values`.
template <class T>
std::vector<T> newest(std::vector<T> values, size_t most) {
  if (values.size() > most) values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(most));
  return values;
}

/// Numbers above `agreed` that this store gave up already, because somebody else had used them.
model::SeqRanges given_up(const Outbox& outbox, model::Stream stream, model::Seq agreed) {
  model::SeqRanges ranges;
  for (const model::Gap& gap : outbox.gaps(stream, agreed + 1)) {
    if (gap.reason == model::GapReason::rollback) (void)ranges.add(gap.range, limits::gaps_per_stream);
  }
  return ranges;
}

bool covers_above(const model::SeqRanges& ranges, const model::SeqRanges& held, model::Seq agreed) {
  return std::all_of(held.ranges().begin(), held.ranges().end(), [&](const model::SeqRange& range) {
    return range.last <= agreed || ranges.first_missing(std::max(range.first, agreed + 1), range.last).is_empty();
  });
}

}  // namespace

link::Hello Uplink::make_hello(Instant now) const {
  const StoreStatus& store = outbox_.status();
  link::Hello hello;
  hello.device = options_.device;
  hello.epoch = store.epoch;
  hello.incarnation = store.incarnation;
  hello.run = store.run.id;
  hello.agent_version = options_.agent_version;
  for (const model::Stream stream : model::streams) {
    const StreamStatus& status = store.streams[model::index_of(stream)];
    hello.streams[model::index_of(stream)] = {status.first_held, status.next};
  }
  hello.runs = newest(outbox_.runs(), limits::hello_runs);
  hello.anchors = newest(outbox_.anchors(), limits::hello_anchors);
  if (store.anchor.quality != model::TimeQuality::none) hello.utc_ns = now.nanos + store.anchor.offset_ns();
  hello.quality = store.anchor.quality;
  hello.series_count = outbox_.dictionary().size();
  hello.catalog_hash = catalog_hash_;
  return hello;
}

void Uplink::on_welcome(const link::Welcome& welcome, Instant now) {
  if (welcome.version != link::protocol_version) {
    return leave(link::ByeCode::too_old, format("the hub speaks version %u of the link, this agent version %u", welcome.version,
                                                link::protocol_version), now);
  }
  for (const model::Stream stream : model::streams) {
    const size_t i = model::index_of(stream);
    if (welcome.streams[i].agreed >= outbox_.status().streams[i].next) {
      return leave(link::ByeCode::protocol_error, "the hub agrees to numbers that this store never made", now);
    }
  }
  status_.hub = welcome.hub;
  status_.round_trip = now - hello_sent_;
  reconnect_least_ = welcome.reconnect_least;
  if (welcome.reconnect_spread != reconnect_spread_) {
    outbox_.set_setting("uplink.reconnect_spread_ms", format("%lld", static_cast<long long>(welcome.reconnect_spread.millis())));
  }
  reconnect_spread_ = welcome.reconnect_spread;
  if (!has_ping_interval_ && welcome.ping_interval.nanos > 0) {
    ping_interval_ = std::clamp(welcome.ping_interval, limits::ping_interval_least, ping_ceiling_);
    has_ping_interval_ = true;
  }
  if (begin_rebases(welcome, now)) return;
  for (const model::Stream stream : model::streams) {
    outbox_.set_acknowledged(stream, welcome.streams[model::index_of(stream)].held);
  }
  enter(UplinkState::online, now);
  stable_at_ = now + limits::link_stable;
  ++status_.connections;
  log_info(log_, area, "link up: hub %s, round trip %s", welcome.hub.c_str(), format_duration(status_.round_trip).c_str());
  drain_.begin(welcome);
  wire_.link_up(welcome.catalog_hash);
  take_hub_time(welcome, now);
}

/// The hub took its time between our hello and its welcome: half the round trip bounds the error.
void Uplink::take_hub_time(const link::Welcome& welcome, Instant now) {
  const model::Anchor& current = outbox_.status().anchor;
  if (welcome.utc_ns == 0 || current.quality > model::TimeQuality::hub) return;
  const Duration half{(now - hello_sent_).nanos / 2};
  const model::Anchor told{current.boot_id, (hello_sent_ + half).nanos, welcome.utc_ns, half.nanos, model::TimeQuality::hub};
  const bool is_renewal = current.quality == model::TimeQuality::hub;
  if (is_renewal && told.error_ns > current.error_ns && told.mono_ns - current.mono_ns < hub_time_renewal.nanos) return;
  outbox_.set_anchor(told);
  send_frame(link::AnchorFrame{told}, now);
}

/// Series ids that the hub knows under other definitions: the store rolled back and then numbered other series.
bool Uplink::has_dictionary_parted(const link::Welcome& welcome) const {
  const uint32_t incarnation = outbox_.status().incarnation;
  if (welcome.incarnation != incarnation) return welcome.incarnation > incarnation;
  const model::SeriesDictionary& dictionary = outbox_.dictionary();
  if (welcome.series_known > dictionary.size()) return true;
  if (welcome.series_hash == 0) return false;
  uint64_t hash = 0;
  for (model::SeriesId id = 0; id < welcome.series_known; ++id) hash = link::series_hash(dictionary.at(id), hash);
  return hash != welcome.series_hash;
}

/// True when the store must take new numbers first; the connection is closed then, and the next hello tells the outcome.
bool Uplink::begin_rebases(const link::Welcome& welcome, Instant now) {
  struct Move {
    model::Stream stream;
    model::Seq from;
    model::Seq next;
  };
  std::vector<Move> moves;
  for (const model::Stream stream : model::streams) {
    const link::StreamHeld& held = welcome.streams[model::index_of(stream)];
    if (held.highest <= held.agreed) continue;
    const model::SeqRanges ours = given_up(outbox_, stream, held.agreed);
    if (covers_above(ours, held.held, held.agreed)) continue;
    const model::Seq from = ours.first_missing(held.agreed + 1, held.highest + 1).first;
    moves.push_back({stream, from, held.highest + 1});
  }
  if (moves.empty() && has_dictionary_parted(welcome)) {
    const model::Seq next = outbox_.status().streams[model::index_of(model::Stream::normal)].next;
    moves.push_back({model::Stream::normal, next, next});
  }
  if (moves.empty()) return false;
  send_frame(link::Bye{link::ByeCode::shutting_down, "the store rolled back and takes new numbers first", {}}, now);
  wire_.close();
  drain_.end();
  enter(UplinkState::rebasing, now);
  deadline_ = now + limits::fetch_deadline;
  ++status_.rebases;
  rebases_pending_ = static_cast<uint32_t>(moves.size());
  for (const Move& move : moves) {
    log_warning(log_, area, "the hub holds %s readings that this store does not know: own readings from %llu on move to %llu",
                stream_name(move.stream), static_cast<unsigned long long>(move.from), static_cast<unsigned long long>(move.next));
    outbox_.rebase(move.stream, move.from, move.next);
  }
  return true;
}

}  // namespace tideline::agent
