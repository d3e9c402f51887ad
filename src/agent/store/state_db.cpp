#include "agent/store/state_db.hpp"

#include <algorithm>
#include <charconv>

#include "agent/store/pragmas.hpp"
#include "agent/store/series_codec.hpp"
#include "base/limits.hpp"
#include "files.hpp"

namespace tideline::agent {
namespace {

using model::index_of;

constexpr const char* schema_sql =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE run(position INTEGER PRIMARY KEY, id INTEGER NOT NULL, first_0 INTEGER NOT NULL, first_1 INTEGER NOT NULL,"
    " first_2 INTEGER NOT NULL);"
    "CREATE TABLE anchor(position INTEGER PRIMARY KEY, boot INTEGER NOT NULL, mono INTEGER NOT NULL, utc INTEGER NOT NULL,"
    " error INTEGER NOT NULL, quality INTEGER NOT NULL);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, definition BLOB NOT NULL);"
    "CREATE TABLE stream(stream INTEGER PRIMARY KEY, next_least INTEGER NOT NULL, is_closed INTEGER NOT NULL, segment INTEGER NOT NULL);"
    "CREATE TABLE range(stream INTEGER, is_released INTEGER, first INTEGER, last INTEGER NOT NULL,"
    " PRIMARY KEY(stream, is_released, first)) WITHOUT ROWID;"
    "CREATE TABLE gap(stream INTEGER, first INTEGER, last INTEGER NOT NULL, count INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " at_least INTEGER NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, declared INTEGER NOT NULL,"
    " PRIMARY KEY(stream, first)) WITHOUT ROWID;"
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

const Error damaged{ErrorCode::corrupt, 0, "state.db content"};

int64_t to_signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t to_unsigned(int64_t value) { return static_cast<uint64_t>(value); }

/// Calls `row` for each row of `sql`; `row` says false when a value cannot be.
template <class Row>
Status for_each(sqlite::Database& database, const char* sql, Row row) {
  ASSIGN_OR_RETURN(auto statement, database.prepare(sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.step());
    if (!found) return {};
    if (!row(statement)) return damaged;
  }
}

uint64_t to_number(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_stream(int64_t value) { return value >= 0 && value < static_cast<int64_t>(model::stream_count); }

void set_aside_damaged(const std::string& directory) {
  // Whatever of this fails, the next step (a new file under the old name) tells.
  (void)platform::rename_file(directory + "/state.db", directory + "/bad-state.db").has_value();
  (void)platform::rename_file(directory + "/state.db-wal", directory + "/bad-state.db-wal").has_value();
}

}  // namespace

Result<StateDb::Opened> StateDb::open(const std::string& directory, Log& log) {
  Opened opened;
  opened.database.reset(new StateDb(directory, log));
  StateDb& state = *opened.database;
  const bool exists = platform::file_size(state.file()).has_value();
  if (exists) {
    const Status attached = state.attach(false);
    if (attached && state.load()) {
      opened.origin = Origin::file;
      return opened;
    }
    if (!attached && (attached.error().code == ErrorCode::io || attached.error().code == ErrorCode::full)) return attached.error();
    log_warning(log, "outbox", "state.db is damaged and is kept as bad-state.db; restoring its copy");
    state.database_.reset();
    set_aside_damaged(directory);
  }
  state.state_ = {};
  if (platform::file_size(state.file() + ".bak")) {
    auto copy = sqlite::Database::open(state.file() + ".bak", sqlite::OpenMode::immutable);
    if (copy && sqlite::copy_database(*copy, state.file(), 64, nullptr, nullptr) && state.attach(false) && state.load()) {
      opened.origin = Origin::copy;
      return opened;
    }
    state.database_.reset();
    set_aside_damaged(directory);
    state.state_ = {};
  }
  RETURN_IF_ERROR(state.start_anew());
  return opened;
}

Status StateDb::attach(bool create) {
  database_.reset();
  ASSIGN_OR_RETURN(sqlite::Database opened, sqlite::Database::open(file(), create ? sqlite::OpenMode::create : sqlite::OpenMode::write));
  database_ = std::make_unique<sqlite::Database>(std::move(opened));
  RETURN_IF_ERROR(set_writer_pragmas(*database_));
  if (create) return {};
  ASSIGN_OR_RETURN(const std::string verdict, database_->read_text("PRAGMA quick_check(1)"));
  return verdict == "ok" ? Status{} : Status(damaged);
}

Status StateDb::start_anew() {
  RETURN_IF_ERROR(attach(true));
  auto transaction = sqlite::Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  RETURN_IF_ERROR(database_->execute(schema_sql));
  RETURN_IF_ERROR(transaction->commit());
  series_saved_ = 0;
  return platform::sync_directory(directory_);
}

Status StateDb::reopen() {
  if (attach(false)) {
    series_saved_ = 0;  // INSERT OR REPLACE below: what was saved is unknown
    return save(everything);
  }
  log_warning(log_, "outbox", "state.db cannot be read any more and is written anew; the old file is bad-state.db");
  database_.reset();
  set_aside_damaged(directory_);
  RETURN_IF_ERROR(start_anew());
  return save(everything);
}

Status StateDb::copy() {
  const std::string path = file() + ".new";
  RETURN_IF_ERROR(platform::remove_file(path));
  RETURN_IF_ERROR(sqlite::copy_database(*database_, path, 64, nullptr, nullptr));
  RETURN_IF_ERROR(platform::rename_file(path, file() + ".bak"));
  RETURN_IF_ERROR(platform::sync_directory(directory_));
  copy_is_old_ = false;
  return {};
}

void StateDb::close() { database_.reset(); }

Status StateDb::save(unsigned parts) {
  unsaved_ |= parts;
  if (unsaved_ == 0) return {};
  if (database_ == nullptr) return Error{ErrorCode::io, 0, "state.db is closed"};
  const model::SeriesId series_now = state_.dictionary.size();
  RETURN_IF_ERROR(write(unsaved_));
  if ((unsaved_ & (identity | series | gaps | settings)) != 0) copy_is_old_ = true;
  if ((unsaved_ & series) != 0) series_saved_ = series_now;
  unsaved_ = 0;
  // Keeps the WAL short; each checkpoint costs a sync, so not every time.
  if (++saves_ % 16 != 0) return {};
  return database_->checkpoint(false);
}

Status StateDb::write(unsigned parts) {
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(*database_));
  if ((parts & identity) != 0) RETURN_IF_ERROR(write_identity());
  if ((parts & runs) != 0) RETURN_IF_ERROR(write_runs());
  if ((parts & anchors) != 0) RETURN_IF_ERROR(write_anchors());
  if ((parts & series) != 0) RETURN_IF_ERROR(write_series());
  if ((parts & streams) != 0) RETURN_IF_ERROR(write_streams());
  if ((parts & gaps) != 0) RETURN_IF_ERROR(write_gaps());
  if ((parts & settings) != 0) RETURN_IF_ERROR(write_settings());
  return transaction.commit();
}

Status StateDb::write_identity() {
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)"));
  const RebaseJournal& rebase = state_.rebase;
  const std::pair<std::string_view, std::string> rows[] = {
      {"epoch", state_.epoch},
      {"incarnation", std::to_string(state_.incarnation)},
      {"has_notes", state_.has_notes ? "1" : "0"},
      {"rebase_active", rebase.is_active ? "1" : "0"},
      {"rebase_copied", rebase.is_copied ? "1" : "0"},
      {"rebase_stream", std::to_string(index_of(rebase.stream))},
      {"rebase_from", std::to_string(rebase.from)},
      {"rebase_next", std::to_string(rebase.next)},
      {"rebase_first_old", std::to_string(rebase.first_old_segment)},
      {"rebase_last_old", std::to_string(rebase.last_old_segment)},
  };
  for (const auto& [key, value] : rows) RETURN_IF_ERROR(insert.bind(1, key).bind(2, std::string_view(value)).run());
  return {};
}

Status StateDb::write_runs() {
  RETURN_IF_ERROR(database_->execute("DELETE FROM run"));
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT INTO run(id, first_0, first_1, first_2) VALUES(?1, ?2, ?3, ?4)"));
  for (const model::Run& run : state_.runs) {
    insert.bind(1, to_signed(run.id)).bind(2, to_signed(run.first[0])).bind(3, to_signed(run.first[1])).bind(4, to_signed(run.first[2]));
    RETURN_IF_ERROR(insert.run());
  }
  return {};
}

Status StateDb::write_anchors() {
  RETURN_IF_ERROR(database_->execute("DELETE FROM anchor"));
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT INTO anchor(boot, mono, utc, error, quality) VALUES(?1, ?2, ?3, ?4, ?5)"));
  for (const model::Anchor& anchor : state_.anchors) {
    insert.bind(1, to_signed(anchor.boot_id)).bind(2, anchor.mono_ns).bind(3, anchor.utc_ns).bind(4, anchor.error_ns);
    RETURN_IF_ERROR(insert.bind(5, static_cast<int64_t>(anchor.quality)).run());
  }
  return {};
}

Status StateDb::write_series() {
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT OR REPLACE INTO series(id, definition) VALUES(?1, ?2)"));
  ByteBuffer definition;
  for (model::SeriesId id = series_saved_; id < state_.dictionary.size(); ++id) {
    encode_series(state_.dictionary.at(id), definition);
    RETURN_IF_ERROR(insert.bind(1, int64_t{id}).bind(2, Bytes(definition)).run());
  }
  return {};
}

Status StateDb::write_streams() {
  RETURN_IF_ERROR(database_->execute("DELETE FROM range"));
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT OR REPLACE INTO stream(stream, next_least, is_closed, segment) VALUES(?1, ?2, ?3, ?4)"));
  ASSIGN_OR_RETURN(auto insert_range, database_->prepare("INSERT INTO range(stream, is_released, first, last) VALUES(?1, ?2, ?3, ?4)"));
  for (const model::Stream stream : model::streams) {
    const StreamMemory& memory = state_.of(stream);
    const auto index = static_cast<int64_t>(index_of(stream));
    insert.bind(1, index).bind(2, to_signed(memory.next_least)).bind(3, int64_t{memory.is_closed}).bind(4, int64_t{memory.segment});
    RETURN_IF_ERROR(insert.run());
    for (const auto* ranges : {&memory.acknowledged, &memory.released}) {
      for (const model::SeqRange& range : ranges->ranges()) {
        insert_range.bind(1, index).bind(2, int64_t{ranges == &memory.released});
        RETURN_IF_ERROR(insert_range.bind(3, to_signed(range.first)).bind(4, to_signed(range.last)).run());
      }
    }
  }
  return {};
}

Status StateDb::write_gaps() {
  RETURN_IF_ERROR(database_->execute("DELETE FROM gap"));
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT INTO gap(stream, first, last, count, reason, at_least, from_ns, to_ns, declared)"
                                                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  for (const model::Stream stream : model::streams) {
    for (const model::Gap& gap : state_.of(stream).gaps.all()) {
      insert.bind(1, static_cast<int64_t>(index_of(stream))).bind(2, to_signed(gap.range.first)).bind(3, to_signed(gap.range.last));
      insert.bind(4, to_signed(gap.count)).bind(5, static_cast<int64_t>(gap.reason)).bind(6, int64_t{gap.at_least});
      RETURN_IF_ERROR(insert.bind(7, gap.from_ns).bind(8, gap.to_ns).bind(9, gap.declared_ns).run());
    }
  }
  return {};
}

Status StateDb::write_settings() {
  RETURN_IF_ERROR(database_->execute("DELETE FROM setting"));
  ASSIGN_OR_RETURN(auto insert, database_->prepare("INSERT INTO setting(key, value) VALUES(?1, ?2)"));
  for (const auto& [key, value] : state_.settings) RETURN_IF_ERROR(insert.bind(1, std::string_view(key)).bind(2, std::string_view(value)).run());
  return {};
}

Status StateDb::load() {
  ASSIGN_OR_RETURN(const int64_t version, database_->read_integer("PRAGMA user_version"));
  if (version != 1) return damaged;
  RETURN_IF_ERROR(load_meta());
  RETURN_IF_ERROR(load_rows());
  series_saved_ = state_.dictionary.size();
  if (state_.epoch.size() != 32) return damaged;
  return {};
}

Status StateDb::load_meta() {
  std::map<std::string, std::string, std::less<>> meta;
  RETURN_IF_ERROR(for_each(*database_, "SELECT key, value FROM meta", [&](const sqlite::Statement& row) {
    meta[std::string(row.text(0))] = row.text(1);
    return true;
  }));
  state_.epoch = meta["epoch"];
  state_.incarnation = static_cast<uint32_t>(to_number(meta["incarnation"]));
  state_.has_notes = meta["has_notes"] == "1";
  RebaseJournal& rebase = state_.rebase;
  rebase.is_active = meta["rebase_active"] == "1";
  rebase.is_copied = meta["rebase_copied"] == "1";
  const uint64_t stream = to_number(meta["rebase_stream"]);
  rebase.stream = model::streams[stream < model::stream_count ? stream : 0];
  rebase.from = to_number(meta["rebase_from"]);
  rebase.next = to_number(meta["rebase_next"]);
  rebase.first_old_segment = static_cast<uint32_t>(to_number(meta["rebase_first_old"]));
  rebase.last_old_segment = static_cast<uint32_t>(to_number(meta["rebase_last_old"]));
  return for_each(*database_, "SELECT key, value FROM setting", [this](const sqlite::Statement& row) {
    state_.settings[std::string(row.text(0))] = row.text(1);
    return true;
  });
}

Status StateDb::load_rows() {
  RETURN_IF_ERROR(for_each(*database_, "SELECT id, first_0, first_1, first_2 FROM run ORDER BY position", [this](const sqlite::Statement& row) {
    state_.runs.push_back({to_unsigned(row.integer(0)), {to_unsigned(row.integer(1)), to_unsigned(row.integer(2)), to_unsigned(row.integer(3))}});
    return true;
  }));
  RETURN_IF_ERROR(for_each(*database_, "SELECT boot, mono, utc, error, quality FROM anchor ORDER BY position", [this](const sqlite::Statement& row) {
    const int64_t quality = row.integer(4);
    if (quality < 0 || quality > static_cast<int64_t>(model::TimeQuality::synced)) return false;
    state_.anchors.push_back({to_unsigned(row.integer(0)), row.integer(1), row.integer(2), row.integer(3), static_cast<model::TimeQuality>(quality)});
    return true;
  }));
  RETURN_IF_ERROR(for_each(*database_, "SELECT id, definition FROM series ORDER BY id", [this](const sqlite::Statement& row) {
    const auto definition = decode_series(row.blob(1));
    if (!definition) return false;
    const auto id = state_.dictionary.add(*definition);
    return id.has_value() && int64_t{*id} == row.integer(0);
  }));
  RETURN_IF_ERROR(for_each(*database_, "SELECT stream, next_least, is_closed, segment FROM stream", [this](const sqlite::Statement& row) {
    if (!is_stream(row.integer(0)) || row.integer(1) < 1) return false;
    StreamMemory& memory = state_.streams[static_cast<size_t>(row.integer(0))];
    memory.next_least = to_unsigned(row.integer(1));
    memory.is_closed = row.integer(2) != 0;
    memory.segment = static_cast<uint32_t>(row.integer(3));
    return true;
  }));
  RETURN_IF_ERROR(for_each(*database_, "SELECT stream, is_released, first, last FROM range", [this](const sqlite::Statement& row) {
    if (!is_stream(row.integer(0))) return false;
    StreamMemory& memory = state_.streams[static_cast<size_t>(row.integer(0))];
    model::SeqRanges& ranges = row.integer(1) != 0 ? memory.released : memory.acknowledged;
    return ranges.add({to_unsigned(row.integer(2)), to_unsigned(row.integer(3))}, limits::cursor_ranges);
  }));
  return for_each(*database_, "SELECT stream, first, last, count, reason, at_least, from_ns, to_ns, declared FROM gap ORDER BY stream, first",
                  [this](const sqlite::Statement& row) {
                    const int64_t reason = row.integer(4);
                    if (!is_stream(row.integer(0)) || reason < 0 || reason > static_cast<int64_t>(model::GapReason::disk_full)) return false;
                    model::Gap gap;
                    gap.stream = model::streams[row.integer(0)];
                    gap.range = {to_unsigned(row.integer(1)), to_unsigned(row.integer(2))};
                    gap.count = to_unsigned(row.integer(3));
                    gap.reason = static_cast<model::GapReason>(reason);
                    gap.at_least = row.integer(5) != 0;
                    gap.from_ns = row.integer(6);
                    gap.to_ns = row.integer(7);
                    gap.declared_ns = row.integer(8);
                    if (gap.range.is_empty()) return false;
                    state_.of(gap.stream).gaps.add(gap);
                    return true;
                  });
}

}  // namespace tideline::agent
