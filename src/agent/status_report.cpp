#include "agent/status_report.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "wrap/json/writer.hpp"

namespace tideline::agent {
namespace {

double age_seconds(Instant then, Instant now) { return (now - then).seconds(); }

void write_machine(json::Writer& w, const MachineReport& machine) {
  const std::pair<const char*, const std::string&> facts[] = {{"id", machine.id},         {"model", machine.model},   {"serial", machine.serial},
                                                              {"system", machine.system}, {"kernel", machine.kernel}, {"processor", machine.processor}};
  w.key("machine").begin_object();
  for (const auto& [name, value] : facts) {
    if (!value.empty()) w.key(name).text(value);
  }
  w.end_object();
}

void write_store(json::Writer& w, const StatusReport& report) {
  const StoreStatus& store = report.store;
  w.key("store").begin_object();
  w.key("epoch").text(store.epoch).key("incarnation").unsigned_integer(store.incarnation);
  w.key("segments").unsigned_integer(store.segments).key("bad_segments").unsigned_integer(store.bad_segments);
  w.key("disk_bytes").unsigned_integer(store.disk_bytes).key("disk_free_bytes").unsigned_integer(store.disk_free_bytes);
  w.key("disk_full").boolean(store.disk_full).key("failed").boolean(store.failed);
  w.key("appended").unsigned_integer(store.appended).key("dropped").unsigned_integer(store.dropped).key("commits").unsigned_integer(store.commits);
  w.key("last_commit_s").number(store.last_commit_took.seconds()).key("slowest_commit_s").number(store.slowest_commit.seconds());
  w.key("loss_window_s").number(report.loss_window.seconds());
  w.key("streams").begin_object();
  for (const model::Stream stream : model::streams) {
    const StreamStatus& one = store.streams[model::index_of(stream)];
    w.key(model::stream_name(stream)).begin_object();
    w.key("first_held").unsigned_integer(one.first_held).key("next").unsigned_integer(one.next);
    w.key("acknowledged_to").unsigned_integer(one.acknowledged.cursor()).key("pending").unsigned_integer(one.pending_readings);
    w.key("held_readings").unsigned_integer(one.held_readings).key("held_bytes").unsigned_integer(one.held_bytes);
    w.key("lost").unsigned_integer(one.lost_readings).end_object();
  }
  w.end_object().end_object();
}

void write_link(json::Writer& w, const StatusReport& report) {
  const UplinkStatus& link = report.link;
  w.key("link").begin_object().key("hub").text(report.hub).key("state").text(report.idle_reason.empty() ? uplink_state_name(link.state) : "idle");
  if (!report.idle_reason.empty()) w.key("idle_reason").text(report.idle_reason);
  if (!link.last_error.empty()) w.key("last_error").text(link.last_error);
  if (link.last_ack.nanos != 0) w.key("last_ack_age_s").number(age_seconds(link.last_ack, report.mono_now));
  if (link.next_attempt != never) w.key("next_attempt_s").number(std::max(0.0, (link.next_attempt - report.mono_now).seconds()));
  w.key("attempts").unsigned_integer(link.attempts).key("connections").unsigned_integer(link.connections);
  w.key("wire_bytes_sent").unsigned_integer(report.traffic.sent_bytes).key("wire_bytes_received").unsigned_integer(report.traffic.received_bytes);
  w.key("readings_acknowledged").unsigned_integer(link.readings_acknowledged).key("blocks_refused").unsigned_integer(link.blocks_refused);
  w.key("round_trip_s").number(link.round_trip.seconds()).key("protection").text(report.protection);
  if (!report.interface.empty()) w.key("interface").text(report.interface);
  w.key("metered").boolean(report.is_metered);
  if (report.certificate_ends.nanos != 0) w.key("certificate_ends").text(format_utc(report.certificate_ends));
  w.end_object();
}

void write_inputs(json::Writer& w, const StatusReport& report) {
  w.key("ingest").begin_object().key("connections").unsigned_integer(report.ingest.connections);
  w.key("accepted").unsigned_integer(report.ingest.accepted).key("rejected").unsigned_integer(report.ingest.rejected).end_object();
  w.key("inputs").begin_array();
  for (const InputStatus& input : report.inputs) {
    w.begin_object().key("name").text(input.name).key("type").text(input.type);
    w.key("readings").unsigned_integer(input.readings).key("failures").unsigned_integer(input.failures);
    if (input.last_success.nanos != 0) w.key("age_s").number(age_seconds(input.last_success, report.mono_now));
    if (!input.last_error.empty()) w.key("last_error").text(input.last_error);
    w.end_object();
  }
  w.end_array();
}

void write_children(json::Writer& w, const StatusReport& report) {
  w.key("children").begin_array();
  for (const ChildStatus& child : report.children) {
    w.begin_object().key("name").text(child.name).key("state").text(child.state);
    if (child.pid != 0) w.key("pid").integer(child.pid);
    if (!child.revision.empty()) w.key("protocol").text(child.revision);
    w.key("tools").unsigned_integer(child.tools).key("calls").unsigned_integer(child.calls);
    w.key("starts").unsigned_integer(child.starts).key("failures").unsigned_integer(child.failures);
    if (!child.last_exit.empty()) w.key("last_exit").text(child.last_exit);
    w.key("quarantined").begin_array();
    for (const std::string& one : child.quarantined) w.text(one);
    w.end_array().end_object();
  }
  w.end_array();
}

void write_context(json::Writer& w, const ContextReport& context) {
  w.key("context").begin_object().key("enabled").boolean(context.is_kept);
  w.key("entries").unsigned_integer(context.entries).key("bytes").unsigned_integer(context.bytes).key("conflicts").unsigned_integer(context.conflicts);
  w.key("unsent").unsigned_integer(context.unsent).key("unsent_is_upper_bound").boolean(!context.is_hub_known && context.unsent > 0);
  if (!context.last_failure.empty()) w.key("last_failure").text(context.last_failure);
  w.end_object();
}

}  // namespace

uint64_t count_backlog(const StreamStatus& status, const std::vector<model::Gap>& gaps) {
  const model::SeqRange all{1, status.next - 1};
  uint64_t open = all.count();
  const auto overlap = [](model::SeqRange a, model::SeqRange b) {
    return model::SeqRange{std::max(a.first, b.first), std::min(a.last, b.last)}.count();
  };
  for (const model::SeqRange& held : status.acknowledged.ranges()) open -= std::min(open, overlap(held, all));
  for (const model::Gap& gap : gaps) {
    uint64_t unsent = overlap(gap.range, all);
    for (const model::SeqRange& held : status.acknowledged.ranges()) unsent -= std::min(unsent, overlap(held, gap.range));
    open -= std::min(open, unsent);
  }
  return open + status.pending_readings;
}

std::string status_json(const StatusReport& report) {
  std::string out;
  json::Writer w(out);
  w.begin_object().key("device").text(report.device).key("version").text(report.version);
  w.key("time").text(format_utc(report.now)).key("uptime_s").number(report.uptime.seconds());
  w.key("clock_quality").text(model::time_quality_name(report.store.anchor.quality)).key("state_directory").text(report.state_directory);
  write_machine(w, report.machine);
  w.key("backlog_readings").unsigned_integer(report.backlog_readings).key("backlog_is_upper_bound").boolean(report.backlog_is_upper_bound).key("synced").boolean(report.is_synced);
  write_store(w, report);
  write_link(w, report);
  write_inputs(w, report);
  write_children(w, report);
  write_context(w, report.context);
  w.end_object();
  return out;
}

std::string status_line(const StatusReport& report) {
  const std::string link = report.hub.empty() ? "no hub" : report.idle_reason.empty() ? uplink_state_name(report.link.state) : "not enrolled";
  return link + (report.backlog_is_upper_bound ? ", up to " : ", ") + format_count(report.backlog_readings) + " readings to send";
}

}  // namespace tideline::agent
