#include "wrap/sqlite/database.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.hpp"

namespace tideline::sqlite {
namespace {

class Sqlite : public testing::Test {
 protected:
  Database open(const std::string& name, OpenMode mode = OpenMode::create) {
    auto opened = Database::open(dir_.file(name), mode);
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }
  test::TempDir dir_;
};

TEST_F(Sqlite, values_read_back) {
  Database database = open("a.db");
  ASSERT_TRUE(database.execute("CREATE TABLE t(i INTEGER, r REAL, x TEXT, b BLOB)"));
  const uint8_t blob[] = {0, 1, 0};
  Statement insert = std::move(*database.prepare("INSERT INTO t VALUES(?,?,?,?)"));
  ASSERT_TRUE(insert.bind(1, int64_t{-7}).bind(2, 0.5).bind(3, std::string_view("a\0b", 3)).bind(4, Bytes(blob)).run());
  Statement select = std::move(*database.prepare("SELECT i, r, x, b FROM t"));
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.integer(0), -7);
  EXPECT_EQ(select.real(1), 0.5);
  EXPECT_EQ(select.text(2), std::string_view("a\0b", 3));
  EXPECT_EQ(select.blob(3).size(), 3u);
}

TEST_F(Sqlite, an_uncommitted_transaction_is_rolled_back) {
  Database database = open("a.db");
  ASSERT_TRUE(database.execute("CREATE TABLE t(i INTEGER)"));
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1)"));
  }
  EXPECT_EQ(*database.read_integer("SELECT count(*) FROM t"), 0);
}

TEST_F(Sqlite, errors_say_what_kind_they_are) {
  EXPECT_EQ(Database::open(dir_.file("none.db"), OpenMode::write).error().code, ErrorCode::not_found);
  std::ofstream(dir_.file("bad.db")) << std::string(4096, 'x');
  Database damaged = open("bad.db", OpenMode::write);
  EXPECT_EQ(damaged.read_integer("SELECT count(*) FROM sqlite_master").error().code, ErrorCode::corrupt);
  Database database = open("a.db");
  ASSERT_TRUE(database.execute("CREATE TABLE t(i INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)"));
  EXPECT_EQ(database.execute("INSERT INTO t VALUES(1)").error().code, ErrorCode::exists);
  EXPECT_EQ(database.set_pragma("journal_mode", "WAL", "nonsense").error().code, ErrorCode::unsupported);
}

TEST_F(Sqlite, a_full_file_says_full) {
  Database database = open("a.db");
  ASSERT_TRUE(database.execute("PRAGMA max_page_count = 3; CREATE TABLE t(b BLOB)"));
  EXPECT_EQ(database.execute("INSERT INTO t VALUES(zeroblob(100000))").error().code, ErrorCode::full);
}

TEST_F(Sqlite, immutable_names_are_escaped) {
  { ASSERT_TRUE(open("a%41?#.db").execute("CREATE TABLE t(i)")); }
  Database sealed = open("a%41?#.db", OpenMode::immutable);
  EXPECT_EQ(*sealed.read_integer("SELECT count(*) FROM sqlite_master"), 1);
}

TEST_F(Sqlite, a_copy_is_whole) {
  Database database = open("a.db");
  ASSERT_TRUE(database.execute("CREATE TABLE t(b BLOB); INSERT INTO t VALUES(zeroblob(1000000))"));
  ASSERT_TRUE(copy_database(database, dir_.file("b.db"), 16, nullptr, nullptr));
  Database copy = open("b.db");
  EXPECT_EQ(*copy.read_text("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(*copy.read_integer("SELECT length(b) FROM t"), 1'000'000);
}

}  // namespace
}  // namespace tideline::sqlite
