#include "wrap/sqlite/database.hpp"

#include <sqlite3.h>

#include <cassert>

namespace tideline::sqlite {
namespace {

/// The one place that maps SQLite's codes (sqlite.org/rescode.html) to ours.
Error to_error(int code, const char* context) {
  switch (code & 0xff) {
    case SQLITE_FULL: return {ErrorCode::full, code, context};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {ErrorCode::corrupt, code, context};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::busy, code, context};
    case SQLITE_CONSTRAINT: return {ErrorCode::exists, code, context};
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return {ErrorCode::denied, code, context};
    case SQLITE_TOOBIG: return {ErrorCode::limit, code, context};
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return {ErrorCode::invalid, code, context};
    default: return {ErrorCode::io, code, context};
  }
}

}  // namespace

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::open(const std::string& path, OpenMode mode) {
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string name = path;
  switch (mode) {
    case OpenMode::create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
    case OpenMode::write: flags |= SQLITE_OPEN_READWRITE; break;
    case OpenMode::read: flags |= SQLITE_OPEN_READONLY; break;
    case OpenMode::immutable: {
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      name = "file:";
      for (const char c : path) {
        if (c == '?' || c == '#' || c == '%') {
          static constexpr char digits[] = "0123456789ABCDEF";
          name += '%';
          name += digits[static_cast<unsigned char>(c) >> 4];
          name += digits[static_cast<unsigned char>(c) & 15];
        } else {
          name += c;
        }
      }
      name += "?immutable=1";
      break;
    }
  }
  const int opened = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  Database database(raw);  // closes also after a failed open
  if (opened != SQLITE_OK) {
    const int system = raw != nullptr ? sqlite3_system_errno(raw) : 0;
    if ((opened & 0xff) == SQLITE_CANTOPEN && system == 2) return Error{ErrorCode::not_found, opened, "open database"};
    if ((opened & 0xff) == SQLITE_CANTOPEN && system == 13) return Error{ErrorCode::denied, opened, "open database"};
    return to_error(opened, "open database");
  }
  return database;
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return to_error(code, "execute statement");
  return {};
}

Status Database::set_pragma(const char* name, const char* value, const char* expected) {
  const std::string set = std::string("PRAGMA ") + name + " = " + value;
  RETURN_IF_ERROR(execute(set.c_str()));
  ASSIGN_OR_RETURN(const std::string actual, read_text((std::string("PRAGMA ") + name).c_str()));
  if (actual != expected) return Error{ErrorCode::unsupported, 0, "a SQLite pragma did not take the value set"};
  return {};
}

Result<int64_t> Database::read_integer(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row) return Error{ErrorCode::not_found, 0, "row"};
  return statement.integer(0);
}

Result<std::string> Database::read_text(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.step());
  if (!row) return Error{ErrorCode::not_found, 0, "row"};
  return std::string(statement.text(0));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return to_error(code, "prepare statement");
  return Statement(raw);
}

Status Database::checkpoint(bool truncate) {
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) return to_error(code, "checkpoint");
  return {};
}

int64_t Database::changes() const { return sqlite3_changes(database_.get()); }

Statement& Statement::bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}
Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(statement_.get(), index, value);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind(int index, Bytes blob) {
  sqlite3_bind_blob64(statement_.get(), index, blob.data() == nullptr ? reinterpret_cast<const uint8_t*>("") : blob.data(), blob.size(), SQLITE_STATIC);
  return *this;
}
Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_.get(), index);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3_reset(statement_.get());
  return to_error(code, "run statement");
}

Status Statement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string_view{} : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}
Bytes Statement::blob(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return bytes == nullptr ? Bytes{} : Bytes(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Result<Transaction> Transaction::begin(Database& database) {
  RETURN_IF_ERROR(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK").has_value();
}

Status Transaction::commit() {
  assert(database_ != nullptr);
  RETURN_IF_ERROR(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

Status copy_database(Database& from, const std::string& path, int pages, void (*progress)(void*, int done, int total), void* context) {
  ASSIGN_OR_RETURN(Database to, Database::open(path, OpenMode::create));
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (backup == nullptr) return to_error(sqlite3_errcode(to.raw()), "start copy");
  int code = SQLITE_OK;
  while ((code = sqlite3_backup_step(backup, pages)) == SQLITE_OK) {
    const int total = sqlite3_backup_pagecount(backup);
    if (progress != nullptr) progress(context, total - sqlite3_backup_remaining(backup), total);
  }
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return to_error(code, "copy database");
  return {};
}

const char* library_version() { return sqlite3_libversion(); }

}  // namespace tideline::sqlite
