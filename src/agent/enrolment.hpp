// One enrolment: connect to a hub whose authority is pinned by fingerprint, send token and signing request, get a certificate.
//
// Runs its own loop on the caller's thread until it is decided, at most limits::enrolment_deadline. Writes nothing: the caller
// keeps the identity. The key is made here and never leaves the process but into the identity.
#pragma once

#include <string>

#include "base/result.hpp"
#include "net/connector.hpp"
#include "wrap/tls/certificates.hpp"

namespace tideline::agent {

struct EnrolmentRequest {
  net::Target hub;
  std::string token;
  std::string ca_fingerprint;   ///< 64 hexadecimal digits
  std::string device;
  std::string agent_version;
};

struct EnrolmentOutcome {
  Error error;                  ///< code: denied (refused), unreachable, timeout, invalid, closed
  std::string problem;          ///< for people; "" on success
  tls::Identity own;
  std::string ca_pem;
  bool is_success() const { return problem.empty(); }
};

EnrolmentOutcome enrol(const EnrolmentRequest& request);

}  // namespace tideline::agent
