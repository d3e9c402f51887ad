#include "agent/store/pragmas.hpp"

namespace tideline::agent {
namespace {

struct Pragma {
  const char* name;
  const char* value;
  const char* expected;
};

/// In the order in which they must be set.
constexpr Pragma writer_pragmas[] = {
    {"page_size", "1024", "1024"},
    // One process and one connection: the WAL index then lives in the heap. A mapped -shm file would end the process with
    // SIGBUS on a full or failing card.
    {"locking_mode", "EXCLUSIVE", "exclusive"},
    {"journal_mode", "WAL", "wal"},
    {"synchronous", "FULL", "2"},
    {"wal_autocheckpoint", "0", "0"},
    {"journal_size_limit", "1048576", "1048576"},
    {"secure_delete", "OFF", "0"},  // Debian builds it on: every freed page would be rewritten
    {"cell_size_check", "ON", "1"},
    {"cache_size", "-128", "-128"},
    {"temp_store", "MEMORY", "2"},
    {"trusted_schema", "OFF", "0"},
};

constexpr Pragma reader_pragmas[] = {
    {"cell_size_check", "ON", "1"},
    {"cache_size", "-64", "-64"},
    {"trusted_schema", "OFF", "0"},
};

}  // namespace

Status set_writer_pragmas(sqlite::Database& database) {
  for (const Pragma& pragma : writer_pragmas) RETURN_IF_ERROR(database.set_pragma(pragma.name, pragma.value, pragma.expected));
  return {};
}

Status set_reader_pragmas(sqlite::Database& database) {
  for (const Pragma& pragma : reader_pragmas) RETURN_IF_ERROR(database.set_pragma(pragma.name, pragma.value, pragma.expected));
  return {};
}

}  // namespace tideline::agent
