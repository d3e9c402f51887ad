#include "agent/store/segment.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include "agent/store/pragmas.hpp"
#include "agent/store/series_codec.hpp"
#include "base/limits.hpp"
#include "block/decoder.hpp"

namespace tideline::agent {
namespace {

constexpr const char* schema_sql =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, definition BLOB NOT NULL);"
    // data stands last: the carver takes the tail of a record.
    "CREATE TABLE block(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL,"
    " boot INTEGER NOT NULL, utc_offset INTEGER NOT NULL, data BLOB NOT NULL);";
constexpr std::string_view format_version = "1";

const Error foreign{ErrorCode::corrupt, 0, "segment belongs to another store"};

int64_t to_signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t to_unsigned(int64_t value) { return static_cast<uint64_t>(value); }

BlockRow read_row(const sqlite::Statement& statement) {
  BlockRow row;
  row.first = to_unsigned(statement.integer(0));
  row.count = static_cast<uint32_t>(statement.integer(1));
  row.time_min_ns = statement.integer(2);
  row.time_max_ns = statement.integer(3);
  row.boot_id = to_unsigned(statement.integer(4));
  row.utc_offset_ns = statement.integer(5);
  return row;
}

/// One row of a prepared look-up, or none.
Result<std::optional<BlockRow>> look_up(sqlite::Statement& statement, model::Seq seq) {
  statement.reset();
  const auto found = statement.bind(1, to_signed(seq)).step();
  if (!found) return found.error();
  std::optional<BlockRow> row;
  if (*found) row = read_row(statement);
  statement.reset();
  return row;
}

}  // namespace

void SegmentSummary::add(const BlockRow& row) {
  if (readings == 0) {
    range = row.range();
    boot_id = row.boot_id;
  }
  if (boot_id != row.boot_id) boot_id = 0;
  range.first = std::min(range.first, row.first);
  range.last = std::max(range.last, row.range().last);
  readings += row.count;
  time_min_ns = std::min(time_min_ns, row.time_min_ns);
  time_max_ns = std::max(time_max_ns, row.time_max_ns);
  offset_min_ns = std::min(offset_min_ns, row.utc_offset_ns);
  offset_max_ns = std::max(offset_max_ns, row.utc_offset_ns);
  // 2 % for overflow pointers, half a page for what does not fill its last one.
  bytes += row.data.size() + row.data.size() / 50 + store_page_bytes / 2;
}

Result<Segment> Segment::create(const std::string& path, const SegmentIdentity& identity) {
  ASSIGN_OR_RETURN(sqlite::Database database, sqlite::Database::open(path, sqlite::OpenMode::create));
  RETURN_IF_ERROR(set_writer_pragmas(database));
  Segment segment(std::move(database));
  {
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(segment.database_));
    RETURN_IF_ERROR(segment.database_.execute(schema_sql));
    RETURN_IF_ERROR(segment.put_meta("version", format_version));
    RETURN_IF_ERROR(segment.put_meta("epoch", identity.epoch));
    RETURN_IF_ERROR(segment.put_meta("incarnation", std::to_string(identity.incarnation)));
    RETURN_IF_ERROR(segment.put_meta("stream", model::stream_name(identity.stream)));
    RETURN_IF_ERROR(segment.put_meta("number", std::to_string(identity.number)));
    RETURN_IF_ERROR(transaction.commit());
  }
  RETURN_IF_ERROR(segment.database_.checkpoint(false));
  RETURN_IF_ERROR(segment.prepare());
  return segment;
}

Result<Segment> Segment::open(const std::string& path, const SegmentIdentity& identity) {
  ASSIGN_OR_RETURN(sqlite::Database database, sqlite::Database::open(path, sqlite::OpenMode::write));
  RETURN_IF_ERROR(set_writer_pragmas(database));
  Segment segment(std::move(database));
  RETURN_IF_ERROR(segment.check_identity(identity));
  RETURN_IF_ERROR(segment.prepare());
  return segment;
}

