#include "hub/store/archive_verify.hpp"

#include <map>

#include "base/log.hpp"
#include "base/text.hpp"
#include "hub/store/archive_access.hpp"
#include "hub/store/archive_columns.hpp"
#include "hub/store/archive_context_verify.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

constexpr size_t problems_reported = 20;

class Verifier {
 public:
  Verifier(sqlite::Database& database, const Archive::Progress& progress) : database_(database), progress_(progress) {}

  Result<VerifyReport> run() {
    ASSIGN_OR_RETURN(const int64_t devices, database_.read_integer("SELECT count(*) FROM device"));
    ASSIGN_OR_RETURN(const int64_t blocks, database_.read_integer("SELECT count(*) FROM block"));
    report_.devices = static_cast<uint64_t>(devices);
    total_ = static_cast<uint64_t>(blocks);
    // index: block_seq
    ASSIGN_OR_RETURN(select_blocks_, database_.prepare("SELECT first, count, incarnation, shift_ns, time_min_ns, time_max_ns, data FROM block "
                                                       "WHERE epoch = ? AND stream = ? ORDER BY first"));
    // index: primary keys by prefix
    ASSIGN_OR_RETURN(select_gaps_, database_.prepare("SELECT first, last, count, reason FROM gap WHERE epoch = ? AND stream = ?"));
    ASSIGN_OR_RETURN(select_held_, database_.prepare("SELECT first, last FROM held WHERE epoch = ? AND stream = ?"));
    ASSIGN_OR_RETURN(select_series_, database_.prepare("SELECT incarnation, count(*) FROM series WHERE epoch = ? GROUP BY incarnation"));
    ASSIGN_OR_RETURN(sqlite::Statement epochs, database_.prepare("SELECT e.id, d.name, e.name FROM epoch e JOIN device d ON d.id = e.device ORDER BY e.id"));
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, epochs.step());
      if (!more) break;
      where_ = std::string(epochs.text(1)) + " epoch " + std::string(epochs.text(2)).substr(0, 8);
      RETURN_IF_ERROR(check_epoch(epochs.integer(0)));
    }
    // Version 1 has none.
    ASSIGN_OR_RETURN(const int64_t version, database_.read_integer("PRAGMA user_version"));
    if (version >= 2) RETURN_IF_ERROR(verify_audit(database_, problems_reported, report_.problems));
    if (version >= 3) RETURN_IF_ERROR(verify_context(database_, problems_reported, report_.problems));
    if (progress_) progress_(total_, total_);
    return report_;
  }

 private:
  Status check_epoch(int64_t epoch) {
    series_.clear();
    {
      select_series_.bind(1, epoch);
      Rows rows(select_series_);
      for (;;) {
        ASSIGN_OR_RETURN(const bool more, rows.next());
        if (!more) break;
        series_[static_cast<uint32_t>(select_series_.integer(0))] = static_cast<model::SeriesId>(select_series_.integer(1));
      }
    }
    for (const model::Stream stream : model::streams) RETURN_IF_ERROR(check_stream(epoch, stream));
    return {};
  }

  Status check_stream(int64_t epoch, model::Stream stream) {
    model::SeqRanges blocks;
    RETURN_IF_ERROR(read_blocks(epoch, stream, blocks));
    model::SeqRanges all = blocks;
    RETURN_IF_ERROR(read_gaps(epoch, stream, all));
    const model::Seq highest = all.ranges().empty() ? 0 : all.ranges().back().last;
    model::Seq from = 1;
    for (model::SeqRange missing = all.first_missing(from, highest); highest > 0 && !missing.is_empty(); missing = all.first_missing(from, highest)) {
      report_.missing += missing.count();
      problem(format("%s %s: readings %s to %s are neither held nor declared lost", where_.c_str(), model::stream_name(stream),
                     format_count(missing.first).c_str(), format_count(missing.last).c_str()));
      from = missing.last + 1;
    }
    return check_held(epoch, stream, blocks, all);
  }

  Status read_blocks(int64_t epoch, model::Stream stream, model::SeqRanges& held) {
    select_blocks_.bind(1, epoch).bind(2, static_cast<int64_t>(stream));
    Rows rows(select_blocks_);
    model::Seq last = 0;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) return {};
      const model::Seq first = from_stored(select_blocks_.integer(0));
      const uint64_t count = from_stored(select_blocks_.integer(1));
      const model::SeqRange range{first, first + count - 1};
      if (first <= last) {
        report_.duplicates += std::min(last, range.last) - first + 1;
        problem(format("%s %s: readings from %s are held twice", where_.c_str(), model::stream_name(stream), format_count(first).c_str()));
      }
      last = std::max(last, range.last);
      (void)held.add(range, SIZE_MAX);
      ++report_.blocks;
      report_.readings += count;
      if (const char* trouble = check_block(stream, range); trouble != nullptr) {
        ++report_.unreadable_blocks;
        problem(format("%s %s: block at %s: %s", where_.c_str(), model::stream_name(stream), format_count(first).c_str(), trouble));
      }
      if (progress_ && report_.blocks % 1024 == 0) progress_(report_.blocks, total_);
    }
  }

  /// Null, or what is wrong with the block of the present row.
  const char* check_block(model::Stream stream, model::SeqRange range) {
    const auto view = block::BlockView::open(select_blocks_.blob(6));
    if (!view) return view.error().context;
    if (view->meta().stream != stream || view->range() != range) return "its header names other readings";
    const auto known = series_.find(static_cast<uint32_t>(select_blocks_.integer(2)));
    for (const block::Column& column : view->columns()) {
      if (known == series_.end() || column.series >= known->second) return "it names a series that is not defined";
      if (const auto decoded = decoder_.decode(column, 0); !decoded) return decoded.error().context;
    }
    const TimeRange times = time_range(*view, select_blocks_.integer(3));
    if (times.min_ns != select_blocks_.integer(4) || times.max_ns != select_blocks_.integer(5)) return "its times are not those of its row";
    return nullptr;
  }

  Status read_gaps(int64_t epoch, model::Stream stream, model::SeqRanges& all) {
    select_gaps_.bind(1, epoch).bind(2, static_cast<int64_t>(stream));
    Rows rows(select_gaps_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) return {};
      (void)all.add({from_stored(select_gaps_.integer(0)), from_stored(select_gaps_.integer(1))}, SIZE_MAX);
      // A roll-back says that numbers were skipped, not that readings were lost.
      if (static_cast<model::GapReason>(select_gaps_.integer(3)) != model::GapReason::rollback) report_.declared_lost += from_stored(select_gaps_.integer(2));
    }
  }

  /// The cursor must follow from the data (law 4): every block is in it, and nothing that is neither block nor gap.
  Status check_held(int64_t epoch, model::Stream stream, const model::SeqRanges& blocks, const model::SeqRanges& all) {
    model::SeqRanges held;
    select_held_.bind(1, epoch).bind(2, static_cast<int64_t>(stream));
    Rows rows(select_held_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      const model::SeqRange range{from_stored(select_held_.integer(0)), from_stored(select_held_.integer(1))};
      (void)held.add(range, SIZE_MAX);
      if (!all.covers(range)) problem(format("%s %s: the cursor covers readings that are not held", where_.c_str(), model::stream_name(stream)));
    }
    for (const model::SeqRange& range : blocks.ranges()) {
      if (!held.covers(range)) problem(format("%s %s: the cursor does not cover a block from %s", where_.c_str(), model::stream_name(stream), format_count(range.first).c_str()));
    }
    return {};
  }

  void problem(std::string text) {
    if (report_.problems.size() < problems_reported) report_.problems.push_back(std::move(text));
  }

  sqlite::Database& database_;
  const Archive::Progress& progress_;
  VerifyReport report_;
  uint64_t total_ = 0;
  std::string where_;
  std::map<uint32_t, model::SeriesId> series_;  // number of definitions by incarnation
  sqlite::Statement select_blocks_;
  sqlite::Statement select_gaps_;
  sqlite::Statement select_held_;
  sqlite::Statement select_series_;
  ColumnDecoder decoder_;
};

}  // namespace

Result<VerifyReport> verify_archive(sqlite::Database& database, const Archive::Progress& progress) { return Verifier(database, progress).run(); }

}  // namespace tideline::hub
