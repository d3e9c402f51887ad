// Inside wrap/tls only: owners for mbedTLS's structs, and what differs between 2.28 (Debian bookworm) and 3.6 (trixie).
#pragma once

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>

#include <string>

#include "wrap/tls/certificates.hpp"

namespace tideline::tls {

/// Holds one mbedTLS struct from its init function to its free function.
template <class T, void (*Init)(T*), void (*Free)(T*)>
struct Mbed {
  T value;
  Mbed() { Init(&value); }
  ~Mbed() { Free(&value); }
  Mbed(const Mbed&) = delete;
  Mbed& operator=(const Mbed&) = delete;
  T* get() { return &value; }
  const T* get() const { return &value; }
  T* operator->() { return &value; }
};

using MbedKey = Mbed<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using MbedCertificate = Mbed<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using MbedRequest = Mbed<mbedtls_x509_csr, mbedtls_x509_csr_init, mbedtls_x509_csr_free>;

/// mbedTLS's f_rng over fill_random().
int random_callback(void*, unsigned char* out, size_t size);

/// The chain in `pem`, at least one certificate. Errors: invalid, limit.
Status parse_chain(MbedCertificate& out, const std::string& pem);
Status parse_key(MbedKey& out, const std::string& pem);
/// Whether `key` is the private half of `certificate`'s key.
bool is_pair(mbedtls_pk_context& certified, mbedtls_pk_context& key);

Validity validity_of(const mbedtls_x509_crt& certificate);
CertificateInfo describe(const mbedtls_x509_crt& certificate);
/// A SAN entry for an IP address: 4 or 16 bytes; "" when `text` is not one.
std::string address_bytes(const std::string& text);

}  // namespace tideline::tls
