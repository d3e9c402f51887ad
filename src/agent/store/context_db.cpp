#include "agent/store/context_db.hpp"

#include "agent/store/pragmas.hpp"
#include "base/crc.hpp"
#include "context/limits.hpp"
#include "context/path.hpp"
#include "files.hpp"

namespace tideline::agent {
namespace {

using context::Register;

// Without rowids: one tree for each table, in the order in which it is read.
constexpr const char* schema_sql =
    "CREATE TABLE register(path TEXT, side INTEGER, stamp INTEGER, seen INTEGER, deleted INTEGER, expires INTEGER, author TEXT, value TEXT, crc INTEGER,"
    " PRIMARY KEY(path, side)) WITHOUT ROWID;"
    "CREATE TABLE history(path TEXT, side INTEGER, stamp INTEGER, seen INTEGER, deleted INTEGER, expires INTEGER, author TEXT, value TEXT, crc INTEGER,"
    " PRIMARY KEY(path, stamp, side)) WITHOUT ROWID;"
    "CREATE TABLE newest(id INTEGER PRIMARY KEY, stamp INTEGER); INSERT INTO newest VALUES(1, 0);"
    "PRAGMA user_version = 1;";
constexpr const char* select_registers_sql = "SELECT path, side, stamp, seen, deleted, expires, author, value, crc FROM register";
constexpr const char* upsert_sql =
    "INSERT INTO register VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET stamp = excluded.stamp, seen = excluded.seen,"
    " deleted = excluded.deleted, expires = excluded.expires, author = excluded.author, value = excluded.value, crc = excluded.crc"
    " WHERE excluded.stamp >= stamp";
// What is about to be replaced. Nothing for a new entry: its first write costs one row.
constexpr const char* keep_sql = "INSERT OR IGNORE INTO history SELECT * FROM register WHERE path = ?1 AND side = ?2 AND stamp < ?3";
constexpr const char* sizes_sql = "SELECT stamp, length(value) FROM history WHERE path = ?1 ORDER BY stamp DESC";  // the primary key
constexpr const char* cut_sql = "DELETE FROM history WHERE path = ?1 AND stamp <= ?2";
constexpr const char* history_sql =
    "SELECT path, side, stamp, seen, deleted, expires, author, value, crc FROM history WHERE path = ?1"
    " UNION ALL SELECT path, side, stamp, seen, deleted, expires, author, value, crc FROM register WHERE path = ?1 ORDER BY stamp DESC LIMIT ?2";
// The whole table, seldom: when it is full.
constexpr const char* cut_oldest_sql = "DELETE FROM history WHERE stamp <= (SELECT stamp FROM history ORDER BY stamp LIMIT 1 OFFSET (SELECT count(*) / 8 FROM history))";
constexpr const char* history_bytes_sql = "SELECT coalesce(sum(length(value)), 0) FROM history";

constexpr uint64_t checkpoint_bytes = 256 * 1024;  // as notes.db
constexpr size_t replaced_most = context::limits::history - 1;  // the one in force is remembered too

const Error damaged{ErrorCode::corrupt, 0, "context.db content"};

/// SQLite has no checksum of its own, and a value that a card changed would be taken for somebody's decision.
int64_t checksum(const Register& reg) {
  const context::Write& write = reg.write;
  uint8_t numbers[34];
  store_le(numbers, write.stamp);
  store_le(numbers + 8, write.seen);
  store_le(numbers + 16, static_cast<uint64_t>(write.expires_ms));
  store_le(numbers + 24, static_cast<uint64_t>(reg.path.size()));
  numbers[32] = static_cast<uint8_t>(index_of(reg.side));
  numbers[33] = write.is_deleted ? 1 : 0;
  return crc32c(as_bytes(write.value), crc32c(as_bytes(write.author), crc32c(as_bytes(reg.path), crc32c(numbers))));
}

/// Columns as of select_registers_sql. False when it is not what was written.
bool read_row(const sqlite::Statement& row, Register& reg) {
  reg.path = row.text(0);
  reg.side = row.integer(1) == 0 ? context::Side::device : context::Side::hub;
  reg.write.stamp = static_cast<context::Stamp>(row.integer(2));
  reg.write.seen = static_cast<context::Stamp>(row.integer(3));
  reg.write.is_deleted = row.integer(4) != 0;
  reg.write.expires_ms = row.integer(5);
  reg.write.author = row.text(6);
  reg.write.value = row.text(7);
  return row.integer(8) == checksum(reg) && context::is_path(reg.path) && reg.write.stamp != 0 && reg.write.stamp < context::stamp_end;
}

}  // namespace

void ContextDb::load() {
  if (!platform::file_size(file())) return;
  Status read = attach(sqlite::OpenMode::write);
  if (read) read = read_registers();
  if (read || read.error().code == ErrorCode::io) {
    if (!read) log_error(log_, "outbox", "context.db cannot be read now (%s): the context begins empty, the hub brings it back", read.error().context);
    return;
  }
  set_aside("is damaged");
  // What was read before the damage. The next put() tries again if this one fails.
  const ContextPut rest{image_.registers, {}, 0};
  if (!rest.registers.empty() && put({&rest, 1})) log_warning(log_, "outbox", "%zu registers of the context were read and kept", rest.registers.size());
}

Status ContextDb::attach(sqlite::OpenMode mode) {
  database_.reset();
  ASSIGN_OR_RETURN(sqlite::Database opened, sqlite::Database::open(file(), mode));
  RETURN_IF_ERROR(set_writer_pragmas(opened));
  ASSIGN_OR_RETURN(const int64_t version, opened.read_integer("PRAGMA user_version"));
  if (version == 0) {  // new, or a crash came while it was made
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(opened));
    RETURN_IF_ERROR(opened.execute(schema_sql));
    RETURN_IF_ERROR(transaction.commit());
  } else if (version != 1) {
    return damaged;
  }
  ASSIGN_OR_RETURN(const int64_t newest, opened.read_integer("SELECT stamp FROM newest"));
  ASSIGN_OR_RETURN(const int64_t history, opened.read_integer(history_bytes_sql));
  newest_ = std::max(newest_, static_cast<context::Stamp>(newest));
  history_bytes_ = static_cast<uint64_t>(history);
  database_ = std::make_unique<sqlite::Database>(std::move(opened));
  return {};
}

