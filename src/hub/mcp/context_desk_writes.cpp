// The context at the hub: writes under way and their tasks, and who is told of changes.
#include <algorithm>
#include <charconv>

#include "clock.hpp"
#include "hub/mcp/context_desk_work.hpp"
#include "hub/mcp/fleet_answers.hpp"
#include "hub/mcp/task_desk.hpp"
#include "mcp/json_write.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::hub {
namespace {

constexpr Duration task_grace = minutes(1);  // past its deadline; then the book ends it

std::string targets_json(const std::string& path, UtcNanos until, const std::vector<ContextWritten>& results) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("path").text(path).key("until").integer(until.nanos).key("targets").begin_array();
  for (const ContextWritten& one : results) {
    w.begin_array().text(one.device).text(std::to_string(one.outcome.stamp)).text(one.outcome.refusal.what).end_array();
  }
  w.end_array().end_object();
  return out;
}

}  // namespace

void ContextDesk::start_task(uint64_t id, const Principal& principal, const mcp::Call& call, context::Change change) {
  Write& write = *writes_.at(id);
  mcp::Tool tool;
  tool.name = call.target;
  TaskRecord record = make_task(principal.id, "", tool, std::string(call.arguments.raw()), "");
  record.status_message = format("writes to %zu devices", write.targets.size());
  record.expires_ns = record.created_ns + (write.wait + task_grace).nanos;
  record.keep_until_ns = record.expires_ns + limits::hub_task_keep.nanos;
  write.task = record.id;
  parts_.book.add(std::move(record), [this, id, change = std::move(change)](Result<TaskRecord> kept) {
    const CallRef ref = writes_.at(id)->ref;
    if (kept) {
      parts_.router.reply_task(ref, shown_task(*kept), platform::now());
      return begin(id, change);
    }
    writes_.erase(id);
    refuse(ref, std::string("nothing was written: ") + kept.error().context);
  });
}

void ContextDesk::begin(uint64_t id, context::Change change) {
  const Write& write = *writes_.at(id);
  std::vector<DeviceKey> devices;
  for (const ContextTarget& target : write.targets) devices.push_back(target.key);
  const double total = static_cast<double>(devices.size()) * (write.wait.nanos > 0 ? 2 : 1);
  const CallRef ref = write.ref;
  const bool is_task = !write.task.empty();
  parts_.writes.write(
      std::move(devices), std::move(change),
      [this, ref, is_task, total](size_t done, size_t) {
        if (!is_task) parts_.router.progress(ref, {static_cast<double>(done), total, "written"}, platform::now());
      },
      [this, id](std::vector<ContextOutcome> outcomes) { on_written(id, std::move(outcomes)); });
}

void ContextDesk::on_written(uint64_t id, std::vector<ContextOutcome> outcomes) {
  const auto found = writes_.find(id);
  if (found == writes_.end()) return;  // its caller has gone; what is written stays
  Write& write = *found->second;
  for (size_t i = 0; i < outcomes.size(); ++i) write.results.push_back({write.targets[i].id, false, std::move(outcomes[i])});
  wait_for_devices(id);
}

void ContextDesk::wait_for_devices(uint64_t id) {
  Write& write = *writes_.at(id);
  write.is_waiting = true;
  for (size_t i = 0; i < write.results.size(); ++i) {
    if (write.results[i].outcome.is_written && !write.results[i].is_delivered) write.waiting[write.targets[i].key] = i;
  }
  for (const ContextTarget& target : write.targets) note_held(write, target.key, parts_.syncs.holds(target.key));
  if (write.waiting.empty() || write.wait.nanos <= 0) return finish(id);
  write.deadline = platform::now() + write.wait;
  write.until = platform::wall_clock() + write.wait;
  if (!write.task.empty()) keep(write);
}

/// Enough to go on after a restart of the hub.
void ContextDesk::keep(const Write& write) {
  parts_.book.note(write.task, format("%zu of %zu devices hold it", write.results.size() - write.waiting.size(), write.results.size()),
                   targets_json(write.path, write.until, write.results));
}

void ContextDesk::note_held(Write& write, DeviceKey device, const context::Tops& holds) {
  const auto waiting = write.waiting.find(device);
  if (waiting == write.waiting.end() || write.results[waiting->second].outcome.stamp > holds[context::Side::hub]) return;
  write.results[waiting->second].is_delivered = true;
  write.waiting.erase(waiting);
}

void ContextDesk::finish(uint64_t id) {
  const auto found = writes_.find(id);
  const std::unique_ptr<Write> write = std::move(found->second);
  writes_.erase(found);
  const DeviceEntry* const device = write->shows_entry && write->results.front().outcome.is_written ? parts_.registry.find(write->targets.front().key) : nullptr;
  if (device != nullptr) return get(write->ref, *device, {write->path, 0}, write->note);
  const std::string answer = context_write_answer(write->path, write->results, write->is_one, write->note);
  const bool is_error = mcp::find_member(mcp::Slice(answer), "isError").is_true();
  if (write->task.empty()) return parts_.router.reply_own(write->ref, answer, is_error ? "tool_error" : "ok", platform::now());
  parts_.book.finish(write->task, answer);
}

void ContextDesk::on_cancelled(const CallRef& ref) {
  std::erase_if(writes_, [&ref](const auto& entry) { return entry.second->task.empty() && entry.second->ref == ref; });
}

void ContextDesk::on_tick(Instant now) {
  std::vector<uint64_t> late;
  for (const auto& [id, write] : writes_) {
    if (write->deadline <= now) late.push_back(id);
  }
  for (const uint64_t id : late) finish(id);
}

