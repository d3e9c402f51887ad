#include "hub/mcp/fleet_tools_worth.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "model/answer_text.hpp"

namespace tideline::hub {
namespace {

constexpr const char* worth_names[] = {"complete", "partial", "silent", "lost", "waiting", "future", "no_device"};
constexpr size_t named_in_text = 5;

/// Readings of the time asked for may still come from it.
bool is_waiting(const DeviceEntry& device, int64_t to_ns, UtcNanos now) {
  if (device.record.revoked) return false;
  if (device.presence.is_online) return backlog_of(device) > 0;
  return last_seen_ns(device, now) < std::min(to_ns, now.nanos);
}

std::string waiting_text(const std::vector<const DeviceEntry*>& waiting, UtcNanos now) {
  std::string names;
  for (size_t i = 0; i < std::min(waiting.size(), named_in_text); ++i) {
    const DeviceEntry& device = *waiting[i];
    const int64_t seen = last_seen_ns(device, now);
    names += (i > 0 ? ", " : "") + device.record.id;
    if (device.presence.is_online) names += " (" + format_count(backlog_of(device)) + " readings behind)";
    else names += seen == 0 ? " (never seen)" : " (offline for " + format_duration(now - UtcNanos{seen}) + ")";
  }
  if (waiting.size() > named_in_text) names += format(" and %zu more", waiting.size() - named_in_text);
  return "Readings may still wait on " + names + ".";
}

void add(std::string& text, const std::string& sentence) { text += (text.empty() ? "" : " ") + sentence; }

}  // namespace

const char* fleet_worth_name(FleetWorth worth) { return worth_names[static_cast<size_t>(worth)]; }

const char* device_state(const DeviceEntry& device) {
  if (device.record.revoked) return "revoked";
  if (device.presence.is_online) return "online";
  return device.record.last_seen_ns == 0 ? "never_seen" : "offline";
}

int64_t last_seen_ns(const DeviceEntry& device, UtcNanos now) { return device.presence.is_online ? now.nanos : device.record.last_seen_ns; }

uint64_t backlog_of(const DeviceEntry& device) {
  uint64_t sum = 0;
  for (const uint64_t readings : device.presence.backlog) sum += readings;
  return device.presence.is_online ? sum : 0;
}

uint64_t lost_in(const std::vector<std::pair<std::string, model::Gap>>& gaps) {
  uint64_t sum = 0;
  // A roll-back says that numbers were skipped, not that readings were lost.
  for (const auto& [device, gap] : gaps) sum += gap.reason == model::GapReason::rollback ? 0 : gap.count;
  return sum;
}

FleetJudgement judge(const FleetHeard& heard, UtcNanos now) {
  FleetJudgement judgement;
  std::string& text = judgement.explanation;
  if (heard.devices.empty()) {
    judgement.worth = FleetWorth::no_device;
    text = "No device matches; list_devices shows what there is.";
    return judgement;
  }
  if (heard.from_ns >= now.nanos) {
    judgement.worth = FleetWorth::future;
    text = "This time has not come yet.";
    return judgement;
  }
  for (const DeviceEntry* device : heard.devices) {
    if (is_waiting(*device, heard.to_ns, now)) judgement.waiting.push_back(device);
  }
  const bool has_lost = heard.lost_readings > 0;
  if (!heard.has_data) {
    judgement.worth = has_lost ? FleetWorth::lost : !judgement.waiting.empty() ? FleetWorth::waiting : FleetWorth::silent;
    text = judgement.worth == FleetWorth::silent ? "The devices were in contact and sent nothing that matches: no such series there, or nothing was measured." : "Nothing that matches is here.";
  }
  if (has_lost) add(text, format_count(heard.lost_readings) + " readings of these devices and classes are recorded as lost; list_gaps tells when and why.");
  if (!judgement.waiting.empty()) add(text, waiting_text(judgement.waiting, now));
  if (heard.is_truncated) add(text, "Not everything is shown: ask for fewer devices or series, a shorter time, or an aggregate with a step.");
  if (heard.blocks_unreadable > 0) add(text, format_count(heard.blocks_unreadable) + " stored blocks could not be read: run 'tideline-hub verify'.");
  if (heard.has_data) judgement.worth = text.empty() ? FleetWorth::complete : FleetWorth::partial;
  if (text.empty()) text = "Everything that these devices sent is here; nothing was lost.";
  return judgement;
}

void write_completeness(json::Writer& w, const FleetHeard& heard, const FleetJudgement& judgement) {
  w.key("completeness").begin_object().key("state").text(fleet_worth_name(judgement.worth)).key("explanation").text(judgement.explanation);
  w.key("devices").unsigned_integer(heard.devices.size()).key("devices_waiting").unsigned_integer(judgement.waiting.size());
  w.key("waiting").begin_array();
  for (size_t i = 0; i < std::min(judgement.waiting.size(), limits::fleet_named_devices); ++i) {
    const DeviceEntry& device = *judgement.waiting[i];
    w.begin_object().key("device").text(device.record.id).key("state").text(device_state(device)).key("last_seen");
    device.record.last_seen_ns == 0 ? w.null() : w.text(format_utc({device.record.last_seen_ns}));
    w.key("backlog_readings").unsigned_integer(backlog_of(device)).end_object();
  }
  w.end_array().key("lost_readings").unsigned_integer(heard.lost_readings);
  w.key("truncated").boolean(heard.is_truncated).key("unreadable_blocks").unsigned_integer(heard.blocks_unreadable).end_object();
}

}  // namespace tideline::hub
