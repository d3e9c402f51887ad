#include "hub/store/archive_sqlite.hpp"

#include "base/limits.hpp"
#include "hub/store/archive_schema.hpp"
#include "hub/store/archive_sql.hpp"
#include "hub/store/archive_verify.hpp"

namespace tideline::hub {
namespace {

/// Measured with bench archive_apply: page 4096 and a checkpoint each 16 MiB of WAL (src/DECISIONS.md).
Status set_pragmas(sqlite::Database& database) {
  struct Pragma {
    const char* name;
    const char* value;
    const char* expected;
  };
  static constexpr Pragma pragmas[] = {
      {"journal_mode", "WAL", "wal"},
      {"synchronous", "FULL", "2"},
      {"secure_delete", "OFF", "0"},  // Debian builds with it on: every freed page would be rewritten
      {"wal_autocheckpoint", "4096", "4096"},
      {"journal_size_limit", "67108864", "67108864"},
      {"cache_size", "-65536", "-65536"},
      {"temp_store", "MEMORY", "2"},
      {"foreign_keys", "OFF", "0"},  // kept by the code; checking each insert costs a look-up
  };
  for (const Pragma& pragma : pragmas) RETURN_IF_ERROR(database.set_pragma(pragma.name, pragma.value, pragma.expected));
  return {};
}

/// The steps after version `from`, within the caller's transaction: whole or not at all.
Status run_steps(sqlite::Database& database, int64_t from) {
  for (int64_t version = from; version < archive_schema_version; ++version) RETURN_IF_ERROR(database.execute(archive_steps[version - 1]));
  return database.execute(format("PRAGMA user_version = %lld", static_cast<long long>(archive_schema_version)).c_str());
}

Status create(sqlite::Database& database) {
  RETURN_IF_ERROR(database.execute("PRAGMA page_size = 4096"));
  RETURN_IF_ERROR(set_pragmas(database));
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database));
  RETURN_IF_ERROR(database.execute(archive_schema));
  // PRAGMA takes no bound values; these are our own constants.
  RETURN_IF_ERROR(database.execute(format("PRAGMA application_id = %lld", static_cast<long long>(archive_application_id)).c_str()));
  RETURN_IF_ERROR(run_steps(database, 1));
  return transaction.commit();
}

Status migrate(sqlite::Database& database, int64_t from, Log& log) {
  log_info(log, "archive", "version %lld is brought up to version %lld", static_cast<long long>(from), static_cast<long long>(archive_schema_version));
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database));
  RETURN_IF_ERROR(run_steps(database, from));
  return transaction.commit();
}

Result<bool> is_empty(sqlite::Database& database) {
  ASSIGN_OR_RETURN(const int64_t tables, database.read_integer("SELECT count(*) FROM sqlite_schema"));
  return tables == 0;
}

bool exists(const std::string& path) { return platform::file_size(path).has_value(); }

struct Opened {
  sqlite::Database database;
  int64_t version = 0;
};

Result<Opened> open_file(const std::string& path, ArchiveMode mode, Log& log) {
  if (!exists(path) && exists(path + ".replaced")) {
    return Error{ErrorCode::unsupported, 0, "a restore of the archive was interrupted: run tideline-hub restore again"};
  }
  ASSIGN_OR_RETURN(sqlite::Database database, sqlite::Database::open(path, mode == ArchiveMode::write ? sqlite::OpenMode::create : sqlite::OpenMode::read));
  ASSIGN_OR_RETURN(const bool fresh, is_empty(database));
  if (fresh && mode == ArchiveMode::write) RETURN_IF_ERROR(create(database));
  ASSIGN_OR_RETURN(int64_t version, check_archive_file(database));
  if (!fresh && mode == ArchiveMode::write) RETURN_IF_ERROR(set_pragmas(database));
  if (mode == ArchiveMode::write && version < archive_schema_version) {
    RETURN_IF_ERROR(migrate(database, version, log));
    version = archive_schema_version;
  }
  return Opened{std::move(database), version};
}

}  // namespace

