#include "wrap/tls/certificates.hpp"

#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "wrap/tls/crypto.hpp"
#include "wrap/tls/mbed.hpp"

namespace tideline::tls {
namespace {

using CertificateWriter = Mbed<mbedtls_x509write_cert, mbedtls_x509write_crt_init, mbedtls_x509write_crt_free>;
using RequestWriter = Mbed<mbedtls_x509write_csr, mbedtls_x509write_csr_init, mbedtls_x509write_csr_free>;

constexpr size_t pem_bytes = 8192;          // of one certificate, request or key of ours: about 1 KiB
constexpr size_t common_name_bytes = 64;    // ub-common-name of RFC 5280
constexpr size_t san_bytes_largest = 4096;

/// ExtKeyUsageSyntax with one purpose: id-kp-serverAuth or id-kp-clientAuth.
constexpr std::string_view server_usage("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12);
constexpr std::string_view client_usage("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 12);
/// Object identifier ecdsa-with-SHA256, the only algorithm that requests may be signed with.
constexpr std::string_view ecdsa_sha256("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10);

/// Only characters that need no escape in mbedTLS's "CN=..." notation.
Status check_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= common_name_bytes && name.front() != ' ' && name.back() != ' ' &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             std::string_view(" ._-:*@()/").find(c) != std::string_view::npos;
                    });
  if (!good) return Error{ErrorCode::invalid, 0, "name for a certificate: 1 to 64 of letters, digits, space and ._-:*@()/"};
  return {};
}

/// X.509's own form: 20261121030405.
std::string to_x509_time(UtcNanos time) {
  const int64_t whole_seconds = time.nanos / 1'000'000'000;
  std::string text = format_utc(UtcNanos{} + seconds(whole_seconds < 0 ? 0 : whole_seconds));
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  return text;
}

std::string der_element(char tag, std::string_view content) {
  std::string out(1, tag);
  if (content.size() >= 256) {
    out += '\x82';
    out += static_cast<char>(content.size() >> 8);
  } else if (content.size() >= 128) {
    out += '\x81';
  }
  out += static_cast<char>(content.size() & 0xff);
  out += content;
  return out;
}

/// SubjectAltName, written by hand because 2.28 has no function for it.
Result<std::string> alternative_names(const std::vector<std::string>& names) {
  std::string content;
  for (const std::string& name : names) {
    RETURN_IF_ERROR(check_name(name));
    const std::string address = address_bytes(name);
    content += address.empty() ? der_element('\x82', name) : der_element('\x87', address);
  }
  if (names.empty() || content.size() > san_bytes_largest) return Error{ErrorCode::invalid, 0, "names for a server certificate"};
  return der_element('\x30', content);
}

void make_key(MbedKey& key) {
  int code = mbedtls_pk_setup(key.get(), mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (code == 0) code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.value), random_callback, nullptr);
  assert(code == 0 && "only the lack of memory or randomness can fail here");
  (void)code;
}

std::string key_text(MbedKey& key) {
  std::array<unsigned char, pem_bytes> buffer{};
  const int code = mbedtls_pk_write_key_pem(key.get(), buffer.data(), buffer.size());
  assert(code == 0);
  (void)code;
  std::string text(reinterpret_cast<const char*>(buffer.data()));
  mbedtls_platform_zeroize(buffer.data(), buffer.size());
  return text;
}

bool is_p256(mbedtls_pk_context& key) {
  if (mbedtls_pk_get_type(&key) != MBEDTLS_PK_ECKEY) return false;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(key)) == MBEDTLS_ECP_DP_SECP256R1;
#else
  return mbedtls_pk_ec(key)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
#endif
}

/// 127 random bits: unique without a counter to keep (CA/Browser Forum asks for 64).
int set_serial(CertificateWriter& writer) {
  std::array<uint8_t, 16> serial;
  fill_random(serial);
  serial[0] = static_cast<uint8_t>((serial[0] & 0x3f) | 0x40);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_x509write_crt_set_serial_raw(writer.get(), serial.data(), serial.size());
#else
  Mbed<mbedtls_mpi, mbedtls_mpi_init, mbedtls_mpi_free> number;
  const int code = mbedtls_mpi_read_binary(number.get(), serial.data(), serial.size());
  return code != 0 ? code : mbedtls_x509write_crt_set_serial(writer.get(), number.get());
#endif
}

