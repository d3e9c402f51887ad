// An Uplink between a store of fixed contents and a wire that records. Header only: the fuzz target uses it too.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/uplink.hpp"
#include "link/codec.hpp"

namespace tideline::agent::uplink_test {

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// Blocks and gaps as put; fetches wait until the test serves them. The first byte of a block is its series.
class FakeOutbox final : public Outbox {
 public:
  FakeOutbox() {
    status_.epoch = "00112233445566778899aabbccddeeff";
    status_.run = {1, {1, 1, 1}};
    status_.anchor = {42, 0, 0, 0, model::TimeQuality::none};
    for (const char* name : {"a", "b", "c"}) {
      model::Series series;
      series.name = name;
      (void)dictionary_.add(series);
    }
  }

  void put_block(model::Stream stream, uint64_t count, size_t bytes = 100, uint8_t series = 0) {
    model::Seq& next = status_.streams[model::index_of(stream)].next;
    ByteBuffer data(bytes, 0xbb);
    data[0] = series;
    blocks[model::index_of(stream)].push_back({stream, {next, next + count - 1}, data});
    next += count;
  }
  void put_gap(model::Stream stream, uint64_t count, model::GapReason reason = model::GapReason::evicted) {
    model::Seq& next = status_.streams[model::index_of(stream)].next;
    gap_list.push_back({stream, {next, next + count - 1}, count, reason, false, 0, 0, 0});
    next += count;
  }
  /// Numbers that were used once and are neither held nor declared.
  void put_freed(model::Stream stream, uint64_t count) { status_.streams[model::index_of(stream)].next += count; }

  struct Fetch {
    model::Stream stream;
    model::Seq from;
    size_t max_bytes;
  };
  struct Rebase {
    model::Stream stream;
    model::Seq from;
    model::Seq next;
    bool operator==(const Rebase&) const = default;
  };
  std::vector<model::StoredBlock> blocks[model::stream_count];
  std::vector<model::Gap> gap_list;
  std::deque<Fetch> fetches;
  std::vector<Rebase> rebases;
  std::vector<model::SeqRange> acknowledged;
  std::vector<model::SeqRange> set_aside_ranges;
  std::vector<model::Anchor> anchors_set;
  std::map<std::string, std::string> settings;
  std::vector<model::Run> run_list = {{1, {1, 1, 1}}};
  bool keeps_refused = false;
  StoreStatus status_;
  model::SeriesDictionary dictionary_;

  Result<model::SeriesId> series_id(const model::Series& series) override { return dictionary_.add(series); }
  const model::SeriesDictionary& dictionary() const override { return dictionary_; }
  Status append(model::Stream, model::ReadingBatch&&, Durability, Token, Instant) override { return {}; }
  bool has_room() const override { return true; }
  void declare_overrun(model::Stream, uint64_t) override {}
  void flush() override {}
  void fetch(model::Stream stream, model::Seq from, size_t max_bytes) override { fetches.push_back({stream, from, max_bytes}); }
  void set_acknowledged(model::Stream, const model::SeqRanges&) override {}
  void add_acknowledged(model::Stream, model::SeqRange range) override { acknowledged.push_back(range); }
  void set_aside(model::Stream stream, model::SeqRange range) override {
    set_aside_ranges.push_back(range);
    if (keeps_refused) return;
    std::erase_if(blocks[model::index_of(stream)], [&](const model::StoredBlock& block) { return block.range == range; });
    gap_list.push_back({stream, range, range.count(), model::GapReason::refused, false, 0, 0, 0});
  }
  void rebase(model::Stream stream, model::Seq from, model::Seq next) override { rebases.push_back({stream, from, next}); }
  std::vector<model::Gap> gaps(model::Stream stream, model::Seq from) const override {
    std::vector<model::Gap> some;
    for (const model::Gap& gap : gap_list) {
      if (gap.stream == stream && gap.range.last >= from) some.push_back(gap);
    }
    return some;
  }
  std::vector<model::Run> runs() const override { return run_list; }
  std::vector<model::Anchor> anchors() const override { return {}; }
  void set_anchor(const model::Anchor& anchor) override {
    status_.anchor = anchor;
    anchors_set.push_back(anchor);
  }
  void ask(model::Query, Token) override {}
  const StoreStatus& status() const override { return status_; }
  std::optional<std::string> setting(const std::string& key) const override {
    const auto found = settings.find(key);
    return found == settings.end() ? std::nullopt : std::optional(found->second);
  }
  void set_setting(const std::string& key, const std::string& value) override { settings[key] = value; }
  Status put_note(const std::string&, std::string, Token) override { return {}; }
  void get_note(const std::string&, Token) override {}
  std::vector<std::string> note_keys(std::string_view) const override { return {}; }
  ContextImage take_context() override { return {}; }
  Status put_context(ContextPut) override { return {}; }
  void ask_context_history(std::string, Token) override {}
  void close() override {}
};

inline model::SeriesId series_end_of_fake(const model::StoredBlock& block) { return block.bytes.empty() ? 0 : block.bytes[0] + 1u; }

class FakeWire final : public UplinkWire {
 public:
  int connects = 0;
  int closes = 0;
  std::vector<ByteBuffer> sent;
  std::vector<link::Enrolled> certificates;

