// API keys and the audit. The audit is a chain: each row holds the digest of the one before it and of itself, so that a row changed, taken
// out or put in later is found by verify(). What is cut off at its new end can only be found by comparing with a digest kept elsewhere.
//
// Part of SqliteArchive. Thread: store. Each call is one transaction, durable on return. Bounds: limits::hub_keys; limits::audit_rows, the
// oldest go, limits::audit_slice with each call.
#pragma once

#include <string>
#include <vector>

#include "hub/store/archive.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::hub {

class ArchiveAccess {
 public:
  explicit ArchiveAccess(sqlite::Database& database, int64_t audit_rows) : database_(database), audit_rows_(audit_rows) {}
  Status open();

  Status put_key(const ApiKey& key);
  Result<std::vector<ApiKey>> keys();
  Status add_audit(const std::vector<AuditRow>& rows);
  Result<std::vector<AuditRow>> audit(const AuditFilter& filter);

 private:
  struct End {
    int64_t id = 0;
    std::string chain;
  };
  Result<End> audit_end();

  sqlite::Database& database_;
  int64_t audit_rows_;
  sqlite::Statement put_key_;
  sqlite::Statement count_keys_;
  sqlite::Statement select_keys_;
  sqlite::Statement insert_audit_;
  sqlite::Statement select_audit_end_;
  sqlite::Statement select_audit_start_;
  sqlite::Statement delete_audit_;
};

/// The chain value of `row`, whose own member is not looked at, after the row with the chain `before`.
std::string audit_chain(const std::string& before, const AuditRow& row);

/// Follows the chain over all rows; appends what is wrong with it, one line each. For verify().
Status verify_audit(sqlite::Database& database, size_t most_problems, std::vector<std::string>& problems);

}  // namespace tideline::hub
