#include "agent/gateway/desk.hpp"

#include "agent/gateway/gateway.hpp"
#include "mcp/content.hpp"

namespace tideline::agent {

Desk::Desk(Gateway& gateway, uint64_t stream, mcp::ServerOptions options, mcp::Output& output)
    : gateway_(gateway), stream_(stream), server_(std::move(options), gateway.catalog_, *this, output, gateway.sealer_) {}

Desk::~Desk() {
  server_.on_close();
  gateway_.forget(*this);
}

void Desk::on_line(std::string_view line) { server_.on_line(line, gateway_.now()); }
void Desk::on_message(const mcp::Message& message) { server_.on_message(message, gateway_.now()); }

void Desk::on_call(const mcp::Call& call) {
  Provider* const provider = gateway_.find_provider(call);
  if (provider == nullptr) {
    // Nobody completes this; that is an answer, not an error.
    if (call.method == mcp::Method::complete) server_.reply(call.token, mcp::completion_result({}), gateway_.now());
    else server_.fail_not_found(call.token, call.target);
    return;
  }
  // Noted first: the provider may answer before on_call() returns.
  work_[call.token] = provider;
  provider->on_call({stream_, call.token}, call);
}

void Desk::on_cancel(mcp::CallToken token) {
  const auto found = work_.find(token);
  if (found == work_.end()) return;
  Provider* const provider = found->second;
  work_.erase(found);
  provider->on_cancel({stream_, token});
}

void Desk::on_watch(std::string_view uri, bool is_watched) { gateway_.count_watch(uri, is_watched); }

}  // namespace tideline::agent
