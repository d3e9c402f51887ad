#include "hub/state_directory.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "small_file.hpp"

namespace tideline::hub {
namespace {

constexpr size_t key_file_bytes = 64 * 1024;
/// Clocks of devices may be behind ours a little.
constexpr Duration clock_allowance = hours(1);

tls::Validity validity_from(UtcNanos now, Duration life) { return {now - clock_allowance, now + life}; }

Result<std::string> read_key_file(const std::string& path) { return platform::read_small_file(path, key_file_bytes); }

Result<tls::CertificateInfo> first_certificate(const std::string& pem) {
  const auto certificates = tls::read_certificates(pem);
  if (!certificates) return Error{ErrorCode::corrupt, certificates.error().native, "read certificate file"};
  return certificates->front();
}

Result<tls::Identity> load_identity(const std::string& certificate, const std::string& key) {
  tls::Identity identity;
  ASSIGN_OR_RETURN(identity.certificate_pem, read_key_file(certificate));
  ASSIGN_OR_RETURN(identity.key_pem, read_key_file(key));
  const auto fits = tls::key_belongs(identity.certificate_pem, identity.key_pem);
  if (!fits || !*fits) return Error{ErrorCode::corrupt, 0, "the key file does not belong to the certificate file"};
  return identity;
}

Status write_server(const StateDirectory& state, const tls::Identity& server) {
  RETURN_IF_ERROR(platform::write_small_file(state.server_key(), server.key_pem, platform::FileMode::secret));
  return platform::write_small_file(state.server_certificate(), server.certificate_pem, platform::FileMode::shared);
}

/// What a DNS name or an IP address can be made of; a wrong one would only be noticed when every device refuses the certificate.
bool is_host(const std::string& name) {
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '*'; };
  return !name.empty() && name.size() <= 253 && name.front() != '-' && std::all_of(name.begin(), name.end(), is_allowed);
}

Result<tls::Identity> issue_server(const tls::Identity& authority, const std::vector<std::string>& names, Duration life, UtcNanos now) {
  if (!std::all_of(names.begin(), names.end(), is_host)) return Error{ErrorCode::invalid, 0, "a name is a DNS name or an IP address"};
  ASSIGN_OR_RETURN(tls::Identity server, tls::make_server_certificate(authority, names, validity_from(now, life)));
  server.certificate_pem += authority.certificate_pem;
  return server;
}

}  // namespace

bool StateDirectory::is_initialised() const { return platform::file_exists(authority_certificate()); }

Result<HubKeys> make_keys(const StateDirectory& state, const std::vector<std::string>& names, Duration authority_life,
                          Duration server_life, UtcNanos now) {
  if (state.is_initialised()) return Error{ErrorCode::exists, 0, "the state directory is initialised already"};
  HubKeys keys;
  ASSIGN_OR_RETURN(keys.authority, tls::make_authority("Tideline hub " + names.front(), validity_from(now, authority_life)));
  ASSIGN_OR_RETURN(keys.server, issue_server(keys.authority, names, server_life, now));
  ASSIGN_OR_RETURN(keys.authority_info, first_certificate(keys.authority.certificate_pem));
  ASSIGN_OR_RETURN(keys.server_info, first_certificate(keys.server.certificate_pem));
  if (const Status made = platform::make_directory(state.path); !made && made.error().code != ErrorCode::exists) return made.error();
  RETURN_IF_ERROR(write_server(state, keys.server));
  RETURN_IF_ERROR(platform::write_small_file(state.authority_key(), keys.authority.key_pem, platform::FileMode::secret));
  RETURN_IF_ERROR(platform::write_small_file(state.authority_certificate(), keys.authority.certificate_pem, platform::FileMode::shared));
  return keys;
}

Result<HubKeys> load_keys(const StateDirectory& state) {
  HubKeys keys;
  ASSIGN_OR_RETURN(keys.authority, load_identity(state.authority_certificate(), state.authority_key()));
  ASSIGN_OR_RETURN(keys.authority_info, first_certificate(keys.authority.certificate_pem));
  ASSIGN_OR_RETURN(const std::string server_pem, read_key_file(state.server_certificate()));
  ASSIGN_OR_RETURN(keys.server_info, first_certificate(server_pem));
  auto server = load_identity(state.server_certificate(), state.server_key());
  if (server) {
    keys.server = std::move(*server);
  } else {
    keys.server_info.validity = {};  // a crash came between the two files: overdue for a new pair
  }
  return keys;
}

Result<bool> renew_server_certificate(const StateDirectory& state, const std::vector<std::string>& names, Duration life, UtcNanos now,
                                      HubKeys& keys) {
  const tls::Validity& validity = keys.server_info.validity;
  const UtcNanos due{validity.not_before.nanos + (validity.not_after.nanos - validity.not_before.nanos) / 3 * 2};
  const std::vector<std::string>& wanted = names.empty() ? keys.server_info.names : names;
  if (now < due && wanted == keys.server_info.names) return false;
  ASSIGN_OR_RETURN(tls::Identity server, issue_server(keys.authority, wanted, life, now));
  ASSIGN_OR_RETURN(tls::CertificateInfo info, first_certificate(server.certificate_pem));
  RETURN_IF_ERROR(write_server(state, server));
  keys.server = std::move(server);
  keys.server_info = std::move(info);
  return true;
}

tls::TicketKeys load_ticket_keys(const StateDirectory& state, UtcNanos now) {
  if (const auto saved = read_key_file(state.ticket_keys())) {
    if (auto keys = tls::TicketKeys::restore(as_bytes(*saved))) return std::move(*keys);
  }
  return tls::TicketKeys(now);
}

Status save_ticket_keys(const StateDirectory& state, const tls::TicketKeys& keys) {
  return platform::write_small_file(state.ticket_keys(), as_text(keys.saved()), platform::FileMode::secret);
}

}  // namespace tideline::hub
