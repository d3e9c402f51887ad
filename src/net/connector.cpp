#include "net/connector.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace tideline::net {
namespace {

/// Alternates the families, beginning with the system's favourite, and puts the first to be tried last (RFC 8305, section 4).
std::vector<uv::Address> order(const std::vector<uv::Address>& addresses) {
  std::vector<uv::Address> favourite;
  std::vector<uv::Address> other;
  for (const uv::Address& address : addresses) {
    (address.is_ipv6() == addresses.front().is_ipv6() ? favourite : other).push_back(address);
  }
  std::vector<uv::Address> ordered;
  for (size_t i = 0; i < std::max(favourite.size(), other.size()); ++i) {
    if (i < favourite.size()) ordered.push_back(favourite[i]);
    if (i < other.size()) ordered.push_back(other[i]);
  }
  std::reverse(ordered.begin(), ordered.end());
  return ordered;
}

}  // namespace

Connector::Connector(uv::Loop& loop, CertificateClock& clock, Listener& listener)
    : loop_(loop), clock_(clock), listener_(listener), resolver_(loop, *this), overall_(loop, *this), attempt_(loop, *this),
      begin_(loop, *this) {}

Connector::~Connector() = default;

void Connector::connect(const Target& target, tls::Context& context) {
  cancel();
  target_ = target;
  context_ = &context;
  step_ = Step::resolving;
  overall_.start(limits::handshake_deadline);
  begin_.request();  // so that even an immediate failure arrives as an event
}

void Connector::on_turn_end() {
  const Result<uv::Address> address = uv::Address::parse(target_.host, target_.port);
  if (!address) return resolver_.resolve(target_.host, target_.port);
  addresses_ = {*address};
  try_next_address({ErrorCode::unreachable, 0, "connect"});
}

void Connector::cancel() {
  begin_.cancel();
  resolver_.cancel();
  overall_.stop();
  retire_attempt();
  addresses_.clear();
  step_ = Step::idle;
}

void Connector::on_resolved(uv::Resolver&, Result<std::vector<uv::Address>> addresses) {
  if (!addresses) {
    const int native = addresses.error().native;
    return fail(addresses.error(), format("cannot find the address of %s: %s", target_.host.c_str(), uv::error_text(native)));
  }
  addresses_ = order(*addresses);
  try_next_address({ErrorCode::unreachable, 0, "connect"});
}

void Connector::try_next_address(Error last_error) {
  step_ = Step::connecting;
  while (!addresses_.empty()) {
    address_ = addresses_.back();
    addresses_.pop_back();
    auto stream = uv::Stream::connect_tcp(loop_, *this, address_);
    if (stream) {
      stream_ = std::move(*stream);
      if (!addresses_.empty()) attempt_.start(limits::connect_attempt);
      return;
    }
    last_error = stream.error();
  }
  const char* const why = last_error.native != 0 ? uv::error_text(last_error.native) : "no address answered";
  const char* const hint = last_error.code == ErrorCode::unreachable ? " (is the hub running, is the port right?)" : "";
  fail(last_error, format("cannot connect to %s at %s: %s%s", target_.host.c_str(), address_.text().c_str(), why, hint));
}

void Connector::on_connected(uv::Stream&) {
  attempt_.stop();
  const std::string& name = target_.server_name.empty() ? target_.host : target_.server_name;
  auto session = context_->make_session(clock_.certificate_time(), name, saved_);
  if (!session) return fail(session.error(), format("cannot start TLS with %s: %s", name.c_str(), session.error().context));
  step_ = Step::handshaking;
  connection_.reset(new Connection(loop_, *this, std::move(*session), Slot()));
  connection_->start(std::move(stream_), limits::handshake_deadline);
}

void Connector::on_failed(uv::Stream&, Error error) {
  attempt_.stop();
  loop_.retire(std::move(stream_));
  try_next_address(error);
}

// Nothing is read before the handshake, which the connection does itself.
void Connector::on_read(uv::Stream&, Bytes) {}
void Connector::on_end(uv::Stream&) {}

void Connector::on_timer(uv::Timer& timer) {
  if (&timer == &attempt_) {
    retire_attempt();
    return try_next_address({ErrorCode::timeout, 0, "connect"});
  }
  const char* const what = step_ == Step::resolving ? "finding the address of" : step_ == Step::connecting ? "connecting to"
                                                                                                           : "the TLS handshake with";
  fail({ErrorCode::timeout, 0, "connect"}, format("%s %s took too long", what, target_.host.c_str()));
}

void Connector::on_handshake_input(Connection& connection) { connection.continue_handshake(); }

void Connector::on_ready(Connection&) {
  overall_.stop();
  step_ = Step::idle;
  listener_.on_connected(std::move(connection_));
}

void Connector::on_open_failed(Connection&, const CloseReason& reason) {
  saved_.clear();  // a session that the hub chokes on must not keep the device away for ever
  const CloseReason copy = reason;
  fail(copy.error, copy.text);
}

void Connector::fail(Error error, std::string text) {
  cancel();
  listener_.on_connect_failed({error, std::move(text)});
}

/// May run inside an event of what is given up.
void Connector::retire_attempt() {
  attempt_.stop();
  if (stream_ != nullptr) {
    stream_->close();
    loop_.retire(std::move(stream_));
  }
  if (connection_ != nullptr) {
    connection_->abandon();
    loop_.retire(std::move(connection_));
  }
}

}  // namespace tideline::net
