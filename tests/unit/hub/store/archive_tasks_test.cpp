// Tasks and catalogs, and the upgrade of an archive that has neither.
#include <map>

#include "archive_fixture.hpp"
#include "base/limits.hpp"
#include "support/archive_v1.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {
namespace {

class ArchiveTasksTest : public ArchiveTest {
 protected:
  static TaskRecord task(const std::string& id, TaskState state = TaskState::queued) {
    TaskRecord task;
    task.id = id;
    task.principal = "key:a";
    task.device = "pump-7";
    task.tool = "reboot";
    task.arguments_json = "{\"delay\":5}";
    task.state = state;
    task.created_ns = ++made_;
    return task;
  }
  static std::vector<std::string> ids(const Result<std::vector<TaskRecord>>& tasks) {
    std::vector<std::string> ids;
    EXPECT_TRUE(tasks);
    for (size_t i = 0; tasks && i < tasks->size(); ++i) ids.push_back(tasks->at(i).id);
    return ids;
  }
  void run(const char* sql, sqlite::OpenMode mode = sqlite::OpenMode::write) {
    archive_.reset();
    auto database = sqlite::Database::open(path(), mode);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(sql));
  }
  std::map<DeviceKey, std::pair<uint64_t, std::string>> catalogs(size_t* distinct = nullptr) {
    std::map<DeviceKey, std::pair<uint64_t, std::string>> all;
    EXPECT_TRUE(archive_->each_catalog([&](const std::vector<DeviceKey>& devices, uint64_t hash, std::string_view json) {
      for (const DeviceKey key : devices) all[key] = {hash, std::string(json)};
      if (distinct != nullptr) ++*distinct;
    }));
    return all;
  }
  static inline int64_t made_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Embedded, ArchiveTasksTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(ArchiveTasksTest, ATaskReadsBackWhole) {
  TaskRecord given = task("t1");
  given.meta_json = "{\"a\":1}";
  given.capabilities_json = "{}";
  given.sent_epoch = "00ff/3";
  given.status_message = "waiting for pump-7";
  given.result_json = "{\"content\":[]}";
  given.error_json = "{\"code\":-32603}";
  given.is_idempotent = true;
  given.updated_ns = 7;
  given.expires_ns = 8;
  given.keep_until_ns = 9;
  ASSERT_TRUE(archive_->put_task(given));
  given.state = TaskState::unknown;
  ASSERT_TRUE(archive_->put_task(given));
  reopen();
  const auto read = archive_->task("t1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->arguments_json, given.arguments_json);
  EXPECT_EQ(read->meta_json, given.meta_json);
  EXPECT_EQ(read->capabilities_json, given.capabilities_json);
  EXPECT_EQ(read->state, TaskState::unknown);
  EXPECT_EQ(read->sent_epoch, "00ff/3");
  EXPECT_EQ(read->status_message, given.status_message);
  EXPECT_EQ(read->result_json, given.result_json);
  EXPECT_EQ(read->error_json, given.error_json);
  EXPECT_TRUE(read->is_idempotent);
  EXPECT_EQ(read->created_ns, given.created_ns);
  EXPECT_EQ(read->updated_ns, 7);
  EXPECT_EQ(read->expires_ns, 8);
  EXPECT_EQ(read->keep_until_ns, 9);
  EXPECT_EQ(archive_->task("t2").error().code, ErrorCode::not_found);
}

TEST_P(ArchiveTasksTest, OpenOnesAreFoundAfterARestart) {
  for (const auto& [id, state] : {std::pair{"b", TaskState::queued}, {"a", TaskState::sent}, {"c", TaskState::done}, {"d", TaskState::cancelled}}) {
    ASSERT_TRUE(archive_->put_task(task(id, state)));
  }
  reopen();
  EXPECT_EQ(ids(archive_->open_tasks()), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(ids(archive_->tasks_of("key:a", 3)), (std::vector<std::string>{"d", "c", "a"}));
  EXPECT_TRUE(ids(archive_->tasks_of("key:b", 3)).empty());
}

TEST_P(ArchiveTasksTest, ClosedOnesGoWhenTheirTimeIsOver) {
  for (size_t i = 0; i < limits::hub_tasks_slice + 2; ++i) {
    TaskRecord old = task("t" + std::to_string(i), TaskState::done);
    old.keep_until_ns = 50;
    ASSERT_TRUE(archive_->put_task(old));
  }
  TaskRecord waiting = task("open");
  waiting.keep_until_ns = 50;
  ASSERT_TRUE(archive_->put_task(waiting));
  EXPECT_EQ(*archive_->drop_tasks(49), 0u);
  EXPECT_EQ(*archive_->drop_tasks(50), limits::hub_tasks_slice);
  EXPECT_EQ(*archive_->drop_tasks(50), 2u);
  EXPECT_EQ(*archive_->drop_tasks(50), 0u);
  EXPECT_TRUE(archive_->task("open"));
}

TEST_P(ArchiveTasksTest, OpenOnesOfOneCallerAndDeviceAreBounded) {
  for (size_t i = 0; i < limits::hub_tasks_per_device; ++i) ASSERT_TRUE(archive_->put_task(task("t" + std::to_string(i))));
  EXPECT_EQ(archive_->put_task(task("more")).error().code, ErrorCode::full);
  TaskRecord elsewhere = task("elsewhere");
  elsewhere.device = "pump-8";
  EXPECT_TRUE(archive_->put_task(elsewhere));
  TaskRecord others = task("others");
  others.principal = "key:b";
  EXPECT_TRUE(archive_->put_task(others));
  EXPECT_TRUE(archive_->put_task(task("t0", TaskState::sent))) << "a task that is there may always go on";
  EXPECT_TRUE(archive_->put_task(task("t0", TaskState::done)));
  EXPECT_TRUE(archive_->put_task(task("more")));
  EXPECT_FALSE(archive_->has_failed()) << "a bound is no failure of the disk";
}

TEST_P(ArchiveTasksTest, TheirSizeIsBounded) {
  TaskRecord large = task("large", TaskState::done);
  large.result_json = std::string(limits::hub_task_bytes, 'x');
  EXPECT_EQ(archive_->put_task(large).error().code, ErrorCode::limit);
  large.result_json.resize(limits::hub_task_bytes - 100);
  size_t kept = 0;
  for (;; ++kept) {
    large.id = "large" + std::to_string(kept);
    const Status put = archive_->put_task(large);
    if (put) continue;
    EXPECT_EQ(put.error().code, ErrorCode::full);
    break;
  }
  EXPECT_EQ(kept, limits::hub_tasks_bytes / limits::hub_task_bytes);
  EXPECT_TRUE(archive_->put_task(task("small"))) << "what must be noted of a call finds room";
}

TEST_P(ArchiveTasksTest, DevicesWithOneCatalogShareIt) {
  const DeviceKey a = device("a");
  const DeviceKey b = device("b");
  const DeviceKey c = device("c");
  for (const DeviceKey key : {a, b, c}) ASSERT_TRUE(archive_->put_catalog(key, 0xffff'ffff'ffff'fffe, "{\"tools\":[]}"));
  ASSERT_TRUE(archive_->put_catalog(c, 2, "{}"));
  reopen();
  size_t distinct = 0;
  const auto all = catalogs(&distinct);
  EXPECT_EQ(distinct, 2u);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all.at(a), all.at(b));
  EXPECT_EQ(all.at(a).first, 0xffff'ffff'ffff'fffe);
  EXPECT_EQ(all.at(c), (std::pair<uint64_t, std::string>{2, "{}"}));
  for (const DeviceKey key : {a, b}) ASSERT_TRUE(archive_->put_catalog(key, 2, "{}"));
  distinct = 0;
  EXPECT_EQ(catalogs(&distinct).size(), 3u);
  EXPECT_EQ(distinct, 1u) << "what nobody has any more goes";
}

TEST_P(ArchiveTasksTest, CatalogsAreBoundedAndOfDevicesThatExist) {
  const DeviceKey a = device("a");
  EXPECT_TRUE(archive_->put_catalog(a, 1, std::string(limits::hub_catalog_bytes, 'x')));
  EXPECT_EQ(archive_->put_catalog(a, 1, std::string(limits::hub_catalog_bytes + 1, 'x')).error().code, ErrorCode::limit);
  EXPECT_EQ(archive_->put_catalog(a + 1, 1, "{}").error().code, ErrorCode::not_found);
}

TEST_P(ArchiveTasksTest, AnArchiveOfVersionOneIsUpgraded) {
  archive_.reset();
  std::filesystem::remove(path());
  run(test::archive_v1_schema, sqlite::OpenMode::create);
  run("INSERT INTO device VALUES(7, 'old', 'ab', 5, 0, 9, '0.1'); INSERT INTO setting VALUES('address', 'hub:1');");
  reopen();
  EXPECT_EQ(archive_->device("old")->key, 7);
  EXPECT_EQ(*archive_->setting("address"), "hub:1");
  EXPECT_TRUE(archive_->put_task(task("t")));
  EXPECT_TRUE(archive_->put_catalog(7, 1, "{}"));
  EXPECT_TRUE(archive_->add_audit({AuditRow{}}));
  reopen();
  EXPECT_TRUE(archive_->task("t"));
  expect_sound();
}

TEST_P(ArchiveTasksTest, AnUpgradeLeavesReadingsAlone) {
  const DeviceKey key = device();
  define(key);
  apply(key, source_.ramp(1, 10, 1000));
  run("DROP TABLE api_key; DROP TABLE audit; DROP TABLE task; DROP TABLE catalog; DROP TABLE device_catalog; DROP TABLE context; DROP TABLE context_history; DROP TABLE context_state; "
      "DROP TABLE context_declarations; PRAGMA user_version = 1;");
  {
    auto reader = open_sqlite_archive(path(), ArchiveMode::read, log_);
    ASSERT_TRUE(reader) << "an older archive can be read, verified and backed up as it is";
    EXPECT_EQ((*reader)->verify({})->readings, 10u);
    EXPECT_EQ((*reader)->keys().error().code, ErrorCode::unsupported);
    ASSERT_TRUE((*reader)->backup(directory_.file("old.db"), {}));
  }
  reopen();
  EXPECT_EQ(count_points(ask()), 10u);
  EXPECT_TRUE(archive_->keys());
  archive_.reset();
  ASSERT_TRUE(restore_sqlite_archive(directory_.file("old.db"), path()));
  reopen();
  EXPECT_EQ(count_points(ask()), 10u);
  EXPECT_TRUE(archive_->keys());
  expect_sound();
}

}  // namespace
}  // namespace tideline::hub