/// The file is made with the first write: a device without context has none.
Status ContextDb::ready() {
  if (database_ != nullptr) return {};
  const bool is_new = !platform::file_size(file());
  RETURN_IF_ERROR(attach(is_new ? sqlite::OpenMode::create : sqlite::OpenMode::write));
  return is_new ? platform::sync_directory(directory_) : Status{};
}

Status ContextDb::read_registers() {
  image_ = {{}, newest_};
  ASSIGN_OR_RETURN(const std::string verdict, database_->read_text("PRAGMA quick_check(1)"));
  Status sound = verdict == "ok" ? Status{} : Status(damaged);
  ASSIGN_OR_RETURN(auto statement, database_->prepare(select_registers_sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.step());
    if (!found) return sound;
    Register reg;
    if (!read_row(statement, reg)) {
      sound = damaged;
      continue;
    }
    image_.newest = std::max(image_.newest, reg.write.stamp);
    image_.registers.push_back(std::move(reg));
  }
}

Status ContextDb::put(std::span<const ContextPut> puts) {
  if (const Status opened = ready(); !opened) return failed(opened.error());
  if (const Status written = write(puts); !written) return failed(written.error());
  if (history_bytes_ > history_total_bytes) {
    if (const Status bounded = bound_history(); !bounded) (void)failed(bounded.error()).has_value();  // what was put is durable
  }
  if (database_ != nullptr && unchecked_ >= checkpoint_bytes) {
    unchecked_ = 0;
    // Durable already. A connection that cannot sync is not used again.
    if (!database_->checkpoint(false)) database_.reset();
  }
  return {};
}

