#include "hub/store/store_thread.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "support/hub_blocks.hpp"
#include "support/temp_dir.hpp"

namespace tideline::hub {
namespace {

/// An archive whose next transaction can be told to fail, in front of a real one.
class FlakyArchive : public Archive {
 public:
  FlakyArchive(std::unique_ptr<Archive> inner, const bool& fails, std::string& touched, int& looks, std::function<void()>& after_first_slice)
      : inner_(std::move(inner)), fails_(fails), touched_(touched), looks_(looks), after_first_slice_(after_first_slice) {}
  bool has_failed() const override { return has_failed_; }
  Verdicts apply(const std::vector<IntakeBatch>& batches) override {
    if (!fails_) return inner_->apply(batches);
    has_failed_ = true;
    return Error{ErrorCode::io, 0, "injected"};
  }
  Result<std::vector<DeviceRecord>> devices() override { return inner_->devices(); }
  Result<DeviceRecord> device(const std::string& id) override { return inner_->device(id); }
  Result<DeviceRecord> put_device(const DeviceRecord& record) override { return inner_->put_device(record); }
  Status touch_device(DeviceKey key, int64_t seen_ns, const std::string& version) override { return inner_->touch_device(key, seen_ns, version); }
  Status touch_devices(const std::vector<DeviceTouch>& touches) override {
    touched_ += format("%zu ", touches.size());
    return inner_->touch_devices(touches);
  }
  Status put_token(const Token& token) override { return inner_->put_token(token); }
  Result<std::vector<Token>> tokens() override { return inner_->tokens(); }
  Result<Token> use_token(const std::string& hash, const std::string& device, int64_t now_ns) override { return inner_->use_token(hash, device, now_ns); }
  Result<DeviceState> load_state(DeviceKey key, const std::string& epoch) override { return inner_->load_state(key, epoch); }
  Result<std::unique_ptr<ArchiveQuery>> start_query(const model::Query& query) override { return inner_->start_query(query); }
  Result<bool> latest_some(const model::DeviceSelector& devices, const model::SeriesSelector& series, std::string& after, size_t most,
                           std::vector<LatestValue>& values) override {
    ++looks_;
    if (const auto then = std::exchange(after_first_slice_, nullptr)) return then(), false;
    return inner_->latest_some(devices, series, after, most, values);
  }
  Result<std::vector<std::pair<std::string, model::Gap>>> gaps(const model::DeviceSelector& devices) override { return inner_->gaps(devices); }
  Status put_key(const ApiKey& key) override { return inner_->put_key(key); }
  Result<std::vector<ApiKey>> keys() override { return inner_->keys(); }
  Status add_audit(const std::vector<AuditRow>& rows) override { return inner_->add_audit(rows); }
  Result<std::vector<AuditRow>> audit(const AuditFilter& filter) override { return inner_->audit(filter); }
  Status put_task(const TaskRecord& task) override { return inner_->put_task(task); }
  Result<TaskRecord> task(const std::string& id) override { return inner_->task(id); }
  Result<std::vector<TaskRecord>> open_tasks() override { return inner_->open_tasks(); }
  Result<std::vector<TaskRecord>> tasks_of(const std::string& principal, size_t limit) override { return inner_->tasks_of(principal, limit); }
  Result<size_t> drop_tasks(int64_t now_ns) override { return inner_->drop_tasks(now_ns); }
  Status put_catalog(DeviceKey key, uint64_t hash, std::string_view json) override { return inner_->put_catalog(key, hash, json); }
  Status each_catalog(const CatalogVisitor& visit) override { return inner_->each_catalog(visit); }
  ContextArchive& context() override { return inner_->context(); }
  Result<VerifyReport> verify(const Progress& progress) override { return inner_->verify(progress); }
  Status backup(const std::string& path, const Progress& progress) override { return inner_->backup(path, progress); }
  Result<std::string> setting(const std::string& key) override { return inner_->setting(key); }
  Status set_setting(const std::string& key, const std::string& value) override { return inner_->set_setting(key, value); }