Result<Segment> Segment::open_sealed(const std::string& path, const SegmentIdentity& identity) {
  ASSIGN_OR_RETURN(sqlite::Database database, sqlite::Database::open(path, sqlite::OpenMode::immutable));
  RETURN_IF_ERROR(set_reader_pragmas(database));
  Segment segment(std::move(database));
  RETURN_IF_ERROR(segment.check_identity(identity));
  RETURN_IF_ERROR(segment.prepare());
  return segment;
}

Status Segment::append(std::span<const BlockRow> rows, std::span<const SeriesRow> series) {
  ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(database_));
  RETURN_IF_ERROR(insert(rows, series));
  RETURN_IF_ERROR(transaction.commit());
  for (const BlockRow& row : rows) wal_pages_ += row.data.size() / 1000 + 2;
  wal_pages_ += series.size() / 4 + 2;
  if (wal_pages_ < limits::checkpoint_pages) return {};
  wal_pages_ = 0;
  return database_.checkpoint(false);
}

Status Segment::insert(std::span<const BlockRow> rows, std::span<const SeriesRow> series) {
  ByteBuffer definition;
  for (const SeriesRow& row : series) {
    encode_series(*row.series, definition);
    RETURN_IF_ERROR(insert_series_.bind(1, int64_t{row.id}).bind(2, Bytes(definition)).run());
  }
  for (const BlockRow& row : rows) {
    insert_block_.bind(1, to_signed(row.first)).bind(2, int64_t{row.count}).bind(3, row.time_min_ns).bind(4, row.time_max_ns);
    RETURN_IF_ERROR(insert_block_.bind(5, to_signed(row.boot_id)).bind(6, row.utc_offset_ns).bind(7, row.data).run());
  }
  return {};
}

Status Segment::seal(const SegmentSummary& summary) {
  {
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::begin(database_));
    RETURN_IF_ERROR(put_meta("readings", std::to_string(summary.readings)));
    RETURN_IF_ERROR(put_meta("time_min", std::to_string(summary.time_min_ns)));
    RETURN_IF_ERROR(put_meta("time_max", std::to_string(summary.time_max_ns)));
    RETURN_IF_ERROR(put_meta("offset_min", std::to_string(summary.offset_min_ns)));
    RETURN_IF_ERROR(put_meta("offset_max", std::to_string(summary.offset_max_ns)));
    RETURN_IF_ERROR(put_meta("boot", std::to_string(summary.boot_id)));
    RETURN_IF_ERROR(transaction.commit());
  }
  RETURN_IF_ERROR(database_.checkpoint(true));
  // A statement that is still prepared would keep the journal mode from changing.
  insert_block_ = {};
  insert_series_ = {};
  select_before_ = {};
  select_after_ = {};
  select_data_ = {};
  return database_.set_pragma("journal_mode", "DELETE", "delete");
}

Status Segment::check(size_t newest_blocks) {
  ASSIGN_OR_RETURN(const std::string verdict, database_.read_text("PRAGMA quick_check(1)"));
  if (std::string_view(verdict) != "ok") return Error{ErrorCode::corrupt, 0, "segment pages"};
  ByteBuffer data;
  model::Seq before = INT64_MAX;
  for (size_t i = 0; i < newest_blocks; ++i) {
    ASSIGN_OR_RETURN(const auto row, find_before(before));
    if (!row) break;
    RETURN_IF_ERROR(read_data(row->first, data));
    const auto view = block::BlockView::open(data);
    if (!view || view->range() != row->range()) return Error{ErrorCode::corrupt, 0, "block in segment"};
    before = row->first;
  }
  return {};
}

Status Segment::repair_after_failure(model::Seq next) {
  RETURN_IF_ERROR(database_.checkpoint(true));
  ASSIGN_OR_RETURN(auto statement, database_.prepare("DELETE FROM block WHERE first >= ?1"));
  return statement.bind(1, to_signed(next)).run();
}

