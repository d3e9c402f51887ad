#include "hub/context/context_syncs.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <map>

#include "context/limits.hpp"
#include "hub/context/context_writes.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {
namespace {

using context::Register;
using context::Side;
using context::Stamp;

class SilentLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// The other end of the link: a device with its replica in memory.
class Device final : private context::Sync::Host {
 public:
  Device(ContextSyncs& hub, DeviceKey device, Log& log) : hub_(hub), key_(device), log_(log) {}
  void connect() {
    hub_.on_context_link(key_, true);
    sync_ = std::make_unique<context::Sync>(Side::device, static_cast<context::Sync::Host&>(*this), declarations, log_);
    sync_->start();
  }
  void disconnect() {
    sync_.reset();
    hub_.on_context_link(key_, false);
  }
  void write(const std::string& path, const std::string& value) {
    context::HybridClock clock;
    clock.observe(book.state().tops);
    context::Change change;
    change.path = path;
    change.value = value;
    Register made;
    context::Refusal refusal;
    const context::Entry* entry = book.find(path);
    ASSERT_TRUE(context::make_register(change, entry ? *entry : context::Entry{}, {Side::device, none_, book.totals(), UtcNanos{1'800'000'000'000'000'000}}, clock, made, refusal));
    ASSERT_TRUE(book.put(made));
    if (sync_) sync_->on_written();
  }
  void hear(const link::ContextFrame& frame) {
    coming_.insert(coming_.end(), frame.bytes.begin(), frame.bytes.end());
    if (!frame.is_last) return;
    const ByteBuffer whole = std::exchange(coming_, {});
    if (sync_ == nullptr) return;
    EXPECT_TRUE(sync_->on_message(whole, {}));
  }
  bool is_settled() const { return sync_ != nullptr && sync_->status().is_settled; }
  /// As one message, whatever is in it.
  void say(Bytes message) override {
    for (size_t at = 0; at < message.size() || at == 0;) {
      const size_t size = std::min<size_t>(message.size() - at, limits::link_piece_bytes);
      hub_.on_context(key_, {at + size == message.size(), Bytes(message.data() + at, size)});
      at += size;
    }
  }
  context::Book book;
  std::string declarations;

 private:
  void read_state() override { sync_->on_state(book.state()); }
  void read_page(Side side, Stamp after, size_t max_bytes) override { sync_->on_page(book.page(side, after, max_bytes)); }
  void apply(std::vector<Register>&& registers) override {
    for (const Register& reg : registers) ASSERT_TRUE(book.put(reg));
    sync_->on_applied({}, book.state().tops);
  }
  void on_peer_holds(const context::Tops&) override {}

  ContextSyncs& hub_;
  DeviceKey key_;
  Log& log_;
  context::Declarations none_;
  std::unique_ptr<context::Sync> sync_;
  ByteBuffer coming_;
};

class ContextSyncsTest : public testing::Test, private StoreListener, private ContextLinks, private ContextSyncs::Listener {
 protected:
  ContextSyncsTest() {
    auto archive = open();
    for (const char* id : {"pump-1", "pump-2"}) keys.push_back(put(**archive, id));
    StoreListener& listener = *this;
    store = std::make_unique<StoreThread>(loop, listener, log, std::move(*archive), [this] { return open(); });
    desk = std::make_unique<StoreDesk>(*store);
    syncs = std::make_unique<ContextSyncs>(loop, *desk, static_cast<ContextLinks&>(*this), log);
    syncs->set_listener(this);
    writes = std::make_unique<ContextWrites>(*desk, *syncs);
    for (const DeviceKey key : keys) devices.push_back(std::make_unique<Device>(*syncs, key, log));
  }
  ~ContextSyncsTest() override { store->close(); }
  Result<std::unique_ptr<Archive>> open() { return open_sqlite_archive(directory.path() + "/hub.db", ArchiveMode::write, log); }

  static DeviceKey put(Archive& archive, const std::string& id) {
    DeviceRecord record;
    record.id = id;
    return (*archive.put_device(record)).key;
  }
  void add_device(const std::string& id) {
    DeviceKey made = 0;
    desk->fetch<DeviceKey>([id](Archive& archive) -> Result<DeviceKey> { return put(archive, id); }, [&](Result<DeviceKey> key) { made = *key; });
    run_until([&] { return made != 0; });
    keys.push_back(made);
    devices.push_back(std::make_unique<Device>(*syncs, made, log));
  }

