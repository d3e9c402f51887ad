// Notes: small durable texts under keys, for the call ledger and for what is known of child servers. A file of its own, notes.db:
// a large note costs the copies of state.db nothing, and damage of one file does not reach the other.
//
// Owned by Store. Thread: store. After a crash the file holds every put() that returned well. Damage: the file becomes
// bad-notes.db and the notes are lost, which the caller is told once. Bounds: limits::{notes, note_bytes, notes_bytes}; in memory
// are only the keys and sizes.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {

/// One put: an empty text deletes.
struct NoteChange {
  std::string key;
  std::string text;
  uint64_t token = 0;
};

class Notes {
 public:
  using Keys = std::map<std::string, size_t, std::less<>>;  ///< with the sizes of the texts

  Notes(std::string directory, Log& log) : directory_(std::move(directory)), log_(log) {}

  /// Opens the file if there is one; never refuses. `expected`: there was one when state was saved last.
  void load(bool expected);
  /// Makes the file if there is none. Durable on return.
  Status create();
  /// Writes in one transaction, durable on return, all that fit: `refused` has one status each, in order (full: a bound above).
  /// Errors: full (the disk; nothing changed), io, corrupt (the old texts or the new; the file is opened anew before its next use).
  Status put(std::span<const NoteChange> changes, std::vector<Status>& refused);
  /// Errors: not_found, corrupt, io.
  Result<std::string> get(const std::string& key);

  const Keys& keys() const { return keys_; }
  uint64_t bytes() const { return bytes_; }
  bool exists() const { return exists_; }
  /// True once after notes were lost: a call that was noted may run twice unless its epoch and incarnation end.
  bool take_loss() { return std::exchange(is_lost_, false); }
  void close() { database_.reset(); }

 private:
  std::string file() const { return directory_ + "/notes.db"; }
  Status open_anew();
  Status attach(sqlite::OpenMode mode);
  Status read_keys();
  Status write(std::span<const NoteChange> changes, const std::vector<Status>& refused);
  void give_up(const char* why);
  /// Lets go of what an operation that failed leaves unsound: the connection, or the whole file.
  Status failed(const Error& error);

  std::string directory_;
  Log& log_;
  std::unique_ptr<sqlite::Database> database_;
  Keys keys_;
  uint64_t bytes_ = 0;        ///< keys and texts
  uint64_t unchecked_ = 0;    ///< bytes written since the last checkpoint
  bool exists_ = false;
  bool is_lost_ = false;
};

}  // namespace tideline::agent
