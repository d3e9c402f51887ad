#include "agent/inputs/ingest_session.hpp"

#include <algorithm>

#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

std::string_view without_outer_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string reply_line(const IngestSession::Counts& counts, const Status& status) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object();
  writer.key("accepted").unsigned_integer(counts.accepted).key("rejected").unsigned_integer(counts.rejected);
  writer.key("readings").unsigned_integer(counts.readings).key("errors").begin_array();
  for (const IngestSession::ErrorLine& error : counts.errors) {
    writer.begin_object().key("line").unsigned_integer(error.line).key("reason").text(error.reason).end_object();
  }
  writer.end_array();
  if (!status) {
    writer.key("error").text(std::string(error_name(status.error().code)) + ": " + status.error().context);
  }
  writer.end_object();
  line.push_back('\n');
  return line;
}

}  // namespace

IngestSession::IngestSession(const SeriesRules& rules, Sink& sink, Owner& owner, LineOptions options)
    : sink_(sink), owner_(owner), parser_(rules, sink, options) {}

size_t IngestSession::feed(Bytes bytes, UtcNanos now) {
  const size_t given = bytes.size();
  LineSplitter::Line line;
  while (can_take() && splitter_.next(bytes, line)) take(line, now);
  return given - bytes.size();
}

bool IngestSession::finish(UtcNanos now) {
  if (!can_take()) return false;
  LineSplitter::Line line;
  if (splitter_.finish(line)) take(line, now);
  return true;
}

void IngestSession::take(const LineSplitter::Line& line, UtcNanos now) {
  ++line_number_;
  if (line.is_too_long) return reject("line is longer than 65536 bytes");
  const std::string_view text = without_outer_space(line.text);
  if (text.empty()) return;
  if (text.front() == '#') {
    if (text == "#sync") begin_sync();
    return;
  }
  const LineResult result = parser_.parse(text, now);
  if (!result.is_good()) return reject(result.reason);
  for (Counts* counts : {&counts_, &totals_}) {
    ++counts->accepted;
    counts->readings += result.readings;
  }
}

void IngestSession::reject(Counts& counts, uint64_t line, const char* reason) {
  ++counts.rejected;
  if (counts.errors.size() < limits::ingest_errors_reported) counts.errors.push_back({line, reason});
}

void IngestSession::reject(const char* reason) {
  reject(counts_, line_number_, reason);
  reject(totals_, line_number_, reason);
}

void IngestSession::begin_sync() {
  const SyncId id = next_sync_++;
  syncs_.push_back({id, std::move(counts_), false, {}});
  counts_ = {};
  owner_.request_sync(*this, id);
}

void IngestSession::on_durable(SyncId id, const Status& status) {
  const auto place = std::find_if(syncs_.begin(), syncs_.end(), [&](const Sync& sync) { return sync.id == id; });
  if (place == syncs_.end()) return;
  place->is_done = true;
  place->status = status;
  while (!syncs_.empty() && syncs_.front().is_done) {
    std::string line = reply_line(syncs_.front().counts, syncs_.front().status);
    syncs_.pop_front();
    owner_.send_reply(*this, std::move(line));
  }
}

}  // namespace tideline::agent
