#include "context/entry_json.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

namespace tideline::context {
namespace {

constexpr size_t shown_bytes = 200;  // of a value, in a line for people

constexpr const char* write_members =
    R"("version":{"type":"string","description":"For if_version."},"writer":{"type":"string","enum":["device","hub"]},"author":{"type":"string","description":"Who wrote it, and with what."},)"
    R"("time":{"type":"string","description":"When, by the writer's clock (RFC 3339, UTC)."},"expires":{"type":"string"})";

std::string shown(const Write& write) {
  if (write.is_deleted) return "(deleted)";
  if (write.value.size() <= shown_bytes) return write.value;
  return write.value.substr(0, shown_bytes) + format("... (%zu bytes)", write.value.size());
}

std::string utc_ms(int64_t ms) { return format_utc(UtcNanos{ms * 1'000'000}); }

}  // namespace

std::string any_json_schema(std::string_view description) {
  constexpr std::string_view types = R"("anyOf":[{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"object"},{"type":"array"},{"type":"null"}]})";
  if (description.empty()) return "{" + std::string(types);
  return R"({"description":")" + std::string(description) + "\"," + std::string(types);
}

namespace {

/// Members of what write_write() writes.
std::string write_schema() { return R"("deleted":{"type":"boolean"},"value":)" + any_json_schema() + "," + write_members; }

}  // namespace

std::string entry_schema() {
  return std::string(R"("path":{"type":"string"},"exists":{"type":"boolean"},"value":)" + any_json_schema("Any JSON.") + R"(,"gone":{"type":"string","enum":["deleted","expired"]},)") + write_members +
         R"(,"age_s":{"type":"number"},"rule":{"type":"string","enum":["last_writer","device_wins","hub_wins","keep_both"]},"conflict":{"type":"object",)"
         R"("description":"Device and hub wrote without knowing of each other: the write that lost. A new write settles it.","properties":{)" +
         write_schema() + "}}";
}

std::string history_schema() {
  return std::string(R"("history":{"type":"array","description":"Writes of this entry, the newest first.","items":{"type":"object","properties":{)") +
         write_schema() + "}}}";
}

std::string written_at(Stamp stamp) { return utc_ms(stamp_ms(stamp)); }

namespace {

void write_origin(json::Writer& w, Side side, const Write& write) {
  w.key("version").text(format_version(side, write.stamp)).key("writer").text(side_name(side));
  if (!write.author.empty()) w.key("author").text(write.author);
  w.key("time").text(written_at(write.stamp));
  if (write.expires_ms != 0) w.key("expires").text(utc_ms(write.expires_ms));
}

}  // namespace

void write_write(json::Writer& w, Side side, const Write& write) {
  if (write.is_deleted) w.key("deleted").boolean(true);
  if (!write.is_deleted) w.key("value").raw(write.value);
  write_origin(w, side, write);
}

void write_entry(json::Writer& w, std::string_view path, const Entry& entry, Rule rule, int64_t now_ms) {
  const View view = view_of(entry, rule, now_ms);
  w.key("path").text(path).key("exists").boolean(view.value != nullptr);
  if (view.winner == nullptr) return;
  if (view.value != nullptr) w.key("value").raw(view.value->value);
  if (view.value == nullptr) w.key("gone").text(view.winner->is_deleted ? "deleted" : "expired");
  write_origin(w, view.side, *view.winner);
  w.key("age_s").number(static_cast<double>(now_ms - stamp_ms(view.winner->stamp)) / 1000);
  if (view.loser == nullptr) return;
  w.key("rule").text(rule_name(rule)).key("conflict").begin_object();
  write_write(w, other(view.side), *view.loser);
  w.end_object();
}

void write_history(json::Writer& w, const std::vector<Register>& writes) {
  w.key("history").begin_array();
  for (const Register& one : writes) {
    w.begin_object();
    write_write(w, one.side, one.write);
    w.end_object();
  }
  w.end_array();
}

std::string write_text(Side side, const Write& write) {
  return shown(write) + "  (" + side_name(side) + (write.author.empty() ? "" : ", " + write.author) + ", " + written_at(write.stamp) + ")";
}

std::string entry_text(std::string_view path, const Entry& entry, Rule rule, int64_t now_ms) {
  const View view = view_of(entry, rule, now_ms);
  std::string line(path);
  if (view.winner == nullptr) return line + ": nothing was ever written";
  if (view.value != nullptr) {
    line += " = " + write_text(view.side, *view.value);
  } else {
    line += ": nothing is there, " + std::string(view.winner->is_deleted ? "deleted" : "expired") + "  (" + side_name(view.side) + ", " + view.winner->author + ", " +
            written_at(view.winner->stamp) + ")";
  }
  if (view.loser != nullptr) line += "\n  conflict, this lost: " + write_text(other(view.side), *view.loser);
  return line;
}

}  // namespace tideline::context
