// Keys and the audit.
#include "hub/store/archive_access.hpp"

#include "archive_fixture.hpp"
#include "base/limits.hpp"
#include "hub/store/archive_schema.hpp"

namespace tideline::hub {
namespace {

AuditRow row(int64_t time_ns, std::string principal = "key:a", std::string device = "pump-7") {
  AuditRow row;
  row.time_ns = time_ns;
  row.principal = std::move(principal);
  row.device = std::move(device);
  row.method = "tools/call";
  row.target = "reboot";
  row.outcome = "ok";
  return row;
}

class ArchiveAccessTest : public ArchiveTest {
 protected:
  std::vector<AuditRow> audit(const AuditFilter& filter = {}) {
    auto found = archive_->audit(filter);
    EXPECT_TRUE(found);
    return found ? std::move(*found) : std::vector<AuditRow>{};
  }
  std::vector<int64_t> times(const AuditFilter& filter = {}) {
    std::vector<int64_t> times;
    for (const AuditRow& found : audit(filter)) times.push_back(found.time_ns);
    return times;
  }
};
INSTANTIATE_TEST_SUITE_P(Embedded, ArchiveAccessTest, ::testing::Values(sqlite_archive), kind_of);

TEST_P(ArchiveAccessTest, AKeyReadsBackAndIsReplacedByItsId) {
  ASSERT_TRUE(archive_->put_key({"k1", "hash1", "dashboard", Role::viewer, "{site=berlin}", 5, 0, 0}));
  ASSERT_TRUE(archive_->put_key({"k2", "hash2", "", Role::admin, "", 6, 99, 0}));
  ASSERT_TRUE(archive_->put_key({"k1", "hash1", "dashboard", Role::operator_, "{site=berlin}", 5, 0, 77}));
  reopen();
  const auto keys = archive_->keys();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ(keys->at(0).id, "k1");
  EXPECT_EQ(keys->at(0).role, Role::operator_);
  EXPECT_EQ(keys->at(0).devices, "{site=berlin}");
  EXPECT_EQ(keys->at(0).revoked_ns, 77);
  EXPECT_EQ(keys->at(1).hash, "hash2");
  EXPECT_EQ(keys->at(1).expires_ns, 99);
}

TEST_P(ArchiveAccessTest, TheBoundOnKeysIsInclusive) {
  for (size_t i = 0; i < limits::hub_keys; ++i) ASSERT_TRUE(archive_->put_key({"k" + std::to_string(i), "h", "", Role::viewer, "", 0, 0, 0}));
  EXPECT_EQ(archive_->put_key({"one more", "h", "", Role::viewer, "", 0, 0, 0}).error().code, ErrorCode::limit);
  EXPECT_TRUE(archive_->put_key({"k7", "h", "", Role::viewer, "", 0, 0, 1}));
}

TEST_P(ArchiveAccessTest, TheAuditIsAnsweredNewestFirstAndFiltered) {
  ASSERT_TRUE(archive_->add_audit({row(10), row(20, "key:b"), row(30, "key:a", "")}));
  ASSERT_TRUE(archive_->add_audit({row(40, "key:a", "pump-8")}));
  ASSERT_TRUE(archive_->add_audit({}));
  reopen();
  EXPECT_EQ(times(), (std::vector<int64_t>{40, 30, 20, 10}));
  EXPECT_EQ(times({.from_ns = 20, .to_ns = 40, .principal = "", .device = ""}), (std::vector<int64_t>{30, 20}));
  EXPECT_EQ(times({.principal = "key:a", .device = ""}), (std::vector<int64_t>{40, 30, 10}));
  EXPECT_EQ(times({.principal = "key:a", .device = "pump-7"}), (std::vector<int64_t>{10}));
  EXPECT_EQ(times({.principal = "", .device = "", .limit = 2}), (std::vector<int64_t>{40, 30}));
  EXPECT_EQ(audit()[0].id, 4);
  EXPECT_EQ(audit()[0].outcome, "ok");
}

TEST_P(ArchiveAccessTest, LongTextsAreCutBetweenLetters) {
  AuditRow given = row(1);
  given.target = std::string(limits::audit_text_bytes - 1, 'x') + "\xc3\xa4";
  ASSERT_TRUE(archive_->add_audit({given}));
  EXPECT_EQ(audit()[0].target, std::string(limits::audit_text_bytes - 1, 'x'));
  expect_sound();
}

TEST_P(ArchiveAccessTest, TheChainTellsARowThatWasChangedOrTakenOut) {
  for (int64_t i = 1; i <= 9; ++i) ASSERT_TRUE(archive_->add_audit({row(i)}));
  reopen();
  expect_sound();
  for (const auto& [sql, what] : {std::pair{"UPDATE audit SET outcome = 'denied' WHERE id = 4", "row 4 was changed"},
                                  std::pair{"DELETE FROM audit WHERE id = 7", "row 8 does not follow"},
                                  std::pair{"UPDATE audit SET time_ns = 3 WHERE id = 1", "row 1 was changed"}}) {
    archive_.reset();
    {
      auto database = sqlite::Database::open(path(), sqlite::OpenMode::write);
      ASSERT_TRUE(database && database->execute(sql));
    }
    reopen();
    std::string all;
    for (const std::string& problem : verify().problems) all += problem + "; ";
    EXPECT_NE(all.find(what), std::string::npos) << all;
  }
}

/// With a bound that a test can reach.
class AuditBoundTest : public ::testing::Test {
 protected:
  AuditBoundTest() {
    EXPECT_TRUE(database_);
    EXPECT_TRUE(database_->execute(archive_schema));
    EXPECT_TRUE(database_->execute(archive_steps[0]));
  }
  int64_t number(const char* sql) { return *database_->read_integer(sql); }