  template <class Condition>
  void run_until(Condition condition) {
    while (!condition()) turn();
  }
  /// Frames arrive after the turn in which they were sent, as over a wire.
  void turn() {
    loop.run_once();
    auto frames = std::exchange(wire, {});
    for (const auto& [key, bytes, is_last] : frames) devices[static_cast<size_t>(key - keys[0])]->hear({is_last, bytes});
  }
  std::vector<ContextOutcome> set(std::vector<DeviceKey> of, const std::string& path, const std::string& value) {
    context::Change change;
    change.path = path;
    change.value = value;
    std::optional<std::vector<ContextOutcome>> outcomes;
    writes->write(std::move(of), change, {}, [&](std::vector<ContextOutcome> all) { outcomes = std::move(all); });
    run_until([&] { return outcomes.has_value(); });
    return *outcomes;
  }
  std::string value_at(const Device& device, const std::string& path) {
    const context::Entry* entry = device.book.find(path);
    const context::View view = entry ? context::view_of(*entry, context::Rule::last_writer, 0) : context::View{};
    return view.value ? view.value->value : "";
  }

  size_t call_room(DeviceKey) override { return room; }
  Status send(DeviceKey device, const link::ContextFrame& frame) override {
    wire.emplace_back(device, ByteBuffer(frame.bytes.begin(), frame.bytes.end()), frame.is_last);
    return {};
  }
  void dismiss(DeviceKey device, link::ByeCode, const std::string& reason) override { dismissed[device] = reason; }
  void on_context_news(DeviceKey, const std::vector<ContextNews>& all) override {
    for (const ContextNews& one : all) news.push_back(std::string(context::side_name(one.side)) + " " + one.path);
  }
  void on_context_held(DeviceKey device, const context::Tops& holds) override { held[device] = holds; }
  void on_context_link_changed(DeviceKey, bool) override {}
  void on_state_loaded(StoreToken, Result<DeviceState>) override {}
  void on_applied(StoreToken, Verdicts, Duration) override {}
  void on_device(StoreToken, Result<DeviceRecord>) override {}
  void on_token_used(StoreToken, Result<Token>) override {}
  void on_done(StoreToken, Status) override {}
  void on_answer(StoreToken, Result<model::QueryAnswer>) override {}
  void on_latest(StoreToken, const Result<std::vector<LatestValue>>&) override {}
  void on_gaps(StoreToken, Result<std::vector<std::pair<std::string, model::Gap>>>) override {}
  void on_command(StoreToken token, std::string answer) override { EXPECT_TRUE(desk->on_command(token, answer)); }
  void on_store_health(Status) override {}

  SilentLog log;
  test::TempDir directory;
  uv::Loop loop;
  std::vector<DeviceKey> keys;
  std::unique_ptr<StoreThread> store;
  std::unique_ptr<StoreDesk> desk;
  std::unique_ptr<ContextSyncs> syncs;
  std::unique_ptr<ContextWrites> writes;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::tuple<DeviceKey, ByteBuffer, bool>> wire;
  size_t room = SIZE_MAX;
  std::map<DeviceKey, std::string> dismissed;
  std::map<DeviceKey, context::Tops> held;
  std::vector<std::string> news;
};

TEST_F(ContextSyncsTest, WhatEitherEndWroteAloneReachesTheOther) {
  set({keys[0]}, "hub", "1");
  devices[0]->write("device", "2");
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled() && value_at(*devices[0], "hub") == "1" && news.size() == 2; });
  EXPECT_EQ(news, (std::vector<std::string>{"hub hub", "device device"}));
  devices[0]->write("device", "3");
  set({keys[0]}, "hub", "4");
  run_until([&] { return value_at(*devices[0], "hub") == "4" && news.size() == 4; });
  run_until([&] { return held[keys[0]][Side::hub] == devices[0]->book.state().tops[Side::hub]; });
  EXPECT_TRUE(syncs->is_met(keys[0]));
  EXPECT_FALSE(syncs->is_met(keys[1]));
}

TEST_F(ContextSyncsTest, AWriteToAFleetIsKeptForThoseThatAreAway) {
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled(); });
  const auto outcomes = set(keys, "desired/mode", "1");
  EXPECT_TRUE(outcomes[0].is_written && outcomes[1].is_written);
  run_until([&] { return value_at(*devices[0], "desired/mode") == "1"; });
  EXPECT_EQ(value_at(*devices[1], "desired/mode"), "");
  devices[1]->connect();
  run_until([&] { return value_at(*devices[1], "desired/mode") == "1"; });
}