Result<SegmentSummary> Segment::summarize(bool sealed) {
  SegmentSummary summary;
  summary.sealed = sealed;
  ASSIGN_OR_RETURN(const auto first, find(0));
  if (!first) return summary;
  ASSIGN_OR_RETURN(const auto last, find_before(INT64_MAX));
  if (!last) return Error{ErrorCode::corrupt, 0, "segment rows"};
  summary.range = {first->first, last->range().last};
  if (sealed) {
    ASSIGN_OR_RETURN(const int64_t readings, meta_integer("readings"));
    ASSIGN_OR_RETURN(summary.time_min_ns, meta_integer("time_min"));
    ASSIGN_OR_RETURN(summary.time_max_ns, meta_integer("time_max"));
    ASSIGN_OR_RETURN(summary.offset_min_ns, meta_integer("offset_min"));
    ASSIGN_OR_RETURN(summary.offset_max_ns, meta_integer("offset_max"));
    ASSIGN_OR_RETURN(const std::string boot, meta("boot"));
    std::from_chars(boot.data(), boot.data() + boot.size(), summary.boot_id);
    summary.readings = to_unsigned(readings);
    if (summary.readings == 0 || summary.readings > summary.range.count()) return Error{ErrorCode::corrupt, 0, "segment totals"};
    return summary;
  }
  // Scans the leaf pages of one segment; only an unsealed one needs it. length() does not read overflow pages.
  ASSIGN_OR_RETURN(auto statement, database_.prepare("SELECT sum(count), min(t_min), max(t_max), min(utc_offset), max(utc_offset),"
                                                     " min(boot), max(boot), sum(length(data)), count(*) FROM block"));
  ASSIGN_OR_RETURN(const bool found, statement.step());
  if (!found) return Error{ErrorCode::corrupt, 0, "segment rows"};
  summary.readings = to_unsigned(statement.integer(0));
  summary.time_min_ns = statement.integer(1);
  summary.time_max_ns = statement.integer(2);
  summary.offset_min_ns = statement.integer(3);
  summary.offset_max_ns = statement.integer(4);
  summary.boot_id = statement.integer(5) == statement.integer(6) ? to_unsigned(statement.integer(5)) : 0;
  const uint64_t data = to_unsigned(statement.integer(7));
  summary.bytes = data + data / 50 + to_unsigned(statement.integer(8)) * (store_page_bytes / 2);
  return summary;
}

Result<std::optional<BlockRow>> Segment::find(model::Seq seq) {
  ASSIGN_OR_RETURN(auto row, look_up(select_before_, seq + 1));
  if (row && row->range().last >= seq) return row;
  return look_up(select_after_, seq);
}

Result<std::optional<BlockRow>> Segment::find_before(model::Seq seq) { return look_up(select_before_, seq); }

Status Segment::read_data(model::Seq first, ByteBuffer& out) {
  ASSIGN_OR_RETURN(const bool found, select_data_.bind(1, to_signed(first)).step());
  if (found) {
    const Bytes data = select_data_.blob(0);
    out.assign(data.begin(), data.end());
  }
  select_data_.reset();  // an open read would keep the WAL from being emptied
  if (!found) return Error{ErrorCode::corrupt, 0, "block row"};
  return {};
}

Result<std::vector<std::pair<model::SeriesId, model::Series>>> Segment::read_series() {
  std::vector<std::pair<model::SeriesId, model::Series>> all;
  ASSIGN_OR_RETURN(auto statement, database_.prepare("SELECT id, definition FROM series ORDER BY id"));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement.step());
    if (!found) return all;
    auto series = decode_series(statement.blob(1));
    const int64_t id = statement.integer(0);
    if (series && id >= 0 && id < int64_t{limits::series_per_device}) all.emplace_back(static_cast<model::SeriesId>(id), std::move(*series));
  }
}

