// SQLite behind RAII: a connection, prepared statements, a transaction. No SQLite header is visible here.
//
// Thread: a Database and all that was made from it belong to one thread at a time. Use one connection per file that writes or
// checkpoints: SQLite before 3.51.3 can corrupt a WAL database otherwise (research in src/DECISIONS.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tideline::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};

enum class OpenMode : uint8_t {
  create,     ///< read and write, create if missing
  write,      ///< read and write, must exist
  read,       ///< read only
  immutable,  ///< read only, the file is sealed: no locks, no WAL
};

class Statement;

class Database {
 public:
  /// Errors: not_found, denied, io, corrupt, full.
  static Result<Database> open(const std::string& path, OpenMode mode);
  Database(Database&&) = default;
  Database& operator=(Database&&) = default;

  /// Runs one or more statements without values or rows.
  Status execute(const char* sql);
  /// Sets `PRAGMA name = value` and reads it back; a different answer is an error (unsupported).
  Status set_pragma(const char* name, const char* value, const char* expected);
  /// First column of the first row as an integer. Errors: not_found when there is no row.
  Result<int64_t> read_integer(const char* sql);
  Result<std::string> read_text(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  /// Moves the WAL into the file. `truncate` also empties the WAL. Errors as in sqlite.org/c3ref/wal_checkpoint_v2.
  Status checkpoint(bool truncate);
  int64_t changes() const;
  sqlite3* raw() { return database_.get(); }

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, CloseDatabase> database_;
};

/// A prepared statement. Parameters are numbered from 1, columns from 0. Text and blobs bound must live until reset().
class Statement {
 public:
  Statement() = default;
  Statement& bind(int index, int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, Bytes blob);
  Statement& bind_null(int index);

  /// True when there is a row. Errors: full, io, corrupt, busy, exists (constraint).
  Result<bool> step();
  /// step(), for statements that give no row, and reset().
  Status run();
  void reset();

  int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  ///< valid until the next step or reset
  Bytes blob(int column) const;             ///< valid until the next step or reset
  bool is_null(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

/// Copies a live database into a new file at `path`, `pages` at a time; `progress(done, total)` is called between.
Status copy_database(Database& from, const std::string& path, int pages, void (*progress)(void*, int done, int total), void* context);

/// Version of the library that is running, e.g. "3.40.1".
const char* library_version();

}  // namespace tideline::sqlite