Status ContextDb::write(std::span<const ContextPut> puts) {
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(*database_));
  ASSIGN_OR_RETURN(auto upsert, database_->prepare(upsert_sql));
  ASSIGN_OR_RETURN(auto keep, database_->prepare(keep_sql));
  ASSIGN_OR_RETURN(auto sizes, database_->prepare(sizes_sql));
  ASSIGN_OR_RETURN(auto cut, database_->prepare(cut_sql));
  ASSIGN_OR_RETURN(auto forget, database_->prepare("DELETE FROM register WHERE path = ?1"));
  ASSIGN_OR_RETURN(auto forget_history, database_->prepare("DELETE FROM history WHERE path = ?1"));
  bool has_forgotten = false;
  for (const ContextPut& put : puts) {
    has_forgotten = has_forgotten || !put.forgotten.empty();
    for (const std::string& path : put.forgotten) {  // first: it may be written anew
      RETURN_IF_ERROR(forget.bind(1, std::string_view(path)).run());
      RETURN_IF_ERROR(forget_history.bind(1, std::string_view(path)).run());
      unchecked_ += store_page_bytes;
    }
    for (const Register& reg : put.registers) {
      const context::Write& one = reg.write;
      RETURN_IF_ERROR(keep_history(keep, sizes, cut, reg));
      upsert.bind(1, std::string_view(reg.path)).bind(2, static_cast<int64_t>(index_of(reg.side))).bind(3, static_cast<int64_t>(one.stamp));
      upsert.bind(4, static_cast<int64_t>(one.seen)).bind(5, int64_t{one.is_deleted}).bind(6, one.expires_ms);
      upsert.bind(7, std::string_view(one.author)).bind(8, std::string_view(one.value)).bind(9, checksum(reg));
      RETURN_IF_ERROR(upsert.run());
      newest_ = std::max(newest_, one.stamp);
      unchecked_ += reg.path.size() + one.author.size() + one.value.size() + store_page_bytes;
    }
  }
  if (has_forgotten) {  // until then the registers tell
    ASSIGN_OR_RETURN(auto note, database_->prepare("UPDATE newest SET stamp = ?1"));
    RETURN_IF_ERROR(note.bind(1, static_cast<int64_t>(newest_)).run());
  }
  return transaction.commit();
}

Status ContextDb::keep_history(sqlite::Statement& keep, sqlite::Statement& sizes, sqlite::Statement& cut, const Register& reg) {
  const std::string_view path = reg.path;
  RETURN_IF_ERROR(keep.bind(1, path).bind(2, static_cast<int64_t>(index_of(reg.side))).bind(3, static_cast<int64_t>(reg.write.stamp)).run());
  if (database_->changes() == 0) return {};
  sizes.bind(1, path);
  uint64_t bytes = 0;
  for (size_t count = 0;; ++count) {
    ASSIGN_OR_RETURN(const bool found, sizes.step());
    if (!found) break;
    const auto size = static_cast<uint64_t>(sizes.integer(1));
    if (count == 0) history_bytes_ += size;  // about: the one that was kept, as a rule
    bytes += size;
    if (count < replaced_most && bytes <= context::limits::history_bytes) continue;
    const int64_t last = sizes.integer(0);
    sizes.reset();
    history_bytes_ -= std::min(history_bytes_, size);
    return cut.bind(1, path).bind(2, last).run();
  }
  sizes.reset();
  return {};
}

Status ContextDb::bound_history() {
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(*database_));
  RETURN_IF_ERROR(database_->execute(cut_oldest_sql));
  RETURN_IF_ERROR(transaction.commit());
  ASSIGN_OR_RETURN(const int64_t bytes, database_->read_integer(history_bytes_sql));
  history_bytes_ = static_cast<uint64_t>(bytes);
  return {};
}

Result<std::vector<Register>> ContextDb::history(const std::string& path) {
  std::vector<Register> writes;
  if (!platform::file_size(file())) return writes;
  const auto read = [&]() -> Status {
    RETURN_IF_ERROR(ready());
    ASSIGN_OR_RETURN(auto statement, database_->prepare(history_sql));
    statement.bind(1, std::string_view(path)).bind(2, static_cast<int64_t>(context::limits::history));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, statement.step());
      if (!found) return {};
      if (Register reg; read_row(statement, reg)) writes.push_back(std::move(reg));  // one that cannot be is passed over
    }
  };
  if (const Status done = read(); !done) return failed(done.error()).error();
  return writes;
}

uint64_t ContextDb::bytes() const {
  const auto size = platform::file_size(file());
  return size ? *size : 0;
}

Status ContextDb::failed(const Error& error) {
  if (error.code == ErrorCode::full) return error;  // rolled back, and the connection is sound
  database_.reset();
  if (error.code == ErrorCode::corrupt) set_aside("is damaged");
  return error;
}

void ContextDb::set_aside(const char* why) {
  log_error(log_, "outbox", "context.db %s and is kept as bad-context.db: what the hub holds of the context comes back from there, the history here is lost", why);
  database_.reset();
  // Whatever of this fails, making the new file tells.
  (void)platform::rename_file(file(), directory_ + "/bad-context.db").has_value();
  (void)platform::rename_file(file() + "-wal", directory_ + "/bad-context.db-wal").has_value();
  history_bytes_ = 0;
  unchecked_ = 0;
}

}  // namespace tideline::agent