Result<int64_t> check_archive_file(sqlite::Database& database) {
  ASSIGN_OR_RETURN(const int64_t application, database.read_integer("PRAGMA application_id"));
  if (application != archive_application_id) return Error{ErrorCode::unsupported, 0, "the file is a database, but not a hub archive"};
  ASSIGN_OR_RETURN(const int64_t version, database.read_integer("PRAGMA user_version"));
  if (version > archive_schema_version) return Error{ErrorCode::unsupported, static_cast<int>(version), "the archive was made by a newer tideline-hub: install that version"};
  if (version < 1) return Error{ErrorCode::unsupported, static_cast<int>(version), "the file has the mark of a hub archive, but no version"};
  return version;
}

Result<std::unique_ptr<Archive>> open_sqlite_archive(const std::string& path, ArchiveMode mode, Log& log) { return SqliteArchive::open(path, mode, log); }

Result<std::unique_ptr<Archive>> SqliteArchive::open(const std::string& path, ArchiveMode mode, Log& log) {
  std::optional<platform::FileLock> lock;
  if (mode == ArchiveMode::write) {
    ASSIGN_OR_RETURN(platform::FileLock taken, platform::FileLock::take(path + ".lock"));
    lock.emplace(std::move(taken));
  }
  ASSIGN_OR_RETURN(Opened opened, open_file(path, mode, log));
  std::unique_ptr<SqliteArchive> archive(new SqliteArchive(std::move(lock), std::move(opened.database)));
  RETURN_IF_ERROR(archive->devices_.open());
  RETURN_IF_ERROR(archive->epochs_.open());
  RETURN_IF_ERROR(archive->latest_.open());
  RETURN_IF_ERROR(archive->intake_.open());
  RETURN_IF_ERROR(archive->reader_.open());
  archive->has_mcp_ = opened.version >= 2;
  if (archive->has_mcp_) RETURN_IF_ERROR(archive->open_mcp());
  if (opened.version >= 3) RETURN_IF_ERROR(archive->context_.open());
  log_info(log, "archive", "%s: %zu devices, SQLite %s", path.c_str(), archive->devices_.all().size(), sqlite::library_version());
  return std::unique_ptr<Archive>(std::move(archive));
}

SqliteArchive::SqliteArchive(std::optional<platform::FileLock> lock, sqlite::Database database)
    : lock_(std::move(lock)),
      database_(std::move(database)),
      devices_(database_),
      epochs_(database_),
      latest_(database_),
      intake_(database_, devices_, epochs_, latest_),
      reader_(database_, devices_, intake_),
      access_(database_, limits::audit_rows),
      tasks_(database_),
      catalogs_(database_),
      context_(database_, devices_, failed_) {}

Result<std::vector<DeviceRecord>> SqliteArchive::devices() { return devices_.all(); }

Result<DeviceRecord> SqliteArchive::device(const std::string& id) {
  const DeviceRecord* record = devices_.find(id);
  if (record == nullptr) return Error{ErrorCode::not_found, 0, "device"};
  return *record;
}

Result<DeviceRecord> SqliteArchive::put_device(const DeviceRecord& record) {
  RETURN_IF_ERROR(check());
  auto put = devices_.put(record);
  if (!put) (void)guard(put.error());
  return put;
}

Status SqliteArchive::touch_device(DeviceKey device, int64_t last_seen_ns, const std::string& agent_version) {
  RETURN_IF_ERROR(check());
  return guard(devices_.touch(device, last_seen_ns, agent_version));
}

Status SqliteArchive::touch_devices(const std::vector<DeviceTouch>& touches) {
  RETURN_IF_ERROR(check());
  return guard(devices_.touch_all(touches));
}

Status SqliteArchive::put_token(const Token& token) {
  RETURN_IF_ERROR(check());
  return guard(devices_.put_token(token));
}

Result<std::vector<Token>> SqliteArchive::tokens() { return devices_.tokens(); }

Result<Token> SqliteArchive::use_token(const std::string& hash, const std::string& device, int64_t now_ns) {
  RETURN_IF_ERROR(check());
  auto used = devices_.use_token(hash, device, now_ns);
  if (!used) (void)guard(used.error());
  return used;
}

Result<DeviceState> SqliteArchive::load_state(DeviceKey device, const std::string& epoch) {
  RETURN_IF_ERROR(check());
  if (!devices_.contains(device)) return Error{ErrorCode::not_found, 0, "device"};
  ASSIGN_OR_RETURN(EpochState* known, epochs_.load(device, epoch));
  RETURN_IF_ERROR(epochs_.load_series(*known, known->incarnation));
  DeviceState state;
  state.epoch = epoch;
  state.incarnation = known->incarnation;
  state.series_known = known->series.known;
  state.series_hash = known->series.hash;
  for (size_t i = 0; i < model::stream_count; ++i) state.held[i] = known->held[i];
  state.runs = known->runs;
  epochs_.trim();
  return state;
}

