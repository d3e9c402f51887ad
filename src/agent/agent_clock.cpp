#include "agent/agent_clock.hpp"

#include <algorithm>
#include <cstdlib>

#include "clock.hpp"

namespace tideline::agent {
namespace {

/// A step smaller than this is not worth a new anchor: the time stamps of different sensors differ by more.
constexpr Duration step_worth_noting = milliseconds(5);

/// No clock is right that is earlier than this program: 2026-11-01.
constexpr UtcNanos build_floor{1'793'491'200'000'000'000};

}  // namespace

model::Anchor first_anchor() { return platform::take_anchor(build_floor); }

UtcNanos AgentClock::stamp() { return {platform::now().nanos + outbox_.status().anchor.offset_ns()}; }

tls::CertificateTime AgentClock::certificate_time() {
  return {stamp(), outbox_.status().anchor.quality <= model::TimeQuality::floor};
}

bool AgentClock::refresh() {
  const model::Anchor current = outbox_.status().anchor;
  // The wall clock must not be believed when it is behind what was known before.
  const bool is_known = current.quality != model::TimeQuality::rtc;
  const model::Anchor candidate = platform::take_anchor(is_known ? std::max(build_floor, UtcNanos{current.utc_ns}) : build_floor);
  if (!model::is_better(candidate, current)) return false;
  if (candidate.quality == current.quality && std::llabs(candidate.offset_ns() - current.offset_ns()) < step_worth_noting.nanos) return false;
  outbox_.set_anchor(candidate);
  return true;
}

}  // namespace tideline::agent