 private:
  std::unique_ptr<Archive> inner_;
  const bool& fails_;
  std::string& touched_;
  int& looks_;
  std::function<void()>& after_first_slice_;
  bool has_failed_ = false;
};

class StoreThreadTest : public ::testing::Test, protected StoreListener {
 protected:
  StoreThreadTest() {
    auto archive = open();
    DeviceRecord record;
    record.id = "edge-1";
    key_ = (*archive)->put_device(record)->key;
    IntakeBatch batch = source_.batch(key_);
    batch.series = {test::BlockSource::series("s0")};
    EXPECT_TRUE((*archive)->apply({batch}));
    store_.emplace(loop_, static_cast<StoreListener&>(*this), log_, std::move(*archive), [this] { return open(); }, milliseconds(20));
  }
  Result<std::unique_ptr<Archive>> open() {
    if (cannot_open_) return Error{ErrorCode::io, 0, "injected"};
    auto inner = open_sqlite_archive(directory_.file("hub.db"), ArchiveMode::write, log_);
    if (!inner) return inner.error();
    return std::unique_ptr<Archive>(new FlakyArchive(std::move(*inner), fails_, touched_, looks_, after_first_slice_));
  }
  void on_state_loaded(StoreToken token, Result<DeviceState> state) override {
    note("state", token, state.has_value());
    if (state) cursor_ = state->held[1].cursor();
  }
  void on_applied(StoreToken token, Verdicts verdicts, Duration) override { note("applied", token, verdicts.has_value()); }
  void on_device(StoreToken token, Result<DeviceRecord> record) override { note("device", token, record.has_value()); }
  void on_token_used(StoreToken token, Result<Token> used) override { note("token", token, used.has_value()); }
  void on_done(StoreToken token, Status status) override { note("done", token, status.has_value()); }
  void on_answer(StoreToken token, Result<model::QueryAnswer> answer) override {
    note("answer", token, answer.has_value());
    points_ = answer && !answer->series.empty() ? answer->series[0].points.size() : 0;
  }
  void on_latest(StoreToken token, const Result<std::vector<LatestValue>>& values) override {
    note("latest", token, values.has_value());
    newest_ns_ = values && !values->empty() ? values->front().point.time_ns : 0;
  }
  void on_gaps(StoreToken token, Result<std::vector<std::pair<std::string, model::Gap>>> gaps) override { note("gaps", token, gaps.has_value()); }
  void on_command(StoreToken token, std::string answer) override { note("command", token, !answer.empty()); }
  void on_store_health(Status health) override { health_ += health ? "up " : "down "; }

  void note(const char* what, StoreToken token, bool ok) {
    events_ += what + std::to_string(token) + (ok ? " " : "! ");
    if (++answered_ >= expected_) loop_.stop();
  }
  /// Runs the loop until `count` answers came, and gives them in order.
  std::string wait_for(int count) {
    expected_ = count;
    if (answered_ < expected_) loop_.run();
    answered_ = 0;
    std::string events;
    events.swap(events_);
    return events;
  }
  std::vector<IntakeBatch> blocks(model::Seq first) {
    std::vector<IntakeBatch> batches;
    batches.push_back(source_.batch(key_, {source_.ramp(first, 10, static_cast<int64_t>(first))}));
    return batches;
  }

  /// The newest value, asked for as `token`.
  int64_t newest(StoreToken token) {
    EXPECT_TRUE(store_->ask_latest(token, {}, {}));
    EXPECT_EQ(wait_for(1), "latest" + std::to_string(token) + " ");
    return newest_ns_;
  }