// ---- After a restart

void ContextDesk::load(const std::vector<TaskRecord>& open) {
  for (const TaskRecord& record : open) {
    if (record.device.empty() && is_context_tool(record.tool)) load(record);
  }
}

void ContextDesk::load(const TaskRecord& record) {
  const mcp::Slice kept(record.meta_json);
  if (!kept.is(mcp::JsonKind::object)) {
    return parts_.book.give_up(record.id, "the hub was stopped while it wrote: which devices have it, context_list shows; the same write again does no harm");
  }
  auto write = std::make_unique<Write>();
  write->task = record.id;
  write->path = mcp::find_member(kept, "path").text();
  write->until = UtcNanos{mcp::find_member(kept, "until").integer().value_or(0)};
  write->wait = std::max(write->until - platform::wall_clock(), milliseconds(1));
  for (mcp::Walk walk(mcp::find_member(kept, "targets")); walk.next();) {
    std::string parts[3];
    size_t part = 0;
    for (mcp::Walk inner(walk.value()); inner.next() && part < 3;) parts[part++] = inner.value().text();
    const DeviceEntry* device = parts_.registry.find(parts[0]);
    if (device == nullptr) continue;
    ContextOutcome outcome;
    (void)std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), outcome.stamp);
    outcome.is_written = outcome.stamp != 0;
    outcome.refusal.what = parts[2];
    write->targets.push_back(target_of(*device));
    write->results.push_back({parts[0], false, std::move(outcome)});
  }
  std::vector<DeviceKey> devices;
  for (const ContextTarget& target : write->targets) devices.push_back(target.key);
  const uint64_t id = next_++;
  writes_[id] = std::move(write);
  parts_.desk.fetch<std::vector<context::Tops>>(
      [devices](Archive& archive) -> Result<std::vector<context::Tops>> {
        std::vector<context::Tops> holds;
        for (const DeviceKey device : devices) {
          ASSIGN_OR_RETURN(const ContextState state, archive.context().state(device));
          holds.push_back(state.holds);
        }
        return holds;
      },
      [this, id](Result<std::vector<context::Tops>> holds) {
        Write& one = *writes_.at(id);
        for (size_t i = 0; holds && i < holds->size(); ++i) one.results[i].is_delivered = one.results[i].outcome.is_written && one.results[i].outcome.stamp <= (*holds)[i][context::Side::hub];
        wait_for_devices(id);
      });
}

// ---- Who is told

void ContextDesk::on_context_news(DeviceKey device, const std::vector<ContextNews>& news) {
  tell_fleet(device, news);
  const bool waits = parts_.syncs.is_met(device);
  std::vector<std::string> now;
  for (const ContextNews& one : news) {
    std::vector<ContextNews>* untold = one.side == context::Side::hub && waits ? &untold_[device] : nullptr;
    if (untold != nullptr && untold->size() < untold_most) untold->push_back(one);
    else now.push_back(one.path);
  }
  if (!now.empty()) tell_device(device, now);
}

void ContextDesk::on_context_held(DeviceKey device, const context::Tops& holds) {
  std::vector<uint64_t> done;
  for (const auto& [id, write] : writes_) {
    if (!write->is_waiting) continue;
    const size_t before = write->waiting.size();
    note_held(*write, device, holds);
    if (write->waiting.size() == before) continue;
    const double delivered = static_cast<double>(write->targets.size() + write->results.size() - write->waiting.size());
    if (write->task.empty()) parts_.router.progress(write->ref, {delivered, 2.0 * static_cast<double>(write->targets.size()), "delivered"}, platform::now());
    if (write->waiting.empty()) done.push_back(id);
  }
  for (const uint64_t id : done) finish(id);
  const auto untold = untold_.find(device);
  if (untold == untold_.end()) return;
  std::vector<std::string> paths;
  std::erase_if(untold->second, [&](const ContextNews& one) {
    if (one.stamp > holds[context::Side::hub]) return false;
    paths.push_back(one.path);
    return true;
  });
  if (untold->second.empty()) untold_.erase(untold);
  if (!paths.empty()) tell_device(device, paths);
}

/// What it was not told of before it went away is told now: from here on its clients read from the hub.
void ContextDesk::on_context_link_changed(DeviceKey device, bool is_online) {
  const auto untold = untold_.find(device);
  if (is_online || untold == untold_.end()) return;
  std::vector<std::string> paths;
  for (const ContextNews& one : untold->second) paths.push_back(one.path);
  untold_.erase(untold);
  tell_device(device, paths);
}

void ContextDesk::tell_fleet(DeviceKey device, const std::vector<ContextNews>& news) {
  const DeviceEntry* entry = parts_.registry.find(device);
  if (entry == nullptr) return;
  const std::string all = std::string(fleet_uri::device_prefix) + entry->record.id + std::string(context_uri::in_fleet);
  parts_.each_conversation([&](Conversation& conversation) {
    if (!conversation.target().is_fleet() || conversation.watched().empty() || !conversation.principal().sees(entry->record)) return;
    conversation.server().announce_resource(all);
    for (const ContextNews& one : news) conversation.server().announce_resource(all + "/" + one.path);
  });
}

void ContextDesk::tell_device(DeviceKey device, const std::vector<std::string>& paths) {
  parts_.each_conversation([&](Conversation& conversation) {
    if (conversation.target().device != device || conversation.watched().empty()) return;
    conversation.server().announce_resource(context_uri::of_device);
    for (const std::string& path : paths) conversation.server().announce_resource(std::string(context_uri::of_device) + "/" + path);
  });
}

}  // namespace tideline::hub
