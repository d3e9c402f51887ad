// What changes the context in the archive. Reading is in archive_context_read.cpp.
#include "hub/store/archive_context.hpp"

#include <algorithm>

#include "context/limits.hpp"
#include "context/path.hpp"
#include "hub/store/archive_sql.hpp"

namespace tideline::hub {
namespace {

using context::Register;
using context::Side;

void count(ContextState& state, const std::string& path, const context::Entry& entry, bool is_added) {
  const context::Weight weight = context::weight_of(path, entry);
  const uint64_t digest = context::digest_of(path, entry);
  const uint64_t conflict = entry.is_conflict() ? 1 : 0;
  state.replica.digest += is_added ? digest : -digest;
  state.replica.entries += is_added ? weight.entries : -weight.entries;
  state.bytes += is_added ? weight.bytes : -weight.bytes;
  state.tombstones += is_added ? weight.tombstones : -weight.tombstones;
  state.conflicts += is_added ? conflict : -conflict;
}

context::Totals totals_of(const ContextState& state) {
  return {static_cast<size_t>(state.replica.entries), state.bytes, static_cast<size_t>(state.replica.entries + state.tombstones)};
}

bool was_written(const context::Entry& entry) { return entry.of(Side::device).stamp != 0 || entry.of(Side::hub).stamp != 0; }

}  // namespace

Status SqliteContext::agree(std::vector<ContextWork>& work) {
  RETURN_IF_ERROR(check());
  const auto run = [&]() -> Status {
    ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
    for (ContextWork& one : work) RETURN_IF_ERROR(do_work(one));
    return transaction.commit();
  };
  const Status done = run();
  if (!done) has_failed_ = true;
  return done;
}

Status SqliteContext::do_work(ContextWork& work) {
  switch (work.kind) {
    case ContextWork::Kind::open: {
      ASSIGN_OR_RETURN(work.declarations, declarations(work.device));
      return {};
    }
    case ContextWork::Kind::state: {
      ASSIGN_OR_RETURN(const ContextState known, state(work.device));
      work.state = known.replica;
      return {};
    }
    case ContextWork::Kind::page: {
      ASSIGN_OR_RETURN(work.page, page(work.device, work.side, work.after, work.max_bytes));
      return {};
    }
    case ContextWork::Kind::put: return put(work);
    case ContextWork::Kind::holds: return note_holds(work);
    case ContextWork::Kind::declare: return put_declarations_.bind(1, work.device).bind(2, work.declarations).run();
  }
  return {};
}

Status SqliteContext::put(ContextWork& work) {
  ASSIGN_OR_RETURN(Row row, load(work.device));
  std::vector<Register> fresh;
  for (Register& reg : work.registers) {
    const auto taken = put(row, reg, reg.side == Side::hub ? work.now_ns : 0);  // the device has what it sends
    if (!taken && taken.error().code != ErrorCode::limit) return taken.error();
    if (!taken) {
      work.status = taken.error();
      break;
    }
    if (*taken) fresh.push_back(std::move(reg));
  }
  work.registers = std::move(fresh);
  if (row.state.tombstones > context::limits::tombstones + context::limits::tombstones / 10) RETURN_IF_ERROR(forget_tombstones(row));
  work.state = row.state.replica;
  return save(row);
}

/// False when this one, or a later one, is held. Errors: limit (context::Book has the same bounds).
Result<bool> SqliteContext::put(Row& row, const Register& reg, int64_t delivered_ns) {
  ContextState& state = row.state;
  state.clock = std::max(state.clock, reg.write.stamp);
  ASSIGN_OR_RETURN(ContextEntry known, load_entry(row.device, reg.path));
  context::Entry& entry = known.entry;
  if (!context::replaces(reg.write, entry.of(reg.side))) return false;
  const bool is_known = was_written(entry);
  RETURN_IF_ERROR(context::room_for(totals_of(state), entry, reg));
  if (is_known) count(state, reg.path, entry, false);
  if (entry.of(reg.side).stamp != 0) RETURN_IF_ERROR(remember(row, {reg.path, reg.side, entry.of(reg.side)}));
  context::merge(entry, reg.side, reg.write);
  count(state, reg.path, entry, true);
  state.replica.tops[reg.side] = std::max(state.replica.tops[reg.side], reg.write.stamp);
  put_register_.bind(1, row.device).bind(2, reg.path).bind(3, static_cast<int64_t>(index_of(reg.side))).bind(4, to_stored(reg.write.stamp));
  put_register_.bind(5, to_stored(reg.write.seen)).bind(6, int64_t{reg.write.is_deleted}).bind(7, reg.write.expires_ms).bind(8, delivered_ns);
  RETURN_IF_ERROR(put_register_.bind(9, reg.write.author).bind(10, reg.write.value).run());
  return true;
}

Status SqliteContext::note_holds(const ContextWork& work) {
  ASSIGN_OR_RETURN(Row row, load(work.device));
  const context::Stamp before = row.state.holds[Side::hub];
  row.state.holds = work.holds;
  for (const Side side : context::sides) row.state.clock = std::max(row.state.clock, work.holds[side]);
  if (row.state == row.before) return {};
  if (work.holds[Side::hub] != before) row.state.delivered_ns = work.now_ns;
  set_delivered_.bind(1, work.now_ns).bind(2, row.device).bind(3, to_stored(before)).bind(4, to_stored(work.holds[Side::hub]));
  if (work.holds[Side::hub] > before) RETURN_IF_ERROR(set_delivered_.run());
  if (row.state.tombstones > context::limits::tombstones) RETURN_IF_ERROR(forget_tombstones(row));
  return save(row);
}

// ---- Writes of the hub

Result<std::vector<ContextOutcome>> SqliteContext::change(const std::vector<ContextWrite>& writes, UtcNanos now) {
  RETURN_IF_ERROR(check());
  std::vector<ContextOutcome> outcomes(writes.size());
  const auto run = [&]() -> Status {
    ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
    for (size_t i = 0; i < writes.size(); ++i) RETURN_IF_ERROR(change(writes[i], now, outcomes[i]));
    return transaction.commit();
  };
  if (const Status done = run(); !done) {
    has_failed_ = true;
    return done.error();
  }
  return outcomes;
}

Status SqliteContext::change(const ContextWrite& write, UtcNanos now, ContextOutcome& outcome) {
  if (!devices_.contains(write.device)) {
    outcome.refusal = {ErrorCode::not_found, "the device is not known"};
    return {};
  }
  ASSIGN_OR_RETURN(const context::Declarations* rules, declared(write.device));
  ASSIGN_OR_RETURN(Row row, load(write.device));
  ContextEntry known;
  if (context::is_path(write.change->path)) {
    ASSIGN_OR_RETURN(known, load_entry(write.device, write.change->path));
  }
  context::HybridClock clock;
  clock.observe(row.state.clock);
  const context::Judge judge{Side::hub, *rules, totals_of(row.state), now, row.state.replica.tops};
  Register made;
  if (!context::make_register(*write.change, known.entry, judge, clock, made, outcome.refusal)) return {};
  const auto taken = put(row, made, 0);
  if (!taken && taken.error().code == ErrorCode::limit) {
    outcome.refusal = {ErrorCode::limit, write.change->path + ": " + taken.error().context};
    return {};
  }
  if (!taken) return taken.error();
  outcome.is_written = true;
  outcome.stamp = made.write.stamp;
  return save(row);
}

// ---- Expiry

Result<std::vector<ContextExpired>> SqliteContext::expire(UtcNanos now, size_t most) {
  RETURN_IF_ERROR(check());
  std::vector<ContextExpired> expired;
  {
    select_expired_.bind(1, now.nanos / 1'000'000).bind(2, static_cast<int64_t>(most));
    Rows rows(select_expired_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      expired.push_back({select_expired_.integer(0), std::string(select_expired_.text(1)), 0});
    }
  }
  if (expired.empty()) return expired;
  const auto run = [&]() -> Status {
    ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::begin(database_));
    for (ContextExpired& one : expired) RETURN_IF_ERROR(expire(one, now));
    return transaction.commit();
  };
  if (const Status done = run(); !done) {
    has_failed_ = true;
    return done.error();
  }
  return expired;
}

