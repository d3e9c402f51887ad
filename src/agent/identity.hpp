// Who this device is to the hub: key, certificate and the hub's authority, as files under <state>/identity.
//
// Plain values and functions; blocking file access, so only at start, at enrolment and at renewal. The key file is 0600.
// After a crash each file is either the old or the new one; a certificate that does not fit its key is reported, not used.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "wrap/tls/certificates.hpp"

namespace tideline::agent {

struct DeviceIdentity {
  tls::Identity own;             ///< certificate and key
  std::string ca_pem;            ///< the hub's authority
  tls::CertificateInfo info;     ///< of the certificate
};

std::string identity_directory(const std::string& state_directory);

/// Errors: not_found (not enrolled), denied, corrupt (a file cannot be parsed or the key does not fit).
Result<DeviceIdentity> load_identity(const std::string& state_directory);
/// Keeps the key first, then the authority, then the certificate.
Status store_identity(const std::string& state_directory, const tls::Identity& own, const std::string& ca_pem);

/// When to ask for a new certificate: at two thirds of its life.
UtcNanos renewal_time(const tls::CertificateInfo& info);

}  // namespace tideline::agent
