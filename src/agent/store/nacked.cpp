#include "agent/store/nacked.hpp"

#include "agent/store/pragmas.hpp"
#include "base/limits.hpp"
#include "files.hpp"
#include "wrap/sqlite/database.hpp"

namespace tideline::agent {
namespace {

constexpr const char* schema_sql =
    "CREATE TABLE IF NOT EXISTS nacked(id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " utc INTEGER NOT NULL, data BLOB NOT NULL)";

}  // namespace

Status Nacked::add(model::Stream stream, model::SeqRange range, Bytes block, int64_t utc_ns) {
  const Status inserted = insert(stream, range, block, utc_ns);
  if (inserted || inserted.error().code != ErrorCode::corrupt) return inserted;
  RETURN_IF_ERROR(platform::remove_file(path_));
  RETURN_IF_ERROR(platform::remove_file(path_ + "-wal"));
  return insert(stream, range, block, utc_ns);
}

Status Nacked::insert(model::Stream stream, model::SeqRange range, Bytes block, int64_t utc_ns) {
  ASSIGN_OR_RETURN(auto database, sqlite::Database::open(path_, sqlite::OpenMode::create));
  RETURN_IF_ERROR(set_writer_pragmas(database));
  RETURN_IF_ERROR(database.execute(schema_sql));
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(database));
  {
    ASSIGN_OR_RETURN(auto add, database.prepare("INSERT INTO nacked(stream, first, last, utc, data) VALUES(?1, ?2, ?3, ?4, ?5)"));
    add.bind(1, std::string_view(model::stream_name(stream))).bind(2, static_cast<int64_t>(range.first)).bind(3, static_cast<int64_t>(range.last));
    RETURN_IF_ERROR(add.bind(4, utc_ns).bind(5, block).run());
    // Freed pages are reused, so the file stays near the bound. Index: none, the table is small.
    ASSIGN_OR_RETURN(auto trim, database.prepare("DELETE FROM nacked WHERE (SELECT sum(length(data)) FROM nacked AS newer WHERE newer.id >= nacked.id) > ?1"));
    RETURN_IF_ERROR(trim.bind(1, static_cast<int64_t>(limits::nacked_bytes)).run());
  }
  return transaction.commit();
}

}  // namespace tideline::agent
