#include "agent/local_services.hpp"

#include <algorithm>

#include "agent/findings.hpp"
#include "agent/options.hpp"
#include "clock.hpp"

namespace tideline::agent {

LocalServices::LocalServices(const Config& config, Outbox& outbox, Collector& collector, const SeriesRules& rules, AgentClock& clock, Control::Host& host)
    : config_(config), outbox_(outbox), collector_(collector), rules_(rules), clock_(clock), host_(host), started_(platform::now()) {}

bool LocalServices::on_answer(Outbox::Token token, const Result<model::QueryAnswer>& answer) {
  if ((token & own_token) == 0) return false;
  listener_->on_answer(token & ~own_token, answer);
  return true;
}

bool LocalServices::on_synced(Collector::Ticket ticket, const Status& status) {
  if (ticket >> ticket_bits != 0) return false;
  listener_->on_recorded(ticket, status);
  return true;
}

std::string LocalServices::device() const { return device_id(config_); }

Moment LocalServices::moment() const {
  const model::Anchor& anchor = outbox_.status().anchor;
  const UtcNanos now = clock_.stamp();
  return {now, anchor.quality, anchor.offset_ns(), now - (platform::now() - started_)};
}

SyncView LocalServices::sync() const {
  const StatusReport report = host_.report();
  SyncView view;
  view.hub = report.hub;
  view.state = report.idle_reason.empty() ? uplink_state_name(report.link.state) : "idle";
  view.idle_reason = report.idle_reason;
  view.last_error = report.link.last_error;
  if (report.link.last_ack.nanos != 0) view.last_ack_age = report.mono_now - report.link.last_ack;
  if (report.link.next_attempt != never) view.next_attempt = std::max(Duration{}, report.link.next_attempt - report.mono_now);
  view.backlog = report.backlog_of;
  view.backlog_is_upper_bound = report.backlog_is_upper_bound;
  view.is_synced = report.is_synced;
  view.readings_acknowledged = report.link.readings_acknowledged;
  view.loss_window = report.loss_window;
  return view;
}

std::string LocalServices::status_json() const { return agent::status_json(host_.report()); }

std::vector<Finding> LocalServices::diagnose() const { return findings_of(host_.report(), config_); }

void LocalServices::ask(model::Query query, Token token) { outbox_.ask(std::move(query), token | own_token); }

Status LocalServices::record(const std::vector<NewReading>& readings, Token token) {
  if (!collector_.has_room()) return Error{ErrorCode::full, 0, "no room for readings now"};
  std::vector<SeriesHandle> handles;
  for (const NewReading& reading : readings) {
    model::Series series = reading.series;
    rules_.apply(series, reading.chooses_class ? ClassChoice::producers : ClassChoice::ours);
    ASSIGN_OR_RETURN(const SeriesHandle handle, collector_.resolve(series));
    handles.push_back(handle);
  }
  const Collector::Position before = collector_.position();
  const UtcNanos now = clock_.stamp();
  for (size_t i = 0; i < readings.size(); ++i) {
    const NewReading& one = readings[i];
    const model::ReadingBatch::Stamp stamp{one.time.value_or(now).nanos, one.time ? model::TimeSource::producer : model::TimeSource::agent};
    model::ReadingBatch& batch = collector_.batch(handles[i].stream);
    if (one.type == model::ValueType::text) batch.add_text(handles[i].id, stamp, one.text);
    else batch.add_from({stamp.time_ns, one.bits, handles[i].id, one.type, stamp.source}, {});
  }
  collector_.sync(token, before);
  return {};
}

}  // namespace tideline::agent
