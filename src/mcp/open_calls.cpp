#include "mcp/open_calls.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace tideline::mcp {

bool OpenCalls::is_full() const { return calls_.size() >= limits::mcp_in_flight; }

OpenCall& OpenCalls::add(OpenCall call) {
  call.token = next_token();
  return calls_.emplace_back(std::move(call));
}

OpenCall* OpenCalls::find(CallToken token) {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [token](const OpenCall& c) { return c.token == token; });
  return found == calls_.end() ? nullptr : &*found;
}

OpenCall* OpenCalls::find_id(std::string_view id) {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [id](const OpenCall& c) { return c.id == id; });
  return found == calls_.end() ? nullptr : &*found;
}

void OpenCalls::remove(CallToken token) {
  std::erase_if(calls_, [token](const OpenCall& c) { return c.token == token; });
}

OpenCall* OpenCalls::find_expired(Instant now) {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [now](const OpenCall& c) { return c.deadline <= now; });
  return found == calls_.end() ? nullptr : &*found;
}

Instant OpenCalls::next_deadline() const {
  Instant next = never;
  for (const OpenCall& call : calls_) next = std::min(next, call.deadline);
  return next;
}

std::vector<OpenCall> OpenCalls::take_all() { return std::exchange(calls_, {}); }

}  // namespace tideline::mcp