  test::TempDir directory_;
  Result<sqlite::Database> database_ = sqlite::Database::open(directory_.file("hub.db"), sqlite::OpenMode::create);
};

TEST_F(AuditBoundTest, TheOldestRowsGoAndTheChainHolds) {
  ArchiveAccess access(*database_, 100);
  ASSERT_TRUE(access.open());
  for (int64_t i = 1; i <= 100; ++i) ASSERT_TRUE(access.add_audit({row(i)}));
  EXPECT_EQ(number("SELECT count(*) FROM audit"), 100);
  ASSERT_TRUE(access.add_audit({row(101), row(102)}));
  EXPECT_EQ(number("SELECT count(*) FROM audit"), 100);
  EXPECT_EQ(number("SELECT min(id) FROM audit"), 3);
  std::vector<std::string> problems;
  ASSERT_TRUE(verify_audit(*database_, 20, problems));
  EXPECT_TRUE(problems.empty()) << problems[0];
}

TEST_F(AuditBoundTest, ALoweredBoundIsReachedInSlices) {
  {
    ArchiveAccess access(*database_, 1'000'000);
    ASSERT_TRUE(access.open());
    ASSERT_TRUE(access.add_audit(std::vector<AuditRow>(2 * limits::audit_slice + 100, row(1))));
  }
  ArchiveAccess access(*database_, 50);
  ASSERT_TRUE(access.open());
  ASSERT_TRUE(access.add_audit({row(2)}));
  EXPECT_EQ(number("SELECT count(*) FROM audit"), static_cast<int64_t>(limits::audit_slice + 100));
  ASSERT_TRUE(access.add_audit({row(2)}));
  ASSERT_TRUE(access.add_audit({row(2)}));
  EXPECT_EQ(number("SELECT count(*) FROM audit"), 50);
}

TEST(RoleTest, RolesHaveNames) {
  Role role = Role::admin;
  for (const char* name : {"viewer", "operator", "admin"}) {
    ASSERT_TRUE(parse_role(name, role));
    EXPECT_STREQ(role_name(role), name);
  }
  EXPECT_FALSE(parse_role("root", role));
}

}  // namespace
}  // namespace tideline::hub
