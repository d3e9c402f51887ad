#include "hub/store/archive_access.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "hub/store/archive_sql.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

/// In the order of read_audit().
const std::string audit_columns = "id, time_ns, principal, device, method, target, arguments_digest, outcome, duration_us, trace, chain";

AuditRow read_audit(const sqlite::Statement& row) {
  AuditRow out;
  out.id = row.integer(0);
  out.time_ns = row.integer(1);
  out.principal = row.text(2);
  out.device = row.text(3);
  out.method = row.text(4);
  out.target = row.text(5);
  out.arguments_digest = row.text(6);
  out.outcome = row.text(7);
  out.duration_us = row.integer(8);
  out.trace = row.text(9);
  out.chain = row.text(10);
  return out;
}

/// Not in the middle of a letter.
std::string cut(const std::string& text) {
  if (text.size() <= limits::audit_text_bytes) return text;
  size_t end = limits::audit_text_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::string audit_chain(const std::string& before, const AuditRow& row) {
  ByteBuffer bytes;
  const auto add = [&bytes](std::string_view text) {
    uint8_t size[4];
    store_le(size, static_cast<uint32_t>(text.size()));
    append(bytes, size);
    append(bytes, as_bytes(text));
  };
  add(before);
  for (const int64_t number : {row.id, row.time_ns, row.duration_us}) {
    uint8_t value[8];
    store_le(value, number);
    append(bytes, value);
  }
  for (const std::string* text : {&row.principal, &row.device, &row.method, &row.target, &row.arguments_digest, &row.outcome, &row.trace}) add(*text);
  return tls::sha256_hex(bytes);
}

Status ArchiveAccess::open() {
  const std::string insert_audit = "INSERT INTO audit(" + audit_columns + ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  return prepare_all(
      database_,
      {
          // index: primary key
          {put_key_,
           "INSERT INTO api_key(id, hash, name, role, devices, created_ns, expires_ns, revoked_ns) VALUES(?, ?, ?, ?, ?, ?, ?, ?) "
           "ON CONFLICT(id) DO UPDATE SET hash = excluded.hash, name = excluded.name, role = excluded.role, devices = excluded.devices, "
           "created_ns = excluded.created_ns, expires_ns = excluded.expires_ns, revoked_ns = excluded.revoked_ns"},
          // whole table: at most limits::hub_keys
          {count_keys_, "SELECT count(*) FROM api_key WHERE id <> ?"},
          {select_keys_, "SELECT id, hash, name, role, devices, created_ns, expires_ns, revoked_ns FROM api_key ORDER BY created_ns, id"},
          {insert_audit_, insert_audit.c_str()},
          // index: primary key
          {select_audit_end_, "SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1"},
          {select_audit_start_, "SELECT id FROM audit ORDER BY id LIMIT 1"},
          {delete_audit_, "DELETE FROM audit WHERE id < ?"},
      });
}

Status ArchiveAccess::put_key(const ApiKey& key) {
  if (key.id.empty() || key.name.size() > limits::audit_text_bytes || key.devices.size() > limits::pattern_bytes) {
    return Error{ErrorCode::invalid, 0, "an API key with an id, a name of at most 256 bytes and a selector of at most 256"};
  }
  {
    count_keys_.bind(1, key.id);
    Rows rows(count_keys_);
    ASSIGN_OR_RETURN(const bool row, rows.next());
    if (row && count_keys_.integer(0) >= static_cast<int64_t>(limits::hub_keys)) return Error{ErrorCode::limit, 0, "this hub has 1000 API keys already"};
  }
  put_key_.bind(1, key.id).bind(2, key.hash).bind(3, key.name).bind(4, static_cast<int64_t>(key.role)).bind(5, key.devices);
  return put_key_.bind(6, key.created_ns).bind(7, key.expires_ns).bind(8, key.revoked_ns).run();
}

Result<std::vector<ApiKey>> ArchiveAccess::keys() {
  std::vector<ApiKey> keys;
  Rows rows(select_keys_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return keys;
    const sqlite::Statement& row = select_keys_;
    const int64_t role = row.integer(3);
    if (role < 0 || role > static_cast<int64_t>(Role::admin)) return Error{ErrorCode::corrupt, 0, "role of an API key"};
    keys.push_back({std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), static_cast<Role>(role), std::string(row.text(4)),
                    row.integer(5), row.integer(6), row.integer(7)});
  }
}