Result<std::vector<std::vector<BlockVerdict>>> SqliteArchive::apply(const std::vector<IntakeBatch>& batches) {
  RETURN_IF_ERROR(check());
  auto verdicts = apply_in_transaction(batches);
  if (!verdicts) {
    failed_ = true;
    latest_.forget_offers();
    epochs_.forget_all();
    return verdicts;
  }
  epochs_.trim();
  return verdicts;
}

Result<std::vector<std::vector<BlockVerdict>>> SqliteArchive::apply_in_transaction(const std::vector<IntakeBatch>& batches) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
  std::vector<std::vector<BlockVerdict>> all;
  all.reserve(batches.size());
  for (const IntakeBatch& batch : batches) {
    ASSIGN_OR_RETURN(std::vector<BlockVerdict> verdicts, intake_.apply(batch));
    all.push_back(std::move(verdicts));
  }
  RETURN_IF_ERROR(transaction.commit());
  return all;
}

Result<model::QueryAnswer> Archive::query(const model::Query& query) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveQuery> running, start_query(query));
  for (;;) {
    ASSIGN_OR_RETURN(const bool is_done, running->advance(limits::query_slice_blocks));
    if (is_done) return running->take();
  }
}

Result<std::unique_ptr<ArchiveQuery>> SqliteArchive::start_query(const model::Query& query) {
  RETURN_IF_ERROR(check());
  return std::unique_ptr<ArchiveQuery>(new SqliteQuery(reader_, query));
}

Result<std::vector<LatestValue>> Archive::latest(const model::DeviceSelector& devices, const model::SeriesSelector& series) {
  std::vector<LatestValue> values;
  std::string after;
  for (;;) {
    ASSIGN_OR_RETURN(const bool is_done, latest_some(devices, series, after, limits::latest_slice_devices, values));
    if (is_done) return values;
  }
}

Result<bool> SqliteArchive::latest_some(const model::DeviceSelector& selector, const model::SeriesSelector& series, std::string& after, size_t most_devices,
                                        std::vector<LatestValue>& values) {
  RETURN_IF_ERROR(check());
  std::vector<ArchiveLatest::Row> rows;
  const std::span<const DeviceRecord> candidates = devices_.candidates(selector);
  const auto next = std::partition_point(candidates.begin(), candidates.end(), [&](const DeviceRecord& device) { return device.id <= after; });
  for (const DeviceRecord& device : std::span(next, candidates.end())) {
    if (!selector.matches(device.id, device.labels)) continue;
    if (most_devices-- == 0) return false;
    after = device.id;
    rows.clear();
    RETURN_IF_ERROR(latest_.read_device(device.key, series, rows));
    if (values.size() + rows.size() > limits::query_rows) return Error{ErrorCode::limit, 0, "more than 100000 values: narrow the devices or the series"};
    for (ArchiveLatest::Row& row : rows) values.push_back({device.id, std::move(row.series), std::move(row.point), row.quality});
  }
  return true;
}

Result<std::vector<std::pair<std::string, model::Gap>>> SqliteArchive::gaps(const model::DeviceSelector& selector) {
  RETURN_IF_ERROR(check());
  return reader_.gaps(selector);
}

Result<VerifyReport> SqliteArchive::verify(const Progress& progress) { return verify_archive(database_, progress); }

Result<std::string> SqliteArchive::setting(const std::string& key) { return devices_.setting(key); }

Status SqliteArchive::set_setting(const std::string& key, const std::string& value) {
  RETURN_IF_ERROR(check());
  return guard(devices_.set_setting(key, value));
}

Status SqliteArchive::check() const {
  if (failed_) return Error{ErrorCode::io, 0, "the archive failed earlier and waits to be opened again"};
  return {};
}

/// A failure of the disk makes the archive fail for good; a wrong request does not.
Status SqliteArchive::guard(Status status) {
  if (status) return status;
  const ErrorCode code = status.error().code;
  if (code == ErrorCode::io || code == ErrorCode::full || code == ErrorCode::corrupt) failed_ = true;
  return status;
}

}  // namespace tideline::hub
