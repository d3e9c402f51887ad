// The device's context on its disk: every register, and what each entry was before. A file of its own, context.db: it is written when
// people and programs decide something, not when sensors measure, and damage of one file does not reach the other.
//
// Owned by Store. Thread: store. After a crash the file holds every put() that returned well, whole. Damage: the file becomes
// bad-context.db and a new one is begun with what could be read; the hub, which holds the same, brings the rest back. Bounds: those of
// the callers for registers; of the history context::limits::{history, history_bytes} an entry, history_total_bytes in all.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "context/entry.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {

/// What is held when the store is opened.
struct ContextImage {
  std::vector<context::Register> registers;
  context::Stamp newest = 0;  ///< stamp ever written, of registers that were forgotten too
};

/// All of it, or nothing.
struct ContextPut {
  std::vector<context::Register> registers;
  std::vector<std::string> forgotten;  ///< paths whose deletion nobody needs any more
  uint64_t token = 0;
};

class ContextDb {
 public:
  static constexpr uint64_t history_total_bytes = 16 * 1024 * 1024;  ///< values; beyond it the oldest eighth of the writes goes

  ContextDb(std::string directory, Log& log) : directory_(std::move(directory)), log_(log) {}

  /// Opens the file if there is one; never refuses.
  void load();
  /// What load() found, once.
  ContextImage take_image() { return std::exchange(image_, {}); }
  /// One transaction for all, durable on return. A register older than the one that is held changes nothing.
  /// Errors: full (nothing changed), io (the old or the new; the file is opened anew before its next use), corrupt (the file was set
  /// aside: put everything again).
  Status put(std::span<const ContextPut> puts);
  /// Writes to this path, newest first, at most context::limits::history; the registers in force are among them.
  /// Errors: io, corrupt.
  Result<std::vector<context::Register>> history(const std::string& path);
  uint64_t bytes() const;
  void close() { database_.reset(); }

 private:
  std::string file() const { return directory_ + "/context.db"; }
  Status attach(sqlite::OpenMode mode);
  Status ready();
  Status read_registers();
  Status write(std::span<const ContextPut> puts);
  Status keep_history(sqlite::Statement& keep, sqlite::Statement& sizes, sqlite::Statement& cut, const context::Register& reg);
  Status bound_history();
  Status failed(const Error& error);
  void set_aside(const char* why);

  std::string directory_;
  Log& log_;
  std::unique_ptr<sqlite::Database> database_;
  ContextImage image_;
  context::Stamp newest_ = 0;
  uint64_t history_bytes_ = 0;
  uint64_t unchecked_ = 0;  ///< bytes written since the last checkpoint
};

}  // namespace tideline::agent