TEST_F(ContextSyncsTest, LargeContextsGoInPiecesAndNothingStaysBehindInMemory) {
  const std::string large = "\"" + std::string(60'000, 'x') + "\"";
  for (int i = 0; i < 30; ++i) {
    devices[0]->write("d/" + std::to_string(i), large);
    set({keys[0]}, "h/" + std::to_string(i), large);
  }
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled() && devices[0]->book.entries().size() == 60 && news.size() == 60; });
  run_until([&] { return wire.empty() && syncs->bytes_waiting() == 0; });
}

TEST_F(ContextSyncsTest, ADeviceThatDoesNotReadGetsNoMoreThanOneMessage) {
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled(); });
  room = 0;
  const std::string large = "\"" + std::string(60'000, 'x') + "\"";
  for (int i = 0; i < 20; ++i) set({keys[0]}, "h/" + std::to_string(i), large);
  for (int i = 0; i < 50; ++i) {
    syncs->on_tick({});
    turn();
    EXPECT_LE(syncs->bytes_waiting(), context::limits::message_bytes + 4096);
    if (desk != nullptr && i == 0) set({keys[1]}, "other", "1");  // a turn of the store
  }
  EXPECT_TRUE(dismissed.empty());
  room = SIZE_MAX;
  syncs->on_tick({});
  run_until([&] {
    syncs->on_tick({});
    return devices[0]->book.entries().size() == 20;
  });
}

TEST_F(ContextSyncsTest, AWrongMessageEndsTheLink) {
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled(); });
  const uint8_t wrong[] = {0xc1, 0xff};
  devices[0]->say(wrong);
  run_until([&] { return dismissed.contains(keys[0]); });
  EXPECT_EQ(syncs->size(), 0u);
}

TEST_F(ContextSyncsTest, AMessageWithoutAnEndEndsTheLink) {
  const ByteBuffer piece(limits::link_piece_bytes);
  for (int i = 0; i < 4 && dismissed.empty(); ++i) {
    syncs->on_context(keys[0], {false, piece});
    EXPECT_LE(syncs->bytes_waiting(), 4 * limits::link_piece_bytes);
    loop.run_once();
  }
  run_until([&] { return dismissed.contains(keys[0]); });
}

TEST_F(ContextSyncsTest, ADeviceThatDoesNotWaitForAnswersIsSentAway) {
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled(); });
  ByteBuffer message;
  context::encode(context::RegistersMessage{{{"a", Side::device, {context::stamp_at(1), 0, false, 0, "", "1"}}}}, message);
  for (int i = 0; i < 50; ++i) devices[0]->say(message);
  run_until([&] { return dismissed.contains(keys[0]); });
}

TEST_F(ContextSyncsTest, DeclarationsAreKeptAndJudgeWritesOfTheHub) {
  devices[0]->declarations = R"([{"path":"mode","type":"string"}])";
  devices[0]->connect();
  run_until([&] { return devices[0]->is_settled(); });
  run_until([&] { return !set({keys[0]}, "mode", "1")[0].is_written; });
  EXPECT_TRUE(set({keys[1]}, "mode", "1")[0].is_written);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their allocators count nothing here
TEST_F(ContextSyncsTest, AnIdleDeviceCostsUnderTwoKibibytes) {
  constexpr size_t count = 200;
  const std::string large = "\"" + std::string(60'000, 'x') + "\"";
  for (size_t i = keys.size(); i < count; ++i) add_device("d-" + std::to_string(i));
  set(keys, "large", large);
  for (const auto& device : devices) {
    device->write("mine", large);
    device->declarations = R"([{"path":"mode","type":"string"}])";
    device->connect();
  }
  run_until([&] { return std::all_of(devices.begin(), devices.end(), [&](const auto& device) { return device->is_settled() && value_at(*device, "large") == large; }); });
  run_until([&] { return held.size() == count && syncs->bytes_waiting() == 0; });
  for (int i = 0; i < 100; ++i) turn();
  const size_t before = mallinfo2().uordblks;
  for (const DeviceKey key : keys) syncs->on_context_link(key, false);
  EXPECT_EQ(syncs->size(), 0u);
  const size_t freed = (before - mallinfo2().uordblks) / count;
  EXPECT_GT(freed, 400u);
  EXPECT_LT(freed, 2048u);
  RecordProperty("bytes", static_cast<int>(freed));
}
#endif

TEST_F(ContextSyncsTest, ADeviceThatNeverSpeaksOfContextCostsNothing) {
  for (DeviceKey key = 1; key < 1000; ++key) syncs->on_context_link(key, true);
  EXPECT_EQ(syncs->size(), 0u);
}

}  // namespace
}  // namespace tideline::hub
