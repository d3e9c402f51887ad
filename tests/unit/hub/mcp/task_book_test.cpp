#include "hub/mcp/task_book.hpp"

#include <gtest/gtest.h>

#include "clock.hpp"
#include "support/temp_dir.hpp"
#include "unit/hub/mcp/fake_links.hpp"

namespace tideline::hub {
namespace {

class SilentLog : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// A book over a real archive; the links are kept by the test.
class TaskBookTest : public testing::Test, private StoreListener, private TaskBook::Listener {
 protected:
  TaskBookTest() {
    auto archive = open();
    DeviceRecord record;
    record.id = "pump-1";
    EXPECT_TRUE(registry.put(*(*archive)->put_device(record)));
    StoreListener& listener = *this;
    store = std::make_unique<StoreThread>(loop, listener, log, std::move(*archive), [this] { return open(); });
    desk = std::make_unique<StoreDesk>(*store);
    restart();
  }
  ~TaskBookTest() override { store->close(); }

  Result<std::unique_ptr<Archive>> open() { return open_sqlite_archive(directory.path() + "/hub.db", ArchiveMode::write, log); }
  /// A hub that starts anew over the same archive.
  void restart() {
    calls = std::make_unique<DeviceCalls>(links, "hub", "1");
    book = std::make_unique<TaskBook>(*desk, *calls, registry, static_cast<TaskBook::Listener&>(*this), log);
    bool is_read = false;
    desk->fetch<std::vector<TaskRecord>>([](Archive& archive) { return archive.open_tasks(); },
                                         [&](Result<std::vector<TaskRecord>> open_ones) {
                                           book->load(*open_ones);
                                           is_read = true;
                                         });
    while (!is_read) loop.run_once();
  }
  TaskRecord record(const std::string& id, bool is_idempotent = false) {
    TaskRecord made;
    made.id = id;
    made.principal = "key:ops";
    made.device = "pump-1";
    made.tool = "restart";
    made.arguments_json = R"({"delay":1})";
    made.is_idempotent = is_idempotent;
    made.created_ns = platform::wall_clock().nanos;
    made.expires_ns = made.created_ns + hours(1).nanos;
    made.keep_until_ns = made.created_ns + hours(2).nanos;
    return made;
  }
  void add(const TaskRecord& task) {
    bool is_kept = false;
    book->add(task, [&](Result<TaskRecord> kept) {
      EXPECT_TRUE(kept);
      is_kept = true;
    });
    while (!is_kept) loop.run_once();
  }
  Result<TaskRecord> find(const std::string& id, const std::string& principal = "key:ops") {
    std::optional<Result<TaskRecord>> found;
    book->find(id, principal, [&](Result<TaskRecord> task) { found = std::move(task); });
    while (!found) loop.run_once();
    return *found;
  }
  void come_online(const std::string& epoch = "e/0") {
    registry.go_online(1, 1, "1", {});
    book->on_device_up(1, "pump-1", epoch);
    settle();
  }
  void go_offline() {
    registry.go_offline(1, 1, {});
    book->on_device_down(1);
    calls->on_device_down(1);
    settle();
  }
  /// What was asked of the store before is done: it works in order.
  void settle() { (void)find("nothing"); }
  void answer(std::string_view body) {
    const std::string line = R"({"jsonrpc":"2.0","id":)" + std::to_string(links.last.call) + "," + std::string(body) + "}";
    calls->on_reply(1, {links.last.call, link::ReplyPart::answer, as_bytes(line)}, platform::now());
    settle();
  }

  void on_task_changed(const TaskRecord& task) override { changed.push_back(task); }
  void on_state_loaded(StoreToken, Result<DeviceState>) override {}
  void on_applied(StoreToken, Verdicts, Duration) override {}
  void on_device(StoreToken, Result<DeviceRecord>) override {}
  void on_token_used(StoreToken, Result<Token>) override {}
  void on_done(StoreToken, Status) override {}
  void on_answer(StoreToken, Result<model::QueryAnswer>) override {}
  void on_latest(StoreToken, const Result<std::vector<LatestValue>>&) override {}
  void on_gaps(StoreToken, Result<std::vector<std::pair<std::string, model::Gap>>>) override {}
  void on_command(StoreToken token, std::string text) override { (void)desk->on_command(token, text); }
  void on_store_health(Status) override {}