/// The deletion replaces the value that expired and nothing else: what that had not seen is still to be seen.
Status SqliteContext::expire(ContextExpired& one, UtcNanos now) {
  ASSIGN_OR_RETURN(Row row, load(one.device));
  ASSIGN_OR_RETURN(const ContextEntry known, load_entry(one.device, one.path));
  context::HybridClock clock;
  clock.observe(row.state.clock);
  one.stamp = clock.next(now);
  const auto taken = put(row, {one.path, Side::hub, {one.stamp, known.entry.of(Side::hub).seen, true, 0, "expiry", ""}}, 0);
  if (!taken) return taken.error();
  return save(row);
}

// ---- History

/// A write that another one of its side replaces.
Status SqliteContext::remember(Row& row, const Register& old) {
  const auto bytes = static_cast<int64_t>(context::size_of(old));
  add_history_.bind(1, row.device).bind(2, old.path).bind(3, to_stored(old.write.stamp)).bind(4, static_cast<int64_t>(index_of(old.side))).bind(5, bytes);
  add_history_.bind(6, to_stored(old.write.seen)).bind(7, int64_t{old.write.is_deleted}).bind(8, old.write.expires_ms).bind(9, old.write.author);
  RETURN_IF_ERROR(add_history_.bind(10, old.write.value).run());
  row.state.history_bytes += static_cast<uint64_t>(bytes);
  RETURN_IF_ERROR(trim_history(row, old.path));
  return row.state.history_bytes > context_history_bytes ? drop_oldest_history(row) : Status();
}

