#include "hub/mcp/context_answers.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/table.hpp"
#include "base/text.hpp"
#include "context/entry_json.hpp"
#include "context/json_values.hpp"
#include "mcp/content.hpp"

namespace tideline::hub {
namespace {

using context::Side;

constexpr size_t cell_bytes = 40;  // of a value in a table

int64_t ms_of(UtcNanos now) { return now.nanos / 1'000'000; }

bool is_delivered(const ContextRow& row) {
  const context::Stamp stamp = row.held.entry.of(Side::hub).stamp;
  return stamp != 0 && stamp <= row.holds[Side::hub];
}

void write_delivery(json::Writer& w, const ContextRow& row) {
  if (row.held.entry.of(Side::hub).stamp == 0) return;
  w.key("delivered").boolean(is_delivered(row));
  if (is_delivered(row) && row.held.delivered_ns != 0) w.key("delivered_at").text(format_utc({row.held.delivered_ns}));
}

void write_row(json::Writer& w, const ContextRow& row, UtcNanos now) {
  w.key("device").text(row.device);
  context::write_entry(w, row.held.path, row.held.entry, row.rule, ms_of(now));
  write_delivery(w, row);
}

std::string below_desired(const std::string& path) {
  const size_t slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(slash + 1);
}

bool is_there(const context::Write& write, int64_t now_ms) {
  return write.stamp != 0 && !write.is_deleted && (write.expires_ms == 0 || write.expires_ms > now_ms);
}

std::string cell(std::string text) {
  if (text.size() <= cell_bytes) return text;
  size_t end = cell_bytes - 3;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string finish(const std::string& text, const std::string& json) {
  if (json.size() <= limits::tool_answer_bytes) return mcp::tool_answer(text, json);
  return mcp::tool_error("The answer has " + format_size(json.size()) + ", more than the " + format_size(limits::tool_answer_bytes) + " allowed. Ask for fewer devices, a longer prefix or a smaller limit.");
}

}  // namespace

bool is_equal(const ContextRow& row, int64_t now_ms) {
  return is_there(row.reported, now_ms) && context::are_equal(row.held.entry.of(Side::hub).value, row.reported.value);
}

bool is_listed(const ContextRow& row, int64_t now_ms) {
  const context::View view = context::view_of(row.held.entry, row.rule, now_ms);
  return view.value != nullptr || view.loser != nullptr;
}

// ---- One and many

std::string context_row_json(const ContextRow& row, const std::vector<context::Register>* history, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("answered_at").text(format_utc(now)).key("online").boolean(row.is_online);
  write_row(w, row, now);
  if (history != nullptr) context::write_history(w, *history);
  w.end_object();
  return out;
}

std::string context_get_answer(const ContextRow& row, const std::vector<context::Register>* history, const std::string& note, UtcNanos now) {
  std::string text = context::entry_text(row.held.path, row.held.entry, row.rule, ms_of(now));
  if (history != nullptr && history->size() > 1) {
    text += "\nbefore:";
    for (size_t i = 1; i < history->size(); ++i) text += "\n  " + context::write_text((*history)[i].side, (*history)[i].write);
  }
  if (!note.empty()) text += "\n" + note;
  return finish(text, context_row_json(row, history, now));
}

std::string context_rows_json(const ContextAnswer& answer, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("answered_at").text(format_utc(now)).key("entries").begin_array();
  for (const ContextRow& row : answer.rows) {
    w.begin_object();
    write_row(w, row, now);
    w.end_object();
  }
  w.end_array().key("total").unsigned_integer(answer.total).key("conflicts").unsigned_integer(answer.conflicts);
  if (!answer.next_cursor.empty()) w.key("next_cursor").text(answer.next_cursor);
  w.end_object();
  return out;
}

std::string context_list_answer(const ContextAnswer& answer, UtcNanos now) {
  std::string text = answer.rows.empty() ? "Nothing is there." : "";
  size_t shown = 0;
  for (const ContextRow& row : answer.rows) {
    if (++shown > limits::tool_text_rows) {
      text += format("%zu more are in the structured answer.\n", answer.rows.size() - shown + 1);
      break;
    }
    text += row.device + " " + context::entry_text(row.held.path, row.held.entry, row.rule, ms_of(now)) + "\n";
  }
  if (!answer.next_cursor.empty()) text += "There is more: ask with cursor \"" + answer.next_cursor + "\".";
  return finish(text, context_rows_json(answer, now));
}

// ---- Desired and reported

std::string context_diff_json(const ContextAnswer& answer, UtcNanos now) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("answered_at").text(format_utc(now)).key("devices").unsigned_integer(answer.devices);
  w.key("equal").unsigned_integer(answer.equal).key("different").unsigned_integer(answer.different).key("differences").begin_array();
  for (const ContextRow& row : answer.rows) {
    const context::Write& desired = row.held.entry.of(Side::hub);
    w.begin_object().key("device").text(row.device).key("online").boolean(row.is_online).key("path").text(below_desired(row.held.path));
    w.key("desired").raw(desired.value).key("version").text(context::format_version(Side::hub, desired.stamp)).key("author").text(desired.author);
    w.key("time").text(context::written_at(desired.stamp));
    write_delivery(w, row);
    if (is_there(row.reported, ms_of(now))) w.key("reported").raw(row.reported.value).key("reported_time").text(context::written_at(row.reported.stamp));
    w.key("equal").boolean(is_equal(row, ms_of(now)));
    if (is_there(row.error, ms_of(now))) w.key("error").raw(row.error.value);
    w.end_object();
  }
  w.end_array();
  if (!answer.next_cursor.empty()) w.key("next_cursor").text(answer.next_cursor);
  w.end_object();
  return out;
}

std::string context_diff_text(const ContextAnswer& answer, UtcNanos now) {
  std::string text = format("%zu devices, %zu entries as desired, %zu not.\n", answer.devices, answer.equal, answer.different);
  if (answer.rows.empty()) return text;
  Table table;
  for (const char* title : {"device", "path", "desired", "delivered", "reported", "state"}) table.add_column(title);
  for (const ContextRow& row : answer.rows) {
    if (table.rows() == limits::tool_text_rows) break;
    const bool has_answer = is_there(row.reported, ms_of(now));
    const bool has_error = is_there(row.error, ms_of(now));
    table.add_row({row.device + (row.is_online ? "" : " (offline)"), below_desired(row.held.path), cell(row.held.entry.of(Side::hub).value), is_delivered(row) ? "yes" : "no",
                   has_answer ? cell(row.reported.value) : "-", has_error ? "error: " + row.error.value : is_equal(row, ms_of(now)) ? "equal" : "different"});
  }
  text += table.text();
  if (answer.rows.size() > table.rows()) text += format("%zu more are in the structured answer.\n", answer.rows.size() - table.rows());
  return text;
}

std::string context_diff_answer(const ContextAnswer& answer, UtcNanos now) {
  std::string text = context_diff_text(answer, now);
  if (!answer.next_cursor.empty()) text += "There is more: ask with cursor \"" + answer.next_cursor + "\".";
  return finish(text, context_diff_json(answer, now));
}

// ---- Writes

namespace {

const char* state_of(const ContextWritten& one) { return !one.outcome.is_written ? "refused" : one.is_delivered ? "delivered" : "waiting"; }

void write_result(json::Writer& w, const ContextWritten& one) {
  w.key("device").text(one.device).key("state").text(state_of(one));
  if (one.outcome.is_written) w.key("version").text(context::format_version(Side::hub, one.outcome.stamp));
  else w.key("reason").text(one.outcome.refusal.what);
}

/// Those that somebody has to look at come first.
int rank_of(const ContextWritten& one) { return !one.outcome.is_written ? 0 : one.is_delivered ? 2 : 1; }

}  // namespace

std::string context_write_answer(const std::string& path, const std::vector<ContextWritten>& results, bool is_one, const std::string& note) {
  size_t counts[3] = {};
  for (const ContextWritten& one : results) ++counts[rank_of(one)];
  if (is_one && counts[0] != 0) return mcp::tool_error(results.front().outcome.refusal.what);
  std::string out;
  json::Writer w(out);
  w.begin_object().key("path").text(path);
  if (is_one) write_result(w, results.front());
  w.key("devices").unsigned_integer(results.size()).key("written").unsigned_integer(counts[1] + counts[2]).key("refused").unsigned_integer(counts[0]);
  w.key("delivered").unsigned_integer(counts[2]).key("waiting").unsigned_integer(counts[1]);
  std::string text = format("%s: written for %zu of %zu devices; %zu hold it durably, %zu get it when they are in contact.", path.c_str(), counts[1] + counts[2], results.size(), counts[2], counts[1]);
  if (is_one) text = path + " of '" + results.front().device + "' is written, version " + context::format_version(Side::hub, results.front().outcome.stamp) +
                     (counts[2] != 0 ? "; the device holds it." : "; the device gets it when it is in contact.");
  if (!is_one) {
    w.key("results").begin_array();
    size_t left_out = 0;
    for (int rank = 0; rank < 3; ++rank) {
      for (const ContextWritten& one : results) {
        if (rank_of(one) != rank) continue;
        if (out.size() > limits::tool_answer_bytes * 9 / 10) {
          ++left_out;
          continue;
        }
        if (rank == 0 && text.size() < limits::audit_text_bytes * 16) text += "\nrefused for '" + one.device + "': " + one.outcome.refusal.what;
        w.begin_object();
        write_result(w, one);
        w.end_object();
      }
    }
    w.end_array();
    if (left_out > 0) w.key("left_out").unsigned_integer(left_out);
  }
  w.end_object();
  if (!note.empty()) text += " " + note;
  return mcp::ToolResult{{mcp::text_content(text)}, out, counts[0] == results.size()}.to_json();
}

}  // namespace tideline::hub
