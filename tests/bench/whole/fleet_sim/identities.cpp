#include "identities.hpp"

#include <cstdio>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "clock.hpp"
#include "small_file.hpp"
#include "wrap/tls/certificates.hpp"

namespace tideline::bench {
namespace {

/// Without the sync of platform::write_small_file(): thirty thousand of them would take minutes.
Status write(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return Error{ErrorCode::io, 0, "identity file"};
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && is_written ? Status() : Status(Error{ErrorCode::io, 0, "identity file"});
}

}  // namespace

std::string device_name(unsigned number) { return format("d-%05u", number); }

Status make_identities(const std::string& directory, const std::string& ca_file, const std::string& ca_key_file, unsigned first, unsigned count) {
  tls::Identity authority;
  ASSIGN_OR_RETURN(authority.certificate_pem, platform::read_small_file(ca_file, limits::certificate_chain_bytes));
  ASSIGN_OR_RETURN(authority.key_pem, platform::read_small_file(ca_key_file, limits::certificate_chain_bytes));
  const std::string key = tls::make_key();
  ASSIGN_OR_RETURN(const std::string request, tls::make_request(key, "load"));
  const UtcNanos now = platform::wall_clock();
  for (unsigned i = first; i < first + count; ++i) {
    const std::string name = device_name(i);
    const std::string place = directory + "/" + name + "/identity";
    std::string certificate;
    if (platform::file_exists(place + "/device.crt")) {
      ASSIGN_OR_RETURN(certificate, platform::read_small_file(place + "/device.crt", limits::certificate_chain_bytes));
    } else {
      ASSIGN_OR_RETURN(certificate, tls::sign_request(authority, request, name, {now - hours(1), now + hours(24 * 90)}));
      RETURN_IF_ERROR(platform::make_directories(place));
      RETURN_IF_ERROR(write(place + "/device.key", key));
      RETURN_IF_ERROR(write(place + "/hub-ca.crt", authority.certificate_pem));
      RETURN_IF_ERROR(write(place + "/device.crt", certificate));
    }
    ASSIGN_OR_RETURN(const auto info, tls::read_certificates(certificate));
    std::printf("%s %s\n", name.c_str(), info.front().fingerprint.c_str());
  }
  return {};
}

}  // namespace tideline::bench
