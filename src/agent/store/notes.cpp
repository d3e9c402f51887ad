#include "agent/store/notes.hpp"

#include "agent/store/pragmas.hpp"
#include "base/crc.hpp"
#include "base/limits.hpp"
#include "files.hpp"

namespace tideline::agent {
namespace {

constexpr const char* schema_sql =
    "CREATE TABLE note(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, crc INTEGER NOT NULL, text BLOB NOT NULL);"
    "PRAGMA user_version = 1;";
// length() of a blob is in the row's head: the texts themselves are not read.
constexpr const char* select_keys_sql = "SELECT key, length(text) FROM note";
constexpr const char* select_sql = "SELECT crc, text FROM note WHERE key = ?1";  // the index of UNIQUE
constexpr const char* delete_sql = "DELETE FROM note WHERE key = ?1";
constexpr const char* upsert_sql =
    "INSERT INTO note(key, crc, text) VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET crc = excluded.crc, text = excluded.text";

// The WAL is emptied after this much: one sync for some hundred small notes.
constexpr uint64_t checkpoint_bytes = 256 * 1024;

const Error damaged{ErrorCode::corrupt, 0, "notes.db content"};

/// SQLite has no checksum of its own; with the key, so that a text under the wrong one is found too.
int64_t checksum(std::string_view key, std::string_view text) { return crc32c(as_bytes(text), crc32c(as_bytes(key))); }

}  // namespace

void Notes::load(bool expected) {
  exists_ = platform::file_size(file()).has_value();
  if (!exists_) {
    if (expected) give_up("is missing");
    return;
  }
  if (!open_anew()) give_up("cannot be read and is kept as bad-notes.db");
}

Status Notes::create() {
  if (!exists_) {
    RETURN_IF_ERROR(attach(sqlite::OpenMode::create));
    RETURN_IF_ERROR(platform::sync_directory(directory_));
    exists_ = true;
  }
  return database_ != nullptr ? Status{} : open_anew();
}

Status Notes::attach(sqlite::OpenMode mode) {
  database_.reset();
  ASSIGN_OR_RETURN(sqlite::Database opened, sqlite::Database::open(file(), mode));
  RETURN_IF_ERROR(set_writer_pragmas(opened));
  const auto verdict = opened.read_text("PRAGMA quick_check(1)");
  if (!verdict) return verdict.error();
  if (std::string_view(*verdict) != "ok") return damaged;
  ASSIGN_OR_RETURN(const int64_t version, opened.read_integer("PRAGMA user_version"));
  if (version == 0) {  // new, or a crash came while it was made
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(opened));
    RETURN_IF_ERROR(opened.execute(schema_sql));
    RETURN_IF_ERROR(transaction.commit());
  } else if (version != 1) {
    return damaged;
  }
  database_ = std::make_unique<sqlite::Database>(std::move(opened));
  return {};
}

Status Notes::open_anew() {
  RETURN_IF_ERROR(attach(sqlite::OpenMode::write));
  const Status read = read_keys();
  if (!read) database_.reset();
  return read;
}

Status Notes::read_keys() {
  keys_.clear();
  bytes_ = 0;
  ASSIGN_OR_RETURN(auto statement, database_->prepare(select_keys_sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.step());
    if (!found) return {};
    const auto size = static_cast<size_t>(statement.integer(1));
    if (keys_.size() >= limits::notes || size > limits::note_bytes) return damaged;
    bytes_ += statement.text(0).size() + size;
    keys_.emplace(statement.text(0), size);
  }
}

Status Notes::put(std::span<const NoteChange> changes, std::vector<Status>& refused) {
  refused.assign(changes.size(), {});
  if (const Status ready = create(); !ready) return failed(ready.error());
  Keys keys = keys_;
  uint64_t bytes = bytes_;
  for (size_t i = 0; i < changes.size(); ++i) {
    const NoteChange& change = changes[i];
    const auto old = keys.find(change.key);
    const uint64_t freed = old == keys.end() ? 0 : old->first.size() + old->second;
    const uint64_t added = change.text.empty() ? 0 : change.key.size() + change.text.size();
    if (added != 0 && (bytes - freed + added > limits::notes_bytes || (old == keys.end() && keys.size() >= limits::notes))) {
      refused[i] = Error{ErrorCode::full, 0, "the store keeps 512 notes, 16 MiB in all"};
      continue;
    }
    bytes += added - freed;
    if (added != 0) {
      keys.insert_or_assign(change.key, change.text.size());
    } else if (old != keys.end()) {
      keys.erase(old);
    }
  }
  if (const Status written = write(changes, refused); !written) return failed(written.error());
  keys_ = std::move(keys);
  bytes_ = bytes;
  if (unchecked_ >= checkpoint_bytes) {
    unchecked_ = 0;
    // Durable already. A connection that cannot sync is not used again.
    if (!database_->checkpoint(false)) database_.reset();
  }
  return {};
}

Status Notes::write(std::span<const NoteChange> changes, const std::vector<Status>& refused) {
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(*database_));
  ASSIGN_OR_RETURN(auto upsert, database_->prepare(upsert_sql));
  ASSIGN_OR_RETURN(auto erase, database_->prepare(delete_sql));
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!refused[i]) continue;
    const std::string_view key = changes[i].key;
    const std::string_view text = changes[i].text;
    unchecked_ += key.size() + text.size() + store_page_bytes;
    if (text.empty()) {
      RETURN_IF_ERROR(erase.bind(1, key).run());
    } else {
      RETURN_IF_ERROR(upsert.bind(1, key).bind(2, checksum(key, text)).bind(3, as_bytes(text)).run());
    }
  }
  return transaction.commit();
}

Result<std::string> Notes::get(const std::string& key) {
  if (!exists_) return Error{ErrorCode::not_found, 0, "no note of this key"};
  const auto read = [&]() -> Result<std::string> {
    if (database_ == nullptr) RETURN_IF_ERROR(open_anew());
    if (!keys_.contains(key)) return Error{ErrorCode::not_found, 0, "no note of this key"};
    ASSIGN_OR_RETURN(auto statement, database_->prepare(select_sql));
    ASSIGN_OR_RETURN(const bool found, statement.bind(1, std::string_view(key)).step());
    if (!found) return damaged;
    std::string text(as_text(statement.blob(1)));
    if (checksum(key, text) != statement.integer(0)) return damaged;
    return text;
  };
  Result<std::string> text = read();
  if (text || text.error().code == ErrorCode::not_found) return text;
  return failed(text.error()).error();
}

Status Notes::failed(const Error& error) {
  if (error.code == ErrorCode::full) return error;  // rolled back, and the connection is sound
  database_.reset();
  if (error.code == ErrorCode::corrupt) give_up("is damaged and is kept as bad-notes.db");
  return error;
}

void Notes::give_up(const char* why) {
  log_error(log_, "outbox", "notes.db %s: what was noted of calls and child servers is lost", why);
  database_.reset();
  // Whatever of this fails, making the new file tells.
  (void)platform::rename_file(file(), directory_ + "/bad-notes.db").has_value();
  (void)platform::rename_file(file() + "-wal", directory_ + "/bad-notes.db-wal").has_value();
  keys_.clear();
  bytes_ = 0;
  unchecked_ = 0;
  exists_ = false;
  is_lost_ = true;
}

}  // namespace tideline::agent
