// How every SQLite file of the edge store is opened: the settings, set and read back, in one place.
#pragma once

#include "base/result.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {

/// Pages of 1 KiB halve the bytes written by small commits (bench outbox_append; also the unit that carving relies on).
inline constexpr int store_page_bytes = 1024;

/// A file that is written: WAL, synchronous=FULL, no shared memory file, no automatic checkpoint.
/// Errors: unsupported when a setting did not take, else as Database::execute.
Status set_writer_pragmas(sqlite::Database& database);
/// A sealed file.
Status set_reader_pragmas(sqlite::Database& database);

}  // namespace tideline::agent
