// Enrolment and renewal: who gets a certificate, and what everybody else is told.
//
// A token is 256 random bits, shown once as base64url and kept as its SHA-256. It names one device and works once. Enrolling again
// with a new token replaces the device's certificate; the old one is refused from then on. Renewal is asked on a connection that
// proved the certificate in force, and the new certificate comes into force when it is first used: a device that loses power
// before it stored the new one still gets in with the old one.
//
// Thread: store (signing takes about 5 ms, and tokens and devices are in the archive). After a crash between the use of a token
// and the record of the device, the token is spent and a new one is needed.
#pragma once

#include <string>

#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "link/message.hpp"
#include "wrap/tls/certificates.hpp"

namespace tideline::hub {

struct EnrolmentRequest {
  link::Enroll request;
  bool is_renewal = false;
  std::string certificate_device;  ///< proved by TLS; renewal only
  std::string fingerprint;         ///< of that certificate
  std::string address;             ///< for the log
};

struct EnrolmentOutcome {
  bool is_accepted = false;
  link::Enrolled answer;
  DeviceRecord record;             ///< as it stands in the archive now
  std::string reason;              ///< refusal: for the device's operator and for the log
  std::string log_line;            ///< what happened, for the hub's log
};

class Enrolment {
 public:
  /// `authority` outlives this and does not change.
  Enrolment(const tls::Identity& authority, Duration device_life) : authority_(authority), device_life_(device_life) {}
  EnrolmentOutcome decide(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const;

 private:
  EnrolmentOutcome enroll(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const;
  EnrolmentOutcome renew(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const;
  Result<std::string> sign(const link::Enroll& request, const std::string& device, UtcNanos now) const;

  const tls::Identity& authority_;
  Duration device_life_;
};

/// When `fingerprint` is of the certificate that `record`'s device got by renewal and uses for the first time: puts it in force and
/// returns the new record. Otherwise `record` as it is.
Result<DeviceRecord> admit_renewed(Archive& archive, const DeviceRecord& record, const std::string& fingerprint);

/// A new secret, 43 characters of base64url.
std::string make_token_secret();
/// What the archive keeps of it.
std::string token_hash(std::string_view secret);
/// Marks every open token of `device` as used, so that none made before a revocation lets it in again.
Status withdraw_tokens(Archive& archive, const std::string& device, UtcNanos now);

}  // namespace tideline::hub
