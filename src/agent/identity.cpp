#include "agent/identity.hpp"

#include "base/limits.hpp"
#include "small_file.hpp"

namespace tideline::agent {
namespace {

constexpr const char* key_file = "/device.key";
constexpr const char* certificate_file = "/device.crt";
constexpr const char* authority_file = "/hub-ca.crt";

}  // namespace

std::string identity_directory(const std::string& state_directory) { return state_directory + "/identity"; }

Result<DeviceIdentity> load_identity(const std::string& state_directory) {
  const std::string directory = identity_directory(state_directory);
  DeviceIdentity identity;
  ASSIGN_OR_RETURN(identity.own.certificate_pem, platform::read_small_file(directory + certificate_file, limits::certificate_chain_bytes));
  ASSIGN_OR_RETURN(identity.own.key_pem, platform::read_small_file(directory + key_file, limits::certificate_chain_bytes));
  ASSIGN_OR_RETURN(identity.ca_pem, platform::read_small_file(directory + authority_file, limits::certificate_chain_bytes));
  const auto certificates = tls::read_certificates(identity.own.certificate_pem);
  if (!certificates) return Error{ErrorCode::corrupt, certificates.error().native, "identity/device.crt cannot be parsed; enrol again"};
  identity.info = certificates->front();
  const auto belongs = tls::key_belongs(identity.own.certificate_pem, identity.own.key_pem);
  if (!belongs || !*belongs) return Error{ErrorCode::corrupt, 0, "identity/device.key does not belong to device.crt; enrol again"};
  return identity;
}

Status store_identity(const std::string& state_directory, const tls::Identity& own, const std::string& ca_pem) {
  const std::string directory = identity_directory(state_directory);
  RETURN_IF_ERROR(platform::make_directories(directory));
  RETURN_IF_ERROR(platform::write_small_file(directory + key_file, own.key_pem, platform::FileMode::secret));
  RETURN_IF_ERROR(platform::write_small_file(directory + authority_file, ca_pem, platform::FileMode::shared));
  return platform::write_small_file(directory + certificate_file, own.certificate_pem, platform::FileMode::shared);
}

UtcNanos renewal_time(const tls::CertificateInfo& info) {
  const int64_t life = info.validity.not_after.nanos / 3 - info.validity.not_before.nanos / 3;
  return {info.validity.not_before.nanos + life * 2};
}

}  // namespace tideline::agent
