#include "wrap/tls/mbed.hpp"

#include <arpa/inet.h>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::tls {
namespace {

constexpr int san_dns_name = 2;  // GeneralName of RFC 5280, section 4.2.1.6
constexpr int san_ip_address = 7;
constexpr int64_t last_year = 2261;  // an int64 of nanoseconds ends in 2262

/// Days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

UtcNanos to_utc(const mbedtls_x509_time& time) {
  if (time.year > last_year) return {INT64_MAX};
  if (time.year < 1700) return {INT64_MIN};
  const int64_t day_seconds = time.hour * 3600 + time.min * 60 + time.sec;
  return UtcNanos{} + hours(24) * days_since_epoch(time.year, time.mon, time.day) + seconds(day_seconds);
}

std::string_view as_view(const mbedtls_asn1_buf& buffer) { return {reinterpret_cast<const char*>(buffer.p), buffer.len}; }

std::string common_name(const mbedtls_x509_name& names) {
  for (const mbedtls_x509_name* name = &names; name != nullptr; name = name->next) {
    if (as_view(name->oid) == std::string_view(MBEDTLS_OID_AT_CN, sizeof MBEDTLS_OID_AT_CN - 1)) {
      return std::string(as_view(name->val));
    }
  }
  return "";
}

std::vector<std::string> alternative_names(const mbedtls_x509_crt& certificate) {
  std::vector<std::string> names;
  for (const mbedtls_x509_sequence* item = &certificate.subject_alt_names; item != nullptr; item = item->next) {
    const int kind = item->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
    char text[INET6_ADDRSTRLEN] = "";
    if (kind == san_dns_name) names.emplace_back(as_view(item->buf));
    if (kind == san_ip_address && (item->buf.len == 4 || item->buf.len == 16)) {
      inet_ntop(item->buf.len == 4 ? AF_INET : AF_INET6, item->buf.p, text, sizeof text);
      names.emplace_back(text);
    }
  }
  return names;
}

bool is_authority(const mbedtls_x509_crt& certificate) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_x509_crt_get_ca_istrue(&certificate) == 1;
#else
  return certificate.ca_istrue != 0;
#endif
}

}  // namespace

int random_callback(void*, unsigned char* out, size_t size) {
  fill_random({out, size});
  return 0;
}

Status parse_chain(MbedCertificate& out, const std::string& pem) {
  if (pem.size() > limits::certificate_chain_bytes) return Error{ErrorCode::limit, 0, "certificate file is too large"};
  // The length counts the final NUL: so mbedTLS tells PEM from DER.
  const int code = mbedtls_x509_crt_parse(out.get(), reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1);
  if (code != 0 || out->raw.p == nullptr) return Error{ErrorCode::invalid, code, "certificate (PEM)"};
  return {};
}

Status parse_key(MbedKey& out, const std::string& pem) {
  if (pem.size() > limits::certificate_chain_bytes) return Error{ErrorCode::limit, 0, "key file is too large"};
  const auto* const text = reinterpret_cast<const unsigned char*>(pem.c_str());
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  const int code = mbedtls_pk_parse_key(out.get(), text, pem.size() + 1, nullptr, 0, random_callback, nullptr);
#else
  const int code = mbedtls_pk_parse_key(out.get(), text, pem.size() + 1, nullptr, 0);
#endif
  if (code != 0) return Error{ErrorCode::invalid, code, "private key (PEM)"};
  return {};
}

bool is_pair(mbedtls_pk_context& certified, mbedtls_pk_context& key) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_pk_check_pair(&certified, &key, random_callback, nullptr) == 0;
#else
  return mbedtls_pk_check_pair(&certified, &key) == 0;
#endif
}

Validity validity_of(const mbedtls_x509_crt& certificate) {
  return {to_utc(certificate.valid_from), to_utc(certificate.valid_to)};
}

CertificateInfo describe(const mbedtls_x509_crt& certificate) {
  CertificateInfo info;
  info.common_name = common_name(certificate.subject);
  info.issuer = common_name(certificate.issuer);
  info.fingerprint = sha256_hex({certificate.raw.p, certificate.raw.len});
  info.serial = to_hex(certificate.serial.p, certificate.serial.len);
  info.validity = validity_of(certificate);
  info.names = alternative_names(certificate);
  info.is_authority = is_authority(certificate);
  return info;
}

std::string address_bytes(const std::string& text) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return {reinterpret_cast<char*>(bytes), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return {reinterpret_cast<char*>(bytes), 16};
  return "";
}

}  // namespace tideline::tls