Result<SegmentIdentity> Segment::read_identity() {
  SegmentIdentity identity;
  ASSIGN_OR_RETURN(identity.epoch, meta("epoch"));
  ASSIGN_OR_RETURN(const int64_t incarnation, meta_integer("incarnation"));
  ASSIGN_OR_RETURN(const int64_t number, meta_integer("number"));
  ASSIGN_OR_RETURN(const std::string stream, meta("stream"));
  identity.incarnation = static_cast<uint32_t>(incarnation);
  identity.number = static_cast<uint32_t>(number);
  if (!model::parse_stream(stream, identity.stream)) return Error{ErrorCode::corrupt, 0, "segment stream"};
  return identity;
}

Status Segment::check_identity(const SegmentIdentity& identity) {
  ASSIGN_OR_RETURN(const std::string version, meta("version"));
  if (version != format_version) return Error{ErrorCode::corrupt, 0, "segment version"};
  ASSIGN_OR_RETURN(const SegmentIdentity actual, read_identity());
  if (!identity.epoch.empty() && actual.epoch != identity.epoch) return foreign;
  if (actual.stream != identity.stream || actual.number != identity.number) return foreign;
  return {};
}

Status Segment::put_meta(const char* key, std::string_view value) {
  ASSIGN_OR_RETURN(auto statement, database_.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)"));
  return statement.bind(1, std::string_view(key)).bind(2, value).run();
}

Result<std::string> Segment::meta(const char* key) {
  ASSIGN_OR_RETURN(auto statement, database_.prepare("SELECT value FROM meta WHERE key = ?1"));
  ASSIGN_OR_RETURN(const bool found, statement.bind(1, std::string_view(key)).step());
  if (!found) return Error{ErrorCode::corrupt, 0, "segment meta"};
  return std::string(statement.text(0));
}

Result<int64_t> Segment::meta_integer(const char* key) {
  ASSIGN_OR_RETURN(const std::string text, meta(key));
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return Error{ErrorCode::corrupt, 0, "segment meta"};
  return value;
}

Status Segment::prepare() {
  ASSIGN_OR_RETURN(insert_series_, database_.prepare("INSERT OR IGNORE INTO series(id, definition) VALUES(?1, ?2)"));
  ASSIGN_OR_RETURN(insert_block_, database_.prepare("INSERT INTO block(first, count, t_min, t_max, boot, utc_offset, data)"
                                                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  // All by primary key.
  ASSIGN_OR_RETURN(select_before_, database_.prepare("SELECT first, count, t_min, t_max, boot, utc_offset FROM block"
                                                     " WHERE first < ?1 ORDER BY first DESC LIMIT 1"));
  ASSIGN_OR_RETURN(select_after_, database_.prepare("SELECT first, count, t_min, t_max, boot, utc_offset FROM block"
                                                    " WHERE first > ?1 ORDER BY first LIMIT 1"));
  ASSIGN_OR_RETURN(select_data_, database_.prepare("SELECT data FROM block WHERE first = ?1"));
  return {};
}

SegmentForm inspect_segment(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return SegmentForm::missing;
  uint8_t header[100] = {};
  const size_t size = std::fread(header, 1, sizeof header, file.get());
  if (size == 0) return SegmentForm::empty;
  // sqlite.org/fileformat2.html 1.3: magic, page size, write and read version (1 journal, 2 WAL).
  if (size != sizeof header || std::memcmp(header, "SQLite format 3", 16) != 0) return SegmentForm::damaged;
  if (header[16] * 256 + header[17] != store_page_bytes || header[18] != header[19]) return SegmentForm::damaged;
  return header[18] == 1 ? SegmentForm::sealed : header[18] == 2 ? SegmentForm::unsealed : SegmentForm::damaged;
}

}  // namespace tideline::agent
