// Making and reading keys, certificates and signing requests: P-256 and SHA-256 throughout, PEM in and out.
//
// Stateless; any thread. The caller writes key files (0600) and keeps key text out of logs. Times are the caller's: nothing here
// reads a clock. Input is bounded by limits::certificate_chain_bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace tideline::tls {

struct Validity {
  UtcNanos not_before;
  UtcNanos not_after;
};

/// A certificate and the key it certifies.
struct Identity {
  std::string certificate_pem;
  std::string key_pem;
};

struct CertificateInfo {
  std::string common_name;
  std::string issuer;              ///< common name of the issuer
  std::string fingerprint;         ///< SHA-256 of the DER form, 64 hexadecimal digits
  std::string serial;              ///< hexadecimal
  Validity validity;
  std::vector<std::string> names;  ///< DNS names and IP addresses of the subjectAltName
  bool is_authority = false;
};

/// A new P-256 key.
std::string make_key();
/// A self-signed authority that may only sign end certificates. Errors: invalid (name).
Result<Identity> make_authority(std::string_view name, Validity validity);
/// For a TLS server; each of `names` is a DNS name or an IP address, the first is also the common name. Errors: invalid.
Result<Identity> make_server_certificate(const Identity& authority, const std::vector<std::string>& names, Validity validity);
/// The request a device sends with its enrolment token. Errors: invalid (key, name).
Result<std::string> make_request(const std::string& key_pem, std::string_view common_name);
/// Signs a TLS client certificate for the key in `request_pem`, whose proof of possession is checked. Only the key is taken from
/// the request: `common_name` is what the hub decided. Errors: invalid (request, key type, name), denied (bad proof).
Result<std::string> sign_request(const Identity& authority, const std::string& request_pem, std::string_view common_name,
                                 Validity validity);
/// Every certificate of `pem`, in order, at least one. Errors: invalid, limit.
Result<std::vector<CertificateInfo>> read_certificates(const std::string& pem);
/// One certificate in DER, as a library hands it over. Errors: invalid.
Result<CertificateInfo> read_certificate(Bytes der);
/// Whether `key_pem` is the private key of the first certificate in `certificate_pem`. Errors: invalid.
Result<bool> key_belongs(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace tideline::tls