Status SqliteContext::trim_history(Row& row, const std::string& path) {
  std::vector<int64_t> beyond;
  {
    select_history_sizes_.bind(1, row.device).bind(2, path);
    Rows rows(select_history_sizes_);
    uint64_t sum = 0;
    for (size_t i = 0;; ++i) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      const auto bytes = static_cast<uint64_t>(select_history_sizes_.integer(1));
      sum += bytes;
      if (i == 0 || (i + 1 < context::limits::history && sum <= context::limits::history_bytes)) continue;
      beyond.push_back(select_history_sizes_.integer(0));
      row.state.history_bytes -= std::min(row.state.history_bytes, bytes);
    }
  }
  for (const int64_t id : beyond) RETURN_IF_ERROR(delete_history_.bind(1, id).run());
  return {};
}

Status SqliteContext::drop_oldest_history(Row& row) {
  while (row.state.history_bytes > context_history_bytes) {
    int64_t id = 0;
    {
      select_oldest_.bind(1, row.device);
      Rows rows(select_oldest_);
      ASSIGN_OR_RETURN(const bool found, rows.next());
      if (!found) {
        row.state.history_bytes = 0;
        return {};
      }
      id = select_oldest_.integer(0);
      row.state.history_bytes -= std::min(row.state.history_bytes, static_cast<uint64_t>(select_oldest_.integer(1)));
    }
    RETURN_IF_ERROR(delete_history_.bind(1, id).run());
  }
  return {};
}

// ---- Forgetting

/// Deletions that both sides know, the oldest first, a tenth more than needed: the walk over all entries is not for each deletion.
Status SqliteContext::forget_tombstones(Row& row) {
  if (!context::may_forget(row.state.replica.tops, row.state.holds)) return {};
  const context::Tops known{{std::max(row.state.holds[Side::device], row.state.replica.tops[Side::device]), row.state.holds[Side::hub]}};
  std::vector<std::pair<context::Stamp, std::string>> candidates;
  const auto consider = [&](const std::string& path, const context::Entry& entry) {
    if (path.empty() || context::weight_of(path, entry).tombstones == 0) return;
    const context::Stamp device = entry.of(Side::device).stamp;
    const context::Stamp hub = entry.of(Side::hub).stamp;
    if (device <= known[Side::device] && hub <= known[Side::hub]) candidates.emplace_back(std::max(device, hub), path);
  };
  {
    select_outline_.bind(1, row.device);
    Rows rows(select_outline_);
    std::string path;
    context::Entry entry;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more || select_outline_.text(0) != path) {
        consider(path, entry);
        if (!more) break;
        path = select_outline_.text(0);
        entry = {};
      }
      context::Write& write = entry.of(select_outline_.integer(1) == 0 ? Side::device : Side::hub);
      write.stamp = from_stored(select_outline_.integer(2));
      write.seen = from_stored(select_outline_.integer(3));
      write.is_deleted = select_outline_.integer(4) != 0;
    }
  }
  std::sort(candidates.begin(), candidates.end());
  const size_t excess = row.state.tombstones - std::min<uint64_t>(row.state.tombstones, context::limits::tombstones);
  candidates.resize(std::min(candidates.size(), excess + context::limits::tombstones / 10));
  for (const auto& [stamp, path] : candidates) RETURN_IF_ERROR(forget(row, path));
  return {};
}

Status SqliteContext::forget(Row& row, const std::string& path) {
  ASSIGN_OR_RETURN(const ContextEntry known, load_entry(row.device, path));
  count(row.state, path, known.entry, false);
  RETURN_IF_ERROR(delete_entry_.bind(1, row.device).bind(2, path).run());
  {
    select_history_sizes_.bind(1, row.device).bind(2, path);
    Rows rows(select_history_sizes_);
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.next());
      if (!more) break;
      row.state.history_bytes -= std::min(row.state.history_bytes, static_cast<uint64_t>(select_history_sizes_.integer(1)));
    }
  }
  return delete_history_of_.bind(1, row.device).bind(2, path).run();
}

Status SqliteContext::save(const Row& row) {
  if (row.state == row.before) return {};
  const ContextState& state = row.state;
  put_state_.bind(1, row.device).bind(2, to_stored(state.replica.tops[Side::device])).bind(3, to_stored(state.replica.tops[Side::hub]));
  put_state_.bind(4, to_stored(state.replica.digest)).bind(5, to_stored(state.replica.entries)).bind(6, to_stored(state.tombstones));
  put_state_.bind(7, to_stored(state.conflicts)).bind(8, to_stored(state.bytes)).bind(9, to_stored(state.history_bytes)).bind(10, to_stored(state.clock));
  return put_state_.bind(11, to_stored(state.holds[Side::device])).bind(12, to_stored(state.holds[Side::hub])).bind(13, state.delivered_ns).run();
}

}  // namespace tideline::hub
