// Reading the context in the archive.
#include <algorithm>

#include "context/limits.hpp"
#include "context/path.hpp"
#include "hub/store/archive_context.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

using context::Register;
using context::Side;

/// Columns of a write from `first` on: stamp, seen, deleted, expires_ms, author, value.
context::Write read_write(const sqlite::Statement& row, int first) {
  context::Write write;
  write.stamp = from_stored(row.integer(first));
  write.seen = from_stored(row.integer(first + 1));
  write.is_deleted = row.integer(first + 2) != 0;
  write.expires_ms = row.integer(first + 3);
  write.author = row.text(first + 4);
  write.value = row.text(first + 5);
  return write;
}

Side side_of(int64_t stored) { return stored == 0 ? Side::device : Side::hub; }

}  // namespace

Status SqliteContext::open() {
  RETURN_IF_ERROR(prepare_all(
      database_,
      {
          // index: primary key
          {select_state_, "SELECT top_device, top_hub, digest, entries, tombstones, conflicts, bytes, history_bytes, clock, holds_device, holds_hub, delivered_ns "
                          "FROM context_state WHERE device = ?"},
          {put_state_, "INSERT OR REPLACE INTO context_state(device, top_device, top_hub, digest, entries, tombstones, conflicts, bytes, history_bytes, clock, "
                       "holds_device, holds_hub, delivered_ns) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
          {select_declarations_, "SELECT content FROM context_declarations WHERE device = ?"},
          {put_declarations_, "INSERT INTO context_declarations(device, content) VALUES(?, ?) ON CONFLICT(device) DO UPDATE SET content = excluded.content"},
          // index: context_entry
          {select_entry_, "SELECT side, delivered_ns, stamp, seen, deleted, expires_ms, author, value FROM context WHERE device = ? AND path = ?"},
          {select_list_, "SELECT path, side, delivered_ns, stamp, seen, deleted, expires_ms, author, value FROM context "
                         "WHERE device = ? AND path > ? AND path >= ? AND path < ? ORDER BY path"},
          {select_outline_, "SELECT path, side, stamp, seen, deleted FROM context WHERE device = ? ORDER BY path"},
          {put_register_, "INSERT INTO context(device, path, side, stamp, seen, deleted, expires_ms, delivered_ns, author, value) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                          "ON CONFLICT(device, path, side) DO UPDATE SET stamp = excluded.stamp, seen = excluded.seen, deleted = excluded.deleted, "
                          "expires_ms = excluded.expires_ms, delivered_ns = excluded.delivered_ns, author = excluded.author, value = excluded.value"},
          {delete_entry_, "DELETE FROM context WHERE device = ? AND path = ?"},
          // index: context_order
          {select_page_, "SELECT path, stamp, seen, deleted, expires_ms, author, value FROM context WHERE device = ? AND side = ? AND stamp > ? ORDER BY stamp"},
          {set_delivered_, "UPDATE context SET delivered_ns = ? WHERE device = ? AND side = 1 AND stamp > ? AND stamp <= ? AND delivered_ns = 0"},
          // index: context_expiry
          {select_expired_, "SELECT device, path FROM context WHERE side = 1 AND expires_ms > 0 AND expires_ms <= ? ORDER BY expires_ms LIMIT ?"},
          // index: context_history_entry
          {select_history_, "SELECT side, stamp, seen, deleted, expires_ms, author, value FROM context_history WHERE device = ? AND path = ? ORDER BY stamp DESC"},
          {select_history_sizes_, "SELECT id, bytes FROM context_history WHERE device = ? AND path = ? ORDER BY stamp DESC"},
          {delete_history_of_, "DELETE FROM context_history WHERE device = ? AND path = ?"},
          // index: context_history_order
          {select_oldest_, "SELECT id, bytes FROM context_history WHERE device = ? ORDER BY stamp LIMIT 1"},
          {add_history_, "INSERT INTO context_history(device, path, stamp, side, bytes, seen, deleted, expires_ms, author, value) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
          // index: primary key
          {delete_history_, "DELETE FROM context_history WHERE id = ?"},
      }));
  is_open_ = true;
  return {};
}

Status SqliteContext::check() const {
  if (has_failed_) return Error{ErrorCode::io, 0, "the archive failed earlier and waits to be opened again"};
  if (!is_open_) return Error{ErrorCode::unsupported, 0, "the archive is of an older version: 'tideline-hub serve' brings it up to date"};
  return {};
}

Result<ContextState> SqliteContext::state(DeviceKey device) {
  RETURN_IF_ERROR(check());
  select_state_.bind(1, device);
  Rows rows(select_state_);
  ASSIGN_OR_RETURN(const bool is_there, rows.next());
  ContextState known;
  if (!is_there) return known;
  known.replica.tops = {{from_stored(select_state_.integer(0)), from_stored(select_state_.integer(1))}};
  known.replica.digest = from_stored(select_state_.integer(2));
  known.replica.entries = from_stored(select_state_.integer(3));
  known.tombstones = from_stored(select_state_.integer(4));
  known.conflicts = from_stored(select_state_.integer(5));
  known.bytes = from_stored(select_state_.integer(6));
  known.history_bytes = from_stored(select_state_.integer(7));
  known.clock = from_stored(select_state_.integer(8));
  known.holds = {{from_stored(select_state_.integer(9)), from_stored(select_state_.integer(10))}};
  known.delivered_ns = select_state_.integer(11);
  return known;
}

Result<SqliteContext::Row> SqliteContext::load(DeviceKey device) {
  ASSIGN_OR_RETURN(const ContextState known, state(device));
  return Row{device, known, known};
}

Result<std::string> SqliteContext::declarations(DeviceKey device) {
  RETURN_IF_ERROR(check());
  select_declarations_.bind(1, device);
  Rows rows(select_declarations_);
  ASSIGN_OR_RETURN(const bool is_there, rows.next());
  return is_there ? std::string(select_declarations_.text(0)) : std::string();
}

Result<const context::Declarations*> SqliteContext::declared(DeviceKey device) {
  ASSIGN_OR_RETURN(std::string text, declarations(device));
  if (text != parsed_.first) {
    auto parsed = text.empty() ? Result<context::Declarations>(context::Declarations{}) : context::parse_declarations(text);
    // They were read when they came. A newer program may have taken what this one cannot read: then nothing is declared.
    parsed_ = {std::move(text), parsed ? std::move(*parsed) : context::Declarations{}};
  }
  return &parsed_.second;
}

Result<ContextEntry> SqliteContext::load_entry(DeviceKey device, const std::string& path) {
  ContextEntry known{path, {}, 0};
  select_entry_.bind(1, device).bind(2, path);
  Rows rows(select_entry_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return known;
    const Side side = side_of(select_entry_.integer(0));
    if (side == Side::hub) known.delivered_ns = select_entry_.integer(1);
    known.entry.of(side) = read_write(select_entry_, 2);
  }
}

Result<std::optional<ContextEntry>> SqliteContext::find(DeviceKey device, const std::string& path) {
  RETURN_IF_ERROR(check());
  ASSIGN_OR_RETURN(ContextEntry known, load_entry(device, path));
  const bool is_written = known.entry.of(Side::device).stamp != 0 || known.entry.of(Side::hub).stamp != 0;
  return is_written ? std::optional<ContextEntry>(std::move(known)) : std::nullopt;
}

Result<ContextList> SqliteContext::list(DeviceKey device, const ContextFilter& filter) {
  RETURN_IF_ERROR(check());
  ContextList found;
  std::string prefix = filter.prefix;
  if (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  // '0' follows '/': what lies between and is not under the prefix ("pump-7" of "pump") is passed over below.
  const std::string end = prefix.empty() ? "\x7f" : prefix + "0";
  select_list_.bind(1, device).bind(2, filter.after).bind(3, prefix).bind(4, end);
  Rows rows(select_list_);
  size_t bytes = 0;
  const auto drop_unwanted = [&] {
    if (!found.entries.empty() && filter.conflicts_only && !found.entries.back().entry.is_conflict()) found.entries.pop_back();
  };
  std::string last;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) break;
    const std::string_view path = select_list_.text(0);
    if (!context::is_under(path, prefix)) continue;
    if (path != last) {
      drop_unwanted();
      if (!found.entries.empty() && (found.entries.size() >= filter.entries_most || bytes > filter.bytes_most)) {
        found.is_end = false;
        return found;
      }
      last = path;
      found.entries.push_back({last, {}, 0});
    }
    ContextEntry& entry = found.entries.back();
    const Side side = side_of(select_list_.integer(1));
    if (side == Side::hub) entry.delivered_ns = select_list_.integer(2);
    entry.entry.of(side) = read_write(select_list_, 3);
    bytes += entry.entry.of(side).value.size() + last.size();
  }
  drop_unwanted();
  return found;
}

Result<std::vector<Register>> SqliteContext::history(DeviceKey device, const std::string& path) {
  RETURN_IF_ERROR(check());
  ASSIGN_OR_RETURN(ContextEntry known, load_entry(device, path));
  std::vector<Register> writes;
  for (const Side side : context::sides) {
    if (known.entry.of(side).stamp != 0) writes.push_back({path, side, std::move(known.entry.of(side))});
  }
  select_history_.bind(1, device).bind(2, path);
  Rows rows(select_history_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) break;
    writes.push_back({path, side_of(select_history_.integer(0)), read_write(select_history_, 1)});
  }
  std::stable_sort(writes.begin(), writes.end(), [](const Register& a, const Register& b) { return a.write.stamp > b.write.stamp; });
  if (writes.size() > context::limits::history) writes.resize(context::limits::history);
  return writes;
}

Result<context::RegisterPage> SqliteContext::page(DeviceKey device, Side side, context::Stamp after, size_t max_bytes) {
  RETURN_IF_ERROR(check());
  context::RegisterPage page{side, after, {}, true};
  select_page_.bind(1, device).bind(2, static_cast<int64_t>(index_of(side))).bind(3, to_stored(after));
  Rows rows(select_page_);
  size_t size = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.next());
    if (!more) return page;
    Register reg{std::string(select_page_.text(0)), side, read_write(select_page_, 1)};
    size += context::size_of(reg);
    if (!page.registers.empty() && (size > max_bytes || page.registers.size() >= context::limits::message_registers)) {
      page.is_end = false;
      return page;
    }
    page.registers.push_back(std::move(reg));
  }
}

}  // namespace tideline::hub
