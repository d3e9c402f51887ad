// The text form of StatusReport: a short block of "name  value" lines, then tables.
#include <string>

#include "agent/status_report.hpp"
#include "base/log.hpp"
#include "base/table.hpp"
#include "base/text.hpp"

namespace tideline::agent {
namespace {

void line(std::string& text, const char* name, const std::string& value) { text += format("%-11s %s\n", name, value.c_str()); }

std::string ago(Instant then, Instant now) { return then.nanos == 0 ? std::string("never") : format_duration(now - then) + " ago"; }

std::string link_text(const StatusReport& report) {
  if (!report.idle_reason.empty()) return report.idle_reason;
  std::string text = std::string(uplink_state_name(report.link.state)) + ", " + report.hub;
  if (!report.protection.empty()) text += ", " + report.protection;
  if (!report.interface.empty()) text += ", by " + report.interface;
  if (report.is_metered) text += ", metered";
  if (report.link.state == UplinkState::waiting && report.link.next_attempt != never) {
    text += ", next attempt in " + format_duration(report.link.next_attempt - report.mono_now);
  }
  return text;
}

std::string machine_text(const MachineReport& machine) {
  std::string text;
  const std::string system = machine.kernel + " " + machine.processor;
  for (const std::string& fact : {machine.model, machine.system, system}) {
    if (!fact.empty()) text += (text.empty() ? "" : ", ") + fact;
  }
  return text;
}

std::string store_text(const StatusReport& report) {
  const StoreStatus& store = report.store;
  std::string text = format_size(store.disk_bytes) + " in " + std::to_string(store.segments) + " segments, " + format_size(store.disk_free_bytes) + " free";
  if (store.failed) text += "; FAILED, trying to reopen";
  if (store.disk_full) text += "; DISK FULL";
  if (store.bad_segments > 0) text += "; " + std::to_string(store.bad_segments) + " damaged segments kept aside";
  return text;
}

std::string context_text(const ContextReport& context) {
  std::string text = format_count(context.entries) + " entries, " + format_size(context.bytes) + ", " + (context.is_hub_known || context.unsent == 0 ? "" : "up to ") +
                     format_count(context.unsent) + " to send";
  if (context.conflicts > 0) text += ", " + format_count(context.conflicts) + " in conflict";
  return context.last_failure.empty() ? text : text + "; " + context.last_failure;
}

std::string streams_table(const StatusReport& report) {
  Table table;
  table.add_column("class");
  for (const char* title : {"held", "to send", "pending", "lost", "next"}) table.add_column(title, Table::Align::right);
  for (const model::Stream stream : model::streams) {
    const StreamStatus& one = report.store.streams[model::index_of(stream)];
    table.add_row({model::stream_name(stream), format_count(one.held_readings), format_count(report.backlog_of[model::index_of(stream)]), format_count(one.pending_readings),
                   format_count(one.lost_readings), format_count(one.next)});
  }
  return table.text();
}

std::string inputs_table(const StatusReport& report) {
  Table table;
  table.add_column("input");
  table.add_column("type");
  table.add_column("readings", Table::Align::right);
  table.add_column("failures", Table::Align::right);
  table.add_column("last");
  table.add_column("last error");
  for (const InputStatus& input : report.inputs) {
    table.add_row({input.name, input.type, format_count(input.readings), format_count(input.failures), ago(input.last_success, report.mono_now), input.last_error});
  }
  return table.text();
}

std::string children_table(const StatusReport& report) {
  Table table;
  table.add_column("child");
  table.add_column("state");
  for (const char* title : {"pid", "tools", "calls", "starts", "failures"}) table.add_column(title, Table::Align::right);
  table.add_column("last exit");
  for (const ChildStatus& child : report.children) {
    table.add_row({child.name, child.state, child.pid != 0 ? std::to_string(child.pid) : "", format_count(child.tools), format_count(child.calls), format_count(child.starts),
                   format_count(child.failures), child.last_exit});
  }
  return table.text();
}

}  // namespace

std::string status_text(const StatusReport& report) {
  std::string text;
  line(text, "device", report.device + ", tideline " + report.version + ", up " + format_duration(report.uptime));
  line(text, "machine", machine_text(report.machine));
  line(text, "clock", format_utc(report.now) + ", quality " + model::time_quality_name(report.store.anchor.quality));
  line(text, "link", link_text(report));
  if (!report.link.last_error.empty() && report.link.state != UplinkState::online) line(text, "", "last error: " + report.link.last_error);
  line(text, "backlog", (report.backlog_is_upper_bound ? "up to " : "") + format_count(report.backlog_readings) + " readings to send; last acknowledgement " + ago(report.link.last_ack, report.mono_now));
  line(text, "sent", format_count(report.link.readings_acknowledged) + " readings acknowledged, " + format_size(report.traffic.sent_bytes) + " sent, " +
                         format_size(report.traffic.received_bytes) + " received since start");
  line(text, "store", store_text(report));
  line(text, "loss window", "up to " + format_duration(report.loss_window) + " for readings whose producer does not wait; last commit took " +
                                format_duration(report.store.last_commit_took) + ", slowest " + format_duration(report.store.slowest_commit));
  line(text, "ingest", format_count(report.ingest.accepted) + " lines accepted, " + format_count(report.ingest.rejected) + " refused, " +
                           std::to_string(report.ingest.connections) + " producers");
  if (report.context.is_kept) line(text, "context", context_text(report.context));
  if (report.certificate_ends.nanos != 0) line(text, "certificate", "valid until " + format_utc(report.certificate_ends));
  text += "\n" + streams_table(report);
  if (!report.inputs.empty()) text += "\n" + inputs_table(report);
  if (!report.children.empty()) text += "\n" + children_table(report);
  return text;
}

}  // namespace tideline::agent