struct Subject {
  mbedtls_pk_context* key;
  std::string_view name;
  bool is_authority;
  std::string_view usage;              // extended key usage, DER
  std::string_view alternative_names;  // DER
};

int set_extensions(CertificateWriter& writer, const Subject& subject) {
  const auto* const usage = reinterpret_cast<const unsigned char*>(subject.usage.data());
  const auto* const names = reinterpret_cast<const unsigned char*>(subject.alternative_names.data());
  const unsigned key_usage = subject.is_authority ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                                                  : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
  int code = mbedtls_x509write_crt_set_basic_constraints(writer.get(), subject.is_authority, subject.is_authority ? 0 : -1);
  if (code == 0) code = mbedtls_x509write_crt_set_key_usage(writer.get(), key_usage);
  if (code == 0) code = mbedtls_x509write_crt_set_subject_key_identifier(writer.get());
  if (code == 0) code = mbedtls_x509write_crt_set_authority_key_identifier(writer.get());
  if (code == 0 && !subject.usage.empty()) {
    code = mbedtls_x509write_crt_set_extension(writer.get(), MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                               sizeof MBEDTLS_OID_EXTENDED_KEY_USAGE - 1, 0, usage, subject.usage.size());
  }
  if (code == 0 && !subject.alternative_names.empty()) {
    code = mbedtls_x509write_crt_set_extension(writer.get(), MBEDTLS_OID_SUBJECT_ALT_NAME, sizeof MBEDTLS_OID_SUBJECT_ALT_NAME - 1,
                                               0, names, subject.alternative_names.size());
  }
  return code;
}

