// Two small helps for the archive's SQL: preparing a part's statements at once, and reading rows without leaving a statement
// open behind an early return. Store thread.
#pragma once

#include <initializer_list>

#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

struct Prepared {
  sqlite::Statement& statement;
  const char* sql;
};

inline Status prepare_all(sqlite::Database& database, std::initializer_list<Prepared> all) {
  for (const Prepared& one : all) {
    ASSIGN_OR_RETURN(one.statement, database.prepare(one.sql));
  }
  return {};
}

/// Resets the statement at the end of the scope: text and blobs bound may go then, and the read transaction ends.
class Rows {
 public:
  explicit Rows(sqlite::Statement& statement) : statement_(statement) {}
  ~Rows() { statement_.reset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Result<bool> next() { return statement_.step(); }

 private:
  sqlite::Statement& statement_;
};

/// Unsigned numbers are stored as the signed integer of the same bits (archive_schema.hpp).
inline int64_t to_stored(uint64_t value) { return static_cast<int64_t>(value); }
inline uint64_t from_stored(int64_t value) { return static_cast<uint64_t>(value); }

/// Times come from devices and may be anything: sums stop at the ends of the scale.
inline int64_t add_saturated(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}
inline int64_t subtract_saturated(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? INT64_MAX : INT64_MIN;
  return difference;
}

}  // namespace tideline::hub
