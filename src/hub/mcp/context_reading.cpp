#include "hub/mcp/context_reading.hpp"

#include <algorithm>

#include "context/path.hpp"

namespace tideline::hub {
namespace {

using context::Side;

constexpr size_t entries_at_once = 256;

std::string under(std::string_view prefix, std::string_view path) {
  std::string text(prefix);
  if (!path.empty()) text.append("/").append(path);
  return text;
}

}  // namespace

Result<ContextRow> read_context_row(ContextArchive& archive, const ContextTarget& target, const std::string& path) {
  ContextRow row{target.id, target.is_online, {path, {}, 0}, {}, {}, {}, {}};
  ASSIGN_OR_RETURN(auto found, archive.find(target.key, path));
  if (found) row.held = std::move(*found);
  ASSIGN_OR_RETURN(const context::Declarations* declared, archive.declared(target.key));
  row.rule = declared->rule(path);
  ASSIGN_OR_RETURN(const ContextState state, archive.state(target.key));
  row.holds = state.holds;
  return row;
}

ContextReading::ContextReading(Kind kind, ContextListRequest request, std::vector<ContextTarget> targets, UtcNanos now)
    : kind_(kind), request_(std::move(request)), targets_(std::move(targets)), now_ms_(now.nanos / 1'000'000) {
  std::erase_if(targets_, [this](const ContextTarget& target) { return target.id < request_.after_device; });
}

Result<bool> ContextReading::advance(ContextArchive& archive, size_t devices) {
  for (; devices > 0 && at_ < targets_.size() && !is_done_; --devices) {
    RETURN_IF_ERROR(read(archive, targets_[at_]));
    if (!is_done_) ++at_;
  }
  is_done_ = is_done_ || at_ == targets_.size();
  return is_done_;
}

Status ContextReading::read(ContextArchive& archive, const ContextTarget& target) {
  ASSIGN_OR_RETURN(const ContextState state, archive.state(target.key));
  ++answer_.devices;
  answer_.total += state.replica.entries;
  answer_.conflicts += state.conflicts;
  if (state.clock == 0 || (request_.conflicts_only && state.conflicts == 0)) return {};
  ContextFilter filter;
  filter.prefix = kind_ == Kind::list ? request_.prefix : under(context::desired_prefix, request_.prefix);
  filter.conflicts_only = request_.conflicts_only;
  filter.entries_most = entries_at_once;
  if (target.id == request_.after_device) filter.after = request_.after_path;
  for (;;) {
    ASSIGN_OR_RETURN(ContextList list, archive.list(target.key, filter));
    ASSIGN_OR_RETURN(const context::Declarations* declared, archive.declared(target.key));
    std::vector<context::Rule> rules;
    for (const ContextEntry& entry : list.entries) rules.push_back(declared->rule(entry.path));
    for (size_t i = 0; i < list.entries.size(); ++i) {
      filter.after = list.entries[i].path;
      RETURN_IF_ERROR(add(archive, target, {target.id, target.is_online, std::move(list.entries[i]), rules[i], state.holds, {}, {}}));
      if (is_done_) return {};
    }
    if (list.is_end) return {};
  }
}

Status ContextReading::add(ContextArchive& archive, const ContextTarget& target, ContextRow row) {
  if (!is_listed(row, now_ms_)) return {};
  if (kind_ == Kind::diff) {
    const std::string path = row.held.path.size() > context::desired_prefix.size() ? row.held.path.substr(context::desired_prefix.size() + 1) : "";
    if (path.empty()) return {};  // desired itself
    ASSIGN_OR_RETURN(const auto reported, archive.find(target.key, under(context::reported_prefix, path)));
    ASSIGN_OR_RETURN(const auto error, archive.find(target.key, under(context::reported_prefix, "_error/" + path)));
    if (reported) row.reported = reported->entry.of(Side::device);
    if (error) row.error = error->entry.of(Side::device);
    const bool is_settled = is_equal(row, now_ms_) && (row.error.stamp == 0 || row.error.is_deleted);
    ++(is_settled ? answer_.equal : answer_.different);
    if (is_settled && !request_.shows_all) return {};
  }
  // A full page ends with what it holds: only one entry more tells that there is a next one.
  if (is_full()) {
    answer_.next_cursor = context_cursor(answer_.rows.back().device, answer_.rows.back().held.path);
    is_done_ = true;
    return {};
  }
  bytes_ += row.held.path.size() + row.reported.value.size() + 200;
  for (const Side side : context::sides) bytes_ += row.held.entry.of(side).value.size();
  answer_.rows.push_back(std::move(row));
  return {};
}

}  // namespace tideline::hub