  void connect() override { ++connects; }
  void send(Bytes payload) override { sent.emplace_back(payload.begin(), payload.end()); }
  void close() override { ++closes; }
  void enrolled(const link::Enrolled& answer) override { certificates.push_back(answer); }
};

/// Verbs for the tests.
struct Fixture {
  QuietLog log;
  FakeOutbox store;
  FakeWire wire;
  UplinkOptions options = make_options();
  Instant now{seconds(1000).nanos};
  std::optional<Uplink> uplink;
  link::Welcome welcome = make_welcome();
  size_t read_so_far = 0;

  static UplinkOptions make_options() {
    UplinkOptions options;
    options.device = "pump-7";
    options.agent_version = "test";
    options.series_end = &series_end_of_fake;
    return options;
  }
  static link::Welcome make_welcome() {
    link::Welcome welcome;
    welcome.hub = "hub";
    welcome.credit = 1 << 20;
    return welcome;
  }

  void start() {
    uplink.emplace(options, store, wire, log);
    uplink->start(now);
  }
  template <class Frame>
  void hub_sends(const Frame& frame) {
    ByteBuffer payload;
    link::encode(frame, payload);
    uplink->on_frame(payload, now);
  }
  /// The wire took everything.
  void empty_queue() { uplink->on_send_queue(0, now); }
  void come_online() {
    if (!uplink) start();
    uplink->on_connected(now);
    hub_sends(welcome);
  }
  /// Answers every waiting fetch, as the store would.
  void serve_one() {
    const FakeOutbox::Fetch fetch = store.fetches.front();
    store.fetches.pop_front();
    std::vector<model::StoredBlock> blocks;
    model::Seq covered_to = fetch.from - 1;
    size_t bytes = 0;
    for (const model::StoredBlock& block : store.blocks[model::index_of(fetch.stream)]) {
      if (block.range.last < fetch.from || bytes >= fetch.max_bytes) continue;
      blocks.push_back(block);
      bytes += block.bytes.size();
      covered_to = block.range.last;
    }
    if (bytes < fetch.max_bytes) covered_to = std::max(covered_to, store.status_.streams[model::index_of(fetch.stream)].next - 1);
    std::vector<model::Gap> gaps;
    for (const model::Gap& gap : store.gaps(fetch.stream, fetch.from)) {
      if (gap.range.first <= covered_to) gaps.push_back(gap);
    }
    std::sort(gaps.begin(), gaps.end(), [](const model::Gap& a, const model::Gap& b) { return a.range.first < b.range.first; });
    uplink->on_fetched(fetch.stream, fetch.from, std::move(blocks), std::move(gaps), covered_to, now);
  }
  void serve() {
    while (!store.fetches.empty()) serve_one();
  }
  void pass(Duration time) {
    const Instant end = now + time;
    while (uplink->next_wake() <= end) {
      now = std::max(now, uplink->next_wake());
      uplink->on_tick(now);
    }
    now = end;
  }
  /// The same on a link whose hub answers pings, and nothing else.
  void pass_answering_pings(Duration time) {
    const Instant end = now + time;
    uint64_t answered = 0;
    while (now < end) {
      now = std::clamp(uplink->next_wake(), now, end);
      if (uplink->next_wake() <= now) uplink->on_tick(now);
      const auto pings = sent<link::Ping>();
      if (pings.empty() || pings.back().token == answered) continue;
      answered = pings.back().token;
      hub_sends(link::Pong{answered});
    }
  }
  /// Frames of one kind among those sent since the last look.
  template <class Frame>
  std::vector<Frame> sent() {
    std::vector<Frame> frames;
    for (const ByteBuffer& payload : wire.sent) {
      const auto message = link::decode(payload);
      if (message && std::holds_alternative<Frame>(*message)) frames.push_back(std::get<Frame>(*message));
    }
    return frames;
  }
  std::vector<model::SeqRange> sent_blocks() {
    std::vector<model::SeqRange> ranges;
    for (const link::BlockFrame& frame : sent<link::BlockFrame>()) ranges.push_back(frame.range);
    return ranges;
  }
  void forget_sent() { wire.sent.clear(); }
};

}  // namespace tideline::agent::uplink_test