Result<std::string> write_certificate(const Subject& subject, mbedtls_pk_context* issuer_key, std::string_view issuer_name,
                                      Validity validity) {
  CertificateWriter writer;
  mbedtls_x509write_crt_set_version(writer.get(), MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(writer.get(), MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(writer.get(), subject.key);
  mbedtls_x509write_crt_set_issuer_key(writer.get(), issuer_key);
  int code = mbedtls_x509write_crt_set_subject_name(writer.get(), ("CN=" + std::string(subject.name)).c_str());
  if (code == 0) code = mbedtls_x509write_crt_set_issuer_name(writer.get(), ("CN=" + std::string(issuer_name)).c_str());
  if (code == 0) {
    code = mbedtls_x509write_crt_set_validity(writer.get(), to_x509_time(validity.not_before).c_str(),
                                              to_x509_time(validity.not_after).c_str());
  }
  if (code == 0) code = set_serial(writer);
  if (code == 0) code = set_extensions(writer, subject);
  std::array<unsigned char, pem_bytes> buffer{};
  if (code == 0) code = mbedtls_x509write_crt_pem(writer.get(), buffer.data(), buffer.size(), random_callback, nullptr);
  if (code != 0) return Error{ErrorCode::invalid, code, "make certificate"};
  return std::string(reinterpret_cast<const char*>(buffer.data()));
}

/// Signs with the authority's key, after checking that it belongs to the certificate that names the issuer.
Result<std::string> issue(const Identity& authority, const Subject& subject, Validity validity) {
  MbedCertificate issuer;
  MbedKey issuer_key;
  RETURN_IF_ERROR(parse_chain(issuer, authority.certificate_pem));
  RETURN_IF_ERROR(parse_key(issuer_key, authority.key_pem));
  if (!is_pair(issuer->pk, issuer_key.value)) return Error{ErrorCode::invalid, 0, "the authority's key does not belong to it"};
  return write_certificate(subject, issuer_key.get(), describe(issuer.value).common_name, validity);
}

/// mbedTLS parses a request without checking its signature: it is what proves that the sender has the key.
bool proves_possession(MbedRequest& request) {
  unsigned char* at = request->raw.p;
  const unsigned char* const end = at + request->raw.len;
  const auto whole_tag = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
  size_t size = 0;
  if (mbedtls_asn1_get_tag(&at, end, &size, whole_tag) != 0) return false;
  const unsigned char* const info = at;
  if (mbedtls_asn1_get_tag(&at, end, &size, whole_tag) != 0) return false;
  at += size;
  const Digest digest = sha256({info, static_cast<size_t>(at - info)});
  if (mbedtls_asn1_get_tag(&at, end, &size, whole_tag) != 0) return false;
  if (!as_text({at, size}).starts_with(ecdsa_sha256)) return false;  // 2.28 writes a NULL behind it, others do not
  at += size;
  if (mbedtls_asn1_get_bitstring_null(&at, end, &size) != 0) return false;
  return mbedtls_pk_verify(&request->pk, MBEDTLS_MD_SHA256, digest.data(), digest.size(), at, size) == 0;
}

}  // namespace

std::string make_key() {
  MbedKey key;
  make_key(key);
  return key_text(key);
}

Result<Identity> make_authority(std::string_view name, Validity validity) {
  RETURN_IF_ERROR(check_name(name));
  MbedKey key;
  make_key(key);
  const Subject subject{key.get(), name, true, {}, {}};
  ASSIGN_OR_RETURN(std::string certificate, write_certificate(subject, key.get(), name, validity));
  return Identity{std::move(certificate), key_text(key)};
}

Result<Identity> make_server_certificate(const Identity& authority, const std::vector<std::string>& names, Validity validity) {
  ASSIGN_OR_RETURN(const std::string san, alternative_names(names));
  MbedKey key;
  make_key(key);
  const Subject subject{key.get(), names.front(), false, server_usage, san};
  ASSIGN_OR_RETURN(std::string certificate, issue(authority, subject, validity));
  return Identity{std::move(certificate), key_text(key)};
}

Result<std::string> make_request(const std::string& key_pem, std::string_view common_name) {
  RETURN_IF_ERROR(check_name(common_name));
  MbedKey key;
  RETURN_IF_ERROR(parse_key(key, key_pem));
  RequestWriter writer;
  mbedtls_x509write_csr_set_key(writer.get(), key.get());
  mbedtls_x509write_csr_set_md_alg(writer.get(), MBEDTLS_MD_SHA256);
  int code = mbedtls_x509write_csr_set_subject_name(writer.get(), ("CN=" + std::string(common_name)).c_str());
  std::array<unsigned char, pem_bytes> buffer{};
  if (code == 0) code = mbedtls_x509write_csr_pem(writer.get(), buffer.data(), buffer.size(), random_callback, nullptr);
  if (code != 0) return Error{ErrorCode::invalid, code, "make signing request"};
  return std::string(reinterpret_cast<const char*>(buffer.data()));
}

Result<std::string> sign_request(const Identity& authority, const std::string& request_pem, std::string_view common_name,
                                 Validity validity) {
  RETURN_IF_ERROR(check_name(common_name));
  if (request_pem.size() > pem_bytes) return Error{ErrorCode::invalid, 0, "signing request is too large"};
  MbedRequest request;
  const auto* const text = reinterpret_cast<const unsigned char*>(request_pem.c_str());
  const int code = mbedtls_x509_csr_parse(request.get(), text, request_pem.size() + 1);
  if (code != 0) return Error{ErrorCode::invalid, code, "signing request (PEM)"};
  if (!is_p256(request->pk)) return Error{ErrorCode::invalid, 0, "signing request: only P-256 keys are taken"};
  if (!proves_possession(request)) return Error{ErrorCode::denied, 0, "signing request is not signed with its own key"};
  return issue(authority, Subject{&request->pk, common_name, false, client_usage, {}}, validity);
}

Result<std::vector<CertificateInfo>> read_certificates(const std::string& pem) {
  MbedCertificate chain;
  RETURN_IF_ERROR(parse_chain(chain, pem));
  std::vector<CertificateInfo> infos;
  for (const mbedtls_x509_crt* item = chain.get(); item != nullptr; item = item->next) infos.push_back(describe(*item));
  return infos;
}

Result<CertificateInfo> read_certificate(Bytes der) {
  MbedCertificate certificate;
  const int code = mbedtls_x509_crt_parse_der(certificate.get(), der.data(), der.size());
  if (code != 0) return Error{ErrorCode::invalid, code, "certificate (DER)"};
  return describe(certificate.value);
}

Result<bool> key_belongs(const std::string& certificate_pem, const std::string& key_pem) {
  MbedCertificate certificate;
  MbedKey key;
  RETURN_IF_ERROR(parse_chain(certificate, certificate_pem));
  RETURN_IF_ERROR(parse_key(key, key_pem));
  return is_pair(certificate->pk, key.value);
}

}  // namespace tideline::tls
