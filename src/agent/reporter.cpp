#include "agent/reporter.hpp"

#include "agent/options.hpp"
#include "clock.hpp"

namespace tideline::agent {

ContextReport context_report(const ContextKeeper& keeper) {
  const context::Totals& totals = keeper.book().totals();
  return {true, totals.entries, totals.bytes, keeper.conflicts(), keeper.unsent(), keeper.peer_holds() != nullptr, keeper.last_failure()};
}

Reporter::Reporter(const Config& config, const Outbox& outbox, AgentClock& clock, const HubLink* link, const Inputs* inputs)
    : config_(config), outbox_(outbox), clock_(clock), link_(link), inputs_(inputs), machine_(describe_machine()), started_(platform::now()) {}

StatusReport Reporter::report() const {
  StatusReport report;
  report.device = device_id(config_);
  report.version = TIDELINE_VERSION;
  report.machine = machine_;
  report.now = clock_.stamp();
  report.mono_now = platform::now();
  report.uptime = report.mono_now - started_;
  report.state_directory = state_directory(config_);
  report.store = outbox_.status();
  report.loss_window = config_.store.normal_commit;
  report.hub = config_.hub.address;
  for (const model::Stream stream : model::streams) {
    const uint64_t backlog = count_backlog(report.store.streams[model::index_of(stream)], outbox_.gaps(stream, 1));
    report.backlog_of[model::index_of(stream)] = backlog;
    report.backlog_readings += backlog;
  }
  if (link_ != nullptr) {
    report.idle_reason = link_->idle_reason();
    report.link = link_->status();
    report.is_synced = link_->is_synced();
    report.protection = link_->protection();
    report.interface = link_->interface();
    report.is_metered = link_->is_metered();
    report.traffic = link_->traffic();
    report.certificate_ends = link_->certificate().validity.not_after;
  } else {
    report.idle_reason = "the agent is not running";
  }
  report.backlog_is_upper_bound = report.backlog_readings > 0 && report.link.connections == 0 && !report.hub.empty();
  if (inputs_ != nullptr) report.inputs = inputs_->status();
  return report;
}

}  // namespace tideline::agent
