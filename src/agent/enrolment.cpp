#include "agent/enrolment.hpp"

#include <variant>

#include "base/limits.hpp"
#include "clock.hpp"
#include "link/codec.hpp"

namespace tideline::agent {
namespace {

class Attempt final : net::Connector::Listener, net::Connection::Listener, net::CertificateClock, uv::Timer::Listener {
 public:
  explicit Attempt(const EnrolmentRequest& request) : request_(request), connector_(loop_, *this, *this), deadline_(loop_, *this) {}

  EnrolmentOutcome run() {
    outcome_.own.key_pem = tls::make_key();
    const auto signing_request = tls::make_request(outcome_.own.key_pem, request_.device);
    if (!signing_request) return failed(signing_request.error(), "device id '" + request_.device + "' cannot stand in a certificate request");
    signing_request_ = *signing_request;
    tls::ClientOptions options;
    options.ca_fingerprint = request_.ca_fingerprint;
    options.alpn = {net::link_protocol};
    auto context = tls::Context::make_client(options);
    if (!context) return failed(context.error(), "--ca-fingerprint must be 64 hexadecimal digits");
    context_ = std::move(*context);
    deadline_.start(limits::enrolment_deadline);
    connector_.connect(request_.hub, *context_);
    loop_.run();
    connection_.reset();
    return std::move(outcome_);
  }

 private:
  void on_connected(std::unique_ptr<net::Connection> connection) override {
    connection->set_listener(*this);
    connection_ = std::move(connection);
    ByteBuffer payload;
    link::encode(link::Enroll{request_.token, signing_request_, request_.device, request_.agent_version}, payload);
    if (const Status sent = connection_->send_frame(payload); !sent) finish(sent.error(), "the hub closed at once");
  }

  void on_connect_failed(const net::CloseReason& reason) override {
    const bool is_untrusted = reason.error.code == ErrorCode::denied;
    finish(reason.error, is_untrusted ? reason.text + "; compare --ca-fingerprint with what the hub prints" : reason.text);
  }

  void on_frame(net::Connection&, Bytes payload) override {
    const auto message = link::decode(payload);
    if (!message) {
      finish(message.error(), "the hub's answer cannot be read: is it a newer version?");
    } else if (const auto* answer = std::get_if<link::Enrolled>(&*message)) {
      accept(*answer);
    } else if (const auto* bye = std::get_if<link::Bye>(&*message)) {
      finish({ErrorCode::denied, 0, "enrolment"}, "the hub refused: " + bye->reason);
    }
  }

  void on_bytes(net::Connection&, Bytes) override { finish({ErrorCode::unsupported, 0, "enrolment"}, "the other side does not speak tideline/1"); }
  void on_closed(net::Connection&, const net::CloseReason& reason) override { finish(reason.error, "the hub closed before it answered: " + reason.text); }
  void on_timer(uv::Timer&) override { finish({ErrorCode::timeout, 0, "enrolment"}, "no answer within " + format_duration(limits::enrolment_deadline)); }

  /// A device that enrols may not know the time yet; the pinned fingerprint is what it trusts.
  tls::CertificateTime certificate_time() override { return {platform::wall_clock(), true}; }

  void accept(const link::Enrolled& answer) {
    outcome_.own.certificate_pem = answer.certificate_pem;
    outcome_.ca_pem = answer.ca_pem;
    const auto belongs = tls::key_belongs(answer.certificate_pem, outcome_.own.key_pem);
    if (!belongs || !*belongs) return finish({ErrorCode::corrupt, 0, "enrolment"}, "the hub sent a certificate for another key");
    loop_.stop();
  }

  void finish(const Error& error, std::string problem) {
    if (!outcome_.problem.empty() || !outcome_.own.certificate_pem.empty()) return;
    outcome_.error = error;
    outcome_.problem = std::move(problem);
    loop_.stop();
  }

  EnrolmentOutcome failed(const Error& error, std::string problem) {
    finish(error, std::move(problem));
    return std::move(outcome_);
  }

  const EnrolmentRequest& request_;
  uv::Loop loop_;
  net::Connector connector_;
  uv::Timer deadline_;
  std::string signing_request_;
  std::unique_ptr<tls::Context> context_;
  std::unique_ptr<net::Connection> connection_;
  EnrolmentOutcome outcome_;
};

}  // namespace

EnrolmentOutcome enrol(const EnrolmentRequest& request) { return Attempt(request).run(); }

}  // namespace tideline::agent
