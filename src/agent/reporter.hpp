// Gathers a StatusReport from the parts. Owned by Agent or a command; thread: loop.
#pragma once

#include "agent/agent_clock.hpp"
#include "agent/config.hpp"
#include "agent/gateway/context_keeper.hpp"
#include "agent/hub_link.hpp"
#include "agent/inputs/inputs.hpp"
#include "agent/status_report.hpp"

namespace tideline::agent {

/// All but what the link says.
ContextReport context_report(const ContextKeeper& keeper);

class Reporter {
 public:
  /// `link` and `inputs` may be null: a command without a daemon has neither.
  Reporter(const Config& config, const Outbox& outbox, AgentClock& clock, const HubLink* link, const Inputs* inputs);
  /// Others took their place.
  void set_inputs(const Inputs& inputs) { inputs_ = &inputs; }
  /// All but the totals of ingest.
  StatusReport report() const;

 private:
  const Config& config_;
  const Outbox& outbox_;
  AgentClock& clock_;
  const HubLink* link_;
  const Inputs* inputs_;
  MachineReport machine_;
  Instant started_;
};

}  // namespace tideline::agent