  test::NullLog log_;
  test::TempDir directory_;
  test::BlockSource source_;
  uv::Loop loop_;
  bool fails_ = false;        // written while the store thread is idle
  bool cannot_open_ = false;
  std::string touched_;       // devices in each transaction of touches; read when their answers came
  int looks_ = 0;             // slices of newest values; read when their answers came
  std::function<void()> after_first_slice_;  // on the store thread; makes the next question one of two slices
  DeviceKey key_ = 0;
  std::optional<StoreThread> store_;
  std::string events_;
  std::string health_;
  int answered_ = 0;
  int expected_ = 0;
  size_t points_ = 0;
  int64_t newest_ns_ = 0;
  model::Seq cursor_ = 0;
};

TEST_F(StoreThreadTest, AnswersComeInTheOrderOfTheRequests) {
  ASSERT_TRUE(store_->apply(1, blocks(1)));
  ASSERT_TRUE(store_->load_state(2, key_, source_.epoch()));
  ASSERT_TRUE(store_->set_setting(3, "a", "b"));
  ASSERT_TRUE(store_->use_token(4, "hash", "edge-1", 0));
  ASSERT_TRUE(store_->run(5, [](Archive& archive) { return *archive.setting("a"); }));
  EXPECT_EQ(wait_for(5), "applied1 state2 done3 token4! command5 ");
  EXPECT_EQ(cursor_, 10u);
}

TEST_F(StoreThreadTest, DevicesSeenInOneIntervalAreOneTransaction) {
  std::promise<void> all_said;
  ASSERT_TRUE(store_->run(1, [said = all_said.get_future().share()](Archive&) { return said.wait(), std::string("x"); }));
  ASSERT_TRUE(store_->touch_device(2, key_, 5, "1.0"));
  ASSERT_TRUE(store_->touch_device(3, key_ + 1000, 6, "1.0")) << "no such device";
  ASSERT_TRUE(store_->touch_device(4, key_, 7, "1.1"));
  all_said.set_value();
  EXPECT_EQ(wait_for(4), "command1 done2 done3 done4 ");
  EXPECT_EQ(touched_, "3 ");
}

TEST_F(StoreThreadTest, DevicesSeenAreWrittenBeforeTheThreadEnds) {
  ASSERT_TRUE(store_->touch_device(1, key_, 77, "1.0"));
  store_.reset();
  EXPECT_EQ((*open())->device("edge-1")->last_seen_ns, 77);
}

TEST_F(StoreThreadTest, QuestionsAreAnsweredBetween) {
  ASSERT_TRUE(store_->apply(1, blocks(1)));
  EXPECT_EQ(wait_for(1), "applied1 ");
  ASSERT_TRUE(store_->ask(2, {}));
  EXPECT_EQ(wait_for(1), "answer2 ");
  EXPECT_EQ(points_, 10u);
  ASSERT_TRUE(store_->ask_latest(3, {}, {}));
  ASSERT_TRUE(store_->ask_gaps(4, {}));
  EXPECT_EQ(wait_for(2), "latest3 gaps4 ");
}

TEST_F(StoreThreadTest, AFailedTransactionIsAnErrorAndTheArchiveIsOpenedAgain) {
  fails_ = true;
  ASSERT_TRUE(store_->apply(1, blocks(1)));
  EXPECT_EQ(wait_for(1), "applied1! ");
  ASSERT_TRUE(store_->load_state(2, key_, source_.epoch()));
  EXPECT_EQ(wait_for(1), "state2 ");
  EXPECT_EQ(cursor_, 0u) << "nothing was stored";
  EXPECT_EQ(health_, "down up ");
  fails_ = false;
  ASSERT_TRUE(store_->apply(3, blocks(1)));
  EXPECT_EQ(wait_for(1), "applied3 ");
}

TEST_F(StoreThreadTest, WhileItCannotBeOpenedEveryRequestIsAnsweredWithAnError) {
  fails_ = true;
  cannot_open_ = true;
  ASSERT_TRUE(store_->apply(1, blocks(1)));
  ASSERT_TRUE(store_->apply(2, blocks(11)));
  ASSERT_TRUE(store_->load_state(3, key_, source_.epoch()));
  ASSERT_TRUE(store_->run(4, [](Archive&) { return std::string("x"); }));
  EXPECT_EQ(wait_for(4), "applied1! applied2! state3! command4! ");
  ASSERT_TRUE(store_->ask(5, {}));
  EXPECT_EQ(wait_for(1), "answer5! ");
  EXPECT_EQ(health_, "down ");
}

TEST_F(StoreThreadTest, CloseDoesWhatWaitsAndNoEventFollows) {
  for (model::Seq i = 0; i < 50; ++i) ASSERT_TRUE(store_->apply(i, blocks(1 + i * 10)));
  store_->close();
  loop_.run_once();
  EXPECT_EQ(events_, "");
  EXPECT_EQ(store_->apply(99, blocks(1)).error().code, ErrorCode::closed);
  auto archive = open();
  ASSERT_TRUE(archive);
  EXPECT_EQ((*archive)->load_state(key_, source_.epoch())->held[1].cursor(), 500u);
}

TEST_F(StoreThreadTest, QuestionsAreBounded) {
  // The first request holds the thread, so the questions wait.
  std::mutex gate;
  gate.lock();
  ASSERT_TRUE(store_->run(1, [&](Archive&) {
    const std::lock_guard held(gate);
    return std::string("x");
  }));
  size_t taken = 0;
  while (store_->ask(100 + taken, {})) ++taken;
  EXPECT_EQ(taken, limits::hub_queries_waiting);
  store_->cancel(100);
  gate.unlock();
  const std::string events = wait_for(static_cast<int>(taken) + 1);
  EXPECT_NE(events.find("answer100! "), std::string::npos);
  EXPECT_NE(events.find("answer101 "), std::string::npos);
}

TEST_F(StoreThreadTest, NewestValuesAreLookedUpOnceUntilSomethingChanges) {
  ASSERT_TRUE(store_->apply(1, blocks(1)));
  EXPECT_EQ(wait_for(1), "applied1 ");
  const int64_t first = newest(2);
  EXPECT_NE(first, 0);
  EXPECT_EQ(newest(3), first);
  EXPECT_EQ(looks_, 1);
  ASSERT_TRUE(store_->load_state(4, key_, source_.epoch()));
  ASSERT_TRUE(store_->run(5, [](Archive&) { return std::string("x"); }, StoreThread::Changes::no_readings));
  EXPECT_EQ(wait_for(2), "state4 command5 ");
  EXPECT_EQ(newest(6), first);
  EXPECT_EQ(looks_, 1) << "nothing changed";
  ASSERT_TRUE(store_->apply(7, blocks(11)));
  EXPECT_EQ(wait_for(1), "applied7 ");
  EXPECT_GT(newest(8), first);
  EXPECT_EQ(looks_, 2);
}

TEST_F(StoreThreadTest, WhateverMayChangeNewestValuesHasThemLookedUpAgain) {
  (void)newest(1);
  DeviceRecord record;
  record.id = "edge-2";
  ASSERT_TRUE(store_->put_device(2, record));
  EXPECT_EQ(wait_for(1), "device2 ");
  (void)newest(3);
  EXPECT_EQ(looks_, 2);
  ASSERT_TRUE(store_->run(4, [](Archive&) { return std::string("x"); }));
  EXPECT_EQ(wait_for(1), "command4 ");
  (void)newest(5);
  EXPECT_EQ(looks_, 3);
  ASSERT_TRUE(store_->touch_device(6, key_, 5, "1.0"));
  EXPECT_EQ(wait_for(1), "done6 ");
  (void)newest(7);
  EXPECT_EQ(looks_, 4);
}

TEST_F(StoreThreadTest, AnAnswerThatAChangeCameIntoIsNotKept) {
  after_first_slice_ = [this, batches = blocks(1)] { EXPECT_TRUE(store_->apply(2, batches)); };
  ASSERT_TRUE(store_->ask_latest(1, {}, {}));
  EXPECT_EQ(wait_for(2), "applied2 latest1 ");
  EXPECT_EQ(looks_, 2);
  (void)newest(3);
  EXPECT_EQ(looks_, 3);
}

TEST_F(StoreThreadTest, AKeptAnswerIsNeverGivenFromInsideTheQuestion) {
  (void)newest(1);
  ASSERT_TRUE(store_->ask_latest(2, {}, {}));
  ASSERT_TRUE(store_->ask_latest(3, {}, {}));
  EXPECT_EQ(events_, "");
  store_->cancel(2);  // on its way already
  EXPECT_EQ(wait_for(2), "latest2 latest3 ");
  EXPECT_EQ(looks_, 1);
}

TEST_F(StoreThreadTest, NoKeptAnswerFollowsTheClose) {
  (void)newest(1);
  ASSERT_TRUE(store_->ask_latest(2, {}, {}));
  store_->close();
  loop_.run_once();
  EXPECT_EQ(events_, "");
  EXPECT_EQ(store_->ask_latest(3, {}, {}).error().code, ErrorCode::closed);
}

TEST_F(StoreThreadTest, AFailedArchiveAnswersWithAnErrorAlsoWhatWasKnown) {
  (void)newest(1);
  fails_ = true;
  cannot_open_ = true;
  ASSERT_TRUE(store_->apply(2, blocks(1)));
  EXPECT_EQ(wait_for(1), "applied2! ");
  ASSERT_TRUE(store_->ask_latest(3, {}, {}));
  EXPECT_EQ(wait_for(1), "latest3! ");
}

TEST_F(StoreThreadTest, KeptAnswersThatWaitAreBounded) {
  (void)newest(1);
  size_t taken = 0;
  while (store_->ask_latest(100 + taken, {}, {})) ++taken;
  EXPECT_EQ(taken, limits::hub_queries_waiting);
  (void)wait_for(static_cast<int>(taken));
  EXPECT_EQ(looks_, 1);
}

}  // namespace
}  // namespace tideline::hub
