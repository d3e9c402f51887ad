#include "agent/findings.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/answer_text.hpp"

namespace tideline::agent {
namespace {

constexpr Duration certificate_warning = hours(24 * 7);

Finding check_store(const StatusReport& report, const Config& config) {
  const StoreStatus& store = report.store;
  const std::string seen = report.state_directory + ", " + format_size(store.disk_bytes) + " used, " + format_size(store.disk_free_bytes) + " free";
  if (store.failed) return {"store", Health::bad, seen + "; a commit failed", "check the storage medium; the agent tries to reopen the store every second"};
  if (store.disk_full || store.disk_free_bytes < config.store.free_space) {
    return {"store", Health::bad, seen, "free some space, or lower [store] free_space: old readings are being dropped"};
  }
  if (store.bad_segments > 0) {
    return {"store", Health::warning, seen + "; " + std::to_string(store.bad_segments) + " damaged segments kept aside", "check the storage medium; the gaps tell what is missing"};
  }
  return {"store", Health::good, seen, ""};
}

Finding check_commits(const StatusReport& report) {
  const std::string seen = "last commit " + format_duration(report.store.last_commit_took) + ", slowest " + format_duration(report.store.slowest_commit);
  if (report.store.dropped > 0) return {"commits", Health::warning, seen + "; " + format_count(report.store.dropped) + " readings refused since start", "too many readings for this disk, or it was full: see gaps"};
  if (report.store.slowest_commit >= limits::slow_commit) return {"commits", Health::warning, seen, "the storage is slow: readings wait longer before they are safe"};
  return {"commits", Health::good, seen, ""};
}

Finding check_clock(const StatusReport& report) {
  const model::TimeQuality quality = report.store.anchor.quality;
  const std::string seen = model::short_time(report.now.nanos) + ", quality " + model::time_quality_name(quality);
  if (quality >= model::TimeQuality::hub) return {"clock", Health::good, seen, ""};
  if (quality == model::TimeQuality::rtc) return {"clock", Health::warning, seen, "not disciplined by NTP; readings are corrected when the hub or NTP tells the time"};
  return {"clock", Health::bad, seen, "the time is not known; set up NTP or connect to a hub. Readings are corrected afterwards"};
}

Finding check_hub(const StatusReport& report) {
  if (report.hub.empty()) return {"hub", Health::warning, "none configured", "set [hub] address to sync; readings queue here until then"};
  if (!report.idle_reason.empty()) return {"hub", Health::bad, report.hub + ": " + report.idle_reason, "enrol: tideline enroll " + report.hub + " --token ... --ca-fingerprint ..."};
  std::string seen = report.hub + ": " + uplink_state_name(report.link.state) + ", " + format_count(report.backlog_readings) + " readings to send";
  if (report.link.state == UplinkState::online) return {"hub", Health::good, seen, ""};
  if (!report.link.last_error.empty()) seen += "; " + report.link.last_error;
  return {"hub", Health::warning, seen, "check address, network and firewall; is the hub running?"};
}

Finding check_certificate(const StatusReport& report) {
  const std::string seen = "certificate until " + model::short_time(report.certificate_ends.nanos);
  if (report.certificate_ends < report.now) return {"identity", Health::bad, seen, "expired: enrol again with a new token"};
  if (report.certificate_ends - report.now < certificate_warning) return {"identity", Health::warning, seen, "it is renewed over the link: let the device reach the hub"};
  return {"identity", Health::good, seen, ""};
}

bool is_optional(const Config& config, const std::string& name) {
  return std::any_of(config.inputs.begin(), config.inputs.end(), [&](const InputConfig& input) { return input.name == name && input.optional; });
}

Finding check_input(const InputStatus& input, const Config& config, Instant now) {
  const std::string name = "input " + input.name;
  const std::string seen = format_count(input.readings) + " readings, " + format_count(input.failures) + " failures";
  if (input.last_success.nanos == 0 && is_optional(config, input.name)) return {name, Health::good, "nothing found to read, which is normal here", ""};
  if (!input.last_error.empty()) return {name, Health::warning, seen + "; " + input.last_error, "check the sensor, its path and its permissions"};
  if (input.last_success.nanos == 0) return {name, Health::good, "no sample yet", ""};
  return {name, Health::good, seen + "; last " + format_duration(now - input.last_success) + " ago", ""};
}

Finding check_child(const ChildStatus& child) {
  const std::string name = "child " + child.name;
  std::string seen = child.state + ", " + format_count(child.tools) + " tools, started " + format_count(child.starts) + " times";
  if (!child.last_exit.empty()) seen += ", ended by itself " + format_count(child.failures) + " times, last: " + child.last_exit;
  if (child.state == "waiting") return {name, Health::bad, seen, "check its command and what it says in the log"};
  if (!child.quarantined.empty()) {
    seen += "; not offered: " + child.quarantined.front();
    if (child.quarantined.size() > 1) seen += format(" and %zu more", child.quarantined.size() - 1);
    return {name, Health::warning, seen, "these definitions would break clients: tell its authors"};
  }
  return {name, Health::good, seen, ""};
}

Finding check_context(const ContextReport& context) {
  const std::string seen = format_count(context.entries) + " entries, " + format_count(context.conflicts) + " in conflict";
  if (!context.last_failure.empty()) return {"context", Health::bad, seen + "; " + context.last_failure, "check the storage medium, and the context at the hub; it is tried again"};
  if (context.conflicts > 0) return {"context", Health::warning, seen, "device and hub wrote without knowing of each other: see tideline context list --conflicts, and set the value that is right"};
  return {"context", Health::good, seen, ""};
}

}  // namespace

std::vector<Finding> findings_of(const StatusReport& report, const Config& config) {
  std::vector<Finding> findings{check_store(report, config), check_commits(report), check_clock(report), check_hub(report)};
  if (report.certificate_ends.nanos != 0) findings.push_back(check_certificate(report));
  if (report.context.is_kept) findings.push_back(check_context(report.context));
  for (const InputStatus& input : report.inputs) findings.push_back(check_input(input, config, report.mono_now));
  for (const ChildStatus& child : report.children) findings.push_back(check_child(child));
  return findings;
}

}  // namespace tideline::agent