Result<ArchiveAccess::End> ArchiveAccess::audit_end() {
  Rows rows(select_audit_end_);
  ASSIGN_OR_RETURN(const bool row, rows.next());
  if (!row) return End{};
  return End{select_audit_end_.integer(0), std::string(select_audit_end_.text(1))};
}

Status ArchiveAccess::add_audit(const std::vector<AuditRow>& rows) {
  if (rows.empty()) return {};
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  ASSIGN_OR_RETURN(End end, audit_end());
  for (const AuditRow& given : rows) {
    AuditRow row = given;
    row.id = ++end.id;
    for (std::string* text : {&row.principal, &row.device, &row.method, &row.target, &row.arguments_digest, &row.outcome, &row.trace}) *text = cut(*text);
    end.chain = audit_chain(end.chain, row);
    insert_audit_.bind(1, row.id).bind(2, row.time_ns).bind(3, row.principal).bind(4, row.device).bind(5, row.method).bind(6, row.target);
    insert_audit_.bind(7, row.arguments_digest).bind(8, row.outcome).bind(9, row.duration_us).bind(10, row.trace);
    RETURN_IF_ERROR(insert_audit_.bind(11, end.chain).run());
  }
  int64_t start = 0;
  {
    Rows first(select_audit_start_);
    ASSIGN_OR_RETURN(const bool row, first.next());
    start = row ? select_audit_start_.integer(0) : end.id;
  }
  const int64_t keep_from = end.id - audit_rows_ + 1;
  if (keep_from > start) {
    // No more at once than a slice: after the bound was lowered the rest goes with the next calls.
    const int64_t slice = static_cast<int64_t>(limits::audit_slice + rows.size());
    RETURN_IF_ERROR(delete_audit_.bind(1, std::min(keep_from, start + slice)).run());
  }
  return transaction.commit();
}

Result<std::vector<AuditRow>> ArchiveAccess::audit(const AuditFilter& filter) {
  // index: audit_time, audit_principal or audit_device. The text is made of constants; what was given is bound.
  std::string sql = "SELECT " + audit_columns + " FROM audit WHERE time_ns >= ? AND time_ns < ?";
  if (!filter.principal.empty()) sql += " AND principal = ?";
  if (!filter.device.empty()) sql += " AND device = ?";
  sql += " ORDER BY time_ns DESC, id DESC LIMIT ?";
  ASSIGN_OR_RETURN(sqlite::Statement select, database_.prepare(sql));
  select.bind(1, filter.from_ns).bind(2, filter.to_ns);
  int place = 2;
  if (!filter.principal.empty()) select.bind(++place, filter.principal);
  if (!filter.device.empty()) select.bind(++place, filter.device);
  select.bind(++place, static_cast<int64_t>(std::min(filter.limit, limits::audit_answer_rows)));
  std::vector<AuditRow> found;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, select.step());
    if (!more) return found;
    found.push_back(read_audit(select));
  }
}

Status verify_audit(sqlite::Database& database, size_t most_problems, std::vector<std::string>& problems) {
  // Whole table, in the order of its key.
  ASSIGN_OR_RETURN(sqlite::Statement select, database.prepare("SELECT " + audit_columns + " FROM audit ORDER BY id"));
  std::string before;
  for (int64_t last = 0;;) {
    ASSIGN_OR_RETURN(const bool more, select.step());
    if (!more) return {};
    const AuditRow row = read_audit(select);
    // The oldest that is kept hangs on one that is not; only the very first one hangs on nothing.
    const bool is_checkable = last != 0 || row.id == 1;
    const auto report = [&](const char* what) {
      if (problems.size() < most_problems) problems.push_back(format("audit: row %lld %s", static_cast<long long>(row.id), what));
    };
    if (last != 0 && row.id != last + 1) report("does not follow the one before it: rows were taken out");
    else if (is_checkable && audit_chain(before, row) != row.chain) report("was changed, or the one before it");
    last = row.id;
    before = row.chain;
  }
}

}  // namespace tideline::hub
