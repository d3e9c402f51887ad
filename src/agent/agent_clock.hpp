// What time it is, as far as this device knows: stamps readings and judges certificates by the anchor in force.
//
// Owned by Agent (or a command). Thread: loop. The anchor itself is the outbox's, where it is durable.
#pragma once

#include "agent/inputs/stamp_clock.hpp"
#include "agent/store/outbox.hpp"
#include "net/connection.hpp"

namespace tideline::agent {

class AgentClock final : public StampClock, public net::CertificateClock {
 public:
  explicit AgentClock(Outbox& outbox) : outbox_(outbox) {}

  UtcNanos stamp() override;
  tls::CertificateTime certificate_time() override;

  /// Looks at the machine's clock again. True when the outbox was given a better anchor.
  bool refresh();

 private:
  Outbox& outbox_;
};

/// Before there is a store: the machine's clock against the day this program was built.
model::Anchor first_anchor();

}  // namespace tideline::agent