  test::TempDir directory;
  uv::Loop loop;
  SilentLog log;
  Registry registry;
  test::FakeLinks links;
  std::unique_ptr<StoreThread> store;
  std::unique_ptr<StoreDesk> desk;
  std::unique_ptr<DeviceCalls> calls;
  std::unique_ptr<TaskBook> book;
  std::vector<TaskRecord> changed;
};

using Names = std::vector<std::string>;

TEST_F(TaskBookTest, a_call_waits_for_its_device_and_its_answer_is_kept) {
  add(record("t.1"));
  EXPECT_TRUE(links.names.empty());
  come_online();
  ASSERT_EQ(links.names, (Names{"t.1"}));
  EXPECT_EQ(find("t.1")->state, TaskState::sent) << "noted before it was sent";
  answer(R"("result":{"resultType":"complete","content":[]})");
  EXPECT_EQ(find("t.1")->state, TaskState::done);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(shown_task(changed[0]).status, mcp::TaskStatus::completed);
  EXPECT_EQ(book->open(), 0u);
}

TEST_F(TaskBookTest, a_call_that_was_sent_is_sent_again_under_its_name) {
  add(record("t.1"));
  come_online();
  go_offline();
  come_online();
  EXPECT_EQ(links.names, (Names{"t.1", "t.1"}));
}

TEST_F(TaskBookTest, a_hub_that_starts_anew_goes_on) {
  add(record("t.1"));
  come_online();
  registry.go_offline(1, 1, {});
  restart();
  come_online();
  EXPECT_EQ(links.names, (Names{"t.1", "t.1"}));
  answer(R"("result":{"resultType":"complete"})");
  EXPECT_EQ(find("t.1")->state, TaskState::done);
}

TEST_F(TaskBookTest, a_device_that_lost_its_ledger_leaves_a_sent_call_unknown) {
  add(record("t.1"));
  add(record("t.2", true));
  come_online("e/0");
  go_offline();
  links.names.clear();
  come_online("f/0");
  EXPECT_EQ(find("t.1")->state, TaskState::unknown);
  EXPECT_EQ(links.names, (Names{"t.2"})) << "what may run twice is sent again";
}

TEST_F(TaskBookTest, a_call_not_yet_sent_does_not_care_for_the_devices_epoch) {
  add(record("t.1"));
  come_online("f/3");
  EXPECT_EQ(links.names, (Names{"t.1"}));
}

TEST_F(TaskBookTest, the_device_may_say_that_the_fate_is_unknown) {
  add(record("t.1"));
  come_online();
  answer(R"("error":{"code":1001,"message":"the agent ended"})");
  EXPECT_EQ(find("t.1")->state, TaskState::unknown);
  EXPECT_EQ(shown_task(*find("t.1")).status, mcp::TaskStatus::failed);
}

TEST_F(TaskBookTest, a_cancelled_call_is_not_sent) {
  add(record("t.1"));
  bool is_cancelled = false;
  book->cancel("t.1", "key:ops", [&](Result<TaskRecord> task) { is_cancelled = task && task->state == TaskState::cancelled; });
  settle();
  EXPECT_TRUE(is_cancelled);
  come_online();
  EXPECT_TRUE(links.names.empty());
}

TEST_F(TaskBookTest, cancelling_a_sent_call_tells_the_device_and_that_it_may_have_run) {
  add(record("t.1"));
  come_online();
  book->cancel("t.1", "key:ops", [](Result<TaskRecord>) {});
  settle();
  EXPECT_EQ(links.cancelled, (std::vector<uint64_t>{links.last.call}));
  EXPECT_NE(find("t.1")->status_message.find("may have run"), std::string::npos);
}

TEST_F(TaskBookTest, nobody_sees_or_cancels_anothers_call) {
  add(record("t.1"));
  EXPECT_EQ(find("t.1", "key:other").error().code, ErrorCode::not_found);
  Result<TaskRecord> refused = Error{};
  book->cancel("t.1", "key:other", [&](Result<TaskRecord> task) { refused = std::move(task); });
  settle();
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_EQ(find("t.1")->state, TaskState::queued);
}

TEST_F(TaskBookTest, time_ends_what_waits_and_what_was_sent_differently) {
  add(record("t.1"));
  come_online();
  go_offline();
  add(record("t.2"));
  const UtcNanos later = platform::wall_clock() + minutes(90);
  book->on_tick(platform::now(), later);
  settle();
  EXPECT_EQ(find("t.1")->state, TaskState::unknown);
  EXPECT_EQ(find("t.2")->state, TaskState::expired);
}

TEST_F(TaskBookTest, a_device_has_a_bound_of_waiting_calls) {
  for (size_t i = 0; i < limits::hub_tasks_per_device; ++i) add(record("t." + std::to_string(i)));
  Result<TaskRecord> refused = record("x");
  book->add(record("t.more"), [&](Result<TaskRecord> task) { refused = std::move(task); });
  EXPECT_EQ(refused.error().code, ErrorCode::limit);
}

TEST_F(TaskBookTest, eight_are_at_work_at_a_time_and_the_next_follow) {
  for (int i = 0; i < 10; ++i) add(record("t." + std::to_string(i)));
  come_online();
  EXPECT_EQ(links.names.size(), 8u);
  answer(R"("result":{"resultType":"complete"})");
  settle();
  EXPECT_EQ(links.names.size(), 9u);
}

}  // namespace
}  // namespace tideline::hub
