// What is found out about the certificate that a client shows. It is let in whatever that is: the owner of the session judges.
#include <openssl/x509_vfy.h>

#include "wrap/openssl/session.hpp"
#include "wrap/tls/verdict.hpp"

namespace tideline::openssl {
namespace {

std::optional<tls::CertificateInfo> describe(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return std::nullopt;
  ByteBuffer der(static_cast<size_t>(size));
  unsigned char* out = der.data();
  i2d_X509(certificate, &out);
  auto info = tls::read_certificate(der);
  if (!info) return std::nullopt;
  return std::move(*info);
}

void note(tls::Verdict& verdict, int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_INVALID_CA: verdict.is_untrusted = true; break;
    case X509_V_ERR_INVALID_PURPOSE: verdict.is_misused = true; break;
    default: verdict.other = X509_verify_cert_error_string(error); break;
  }
}

/// Called for each finding; going on lets all of them be found.
int on_finding(int is_good, X509_STORE_CTX* store) {
  auto* const verdict = static_cast<tls::Verdict*>(X509_STORE_CTX_get_ex_data(store, 0));
  if (is_good == 0) note(*verdict, X509_STORE_CTX_get_error(store));
  return 1;
}

}  // namespace

int Session::on_certificate(X509_STORE_CTX* store, void*) {
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Session& self = of(ssl);
  tls::Verdict verdict;
  X509_STORE_CTX_set_ex_data(store, 0, &verdict);
  X509_STORE_CTX_set_verify_cb(store, on_finding);
  const int code = X509_verify_cert(store);
  X509_STORE_CTX_set_ex_data(store, 0, nullptr);
  if (code <= 0 && verdict.other.empty()) verdict.other = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(store);
  for (int i = sk_X509_num(chain) - 1; i >= 0; --i) {
    const auto info = describe(sk_X509_value(chain, i));
    if (!info) verdict.other = "a certificate of its chain cannot be read";
    else if (std::string bad = tls::date_problem(info->validity, self.time_); !bad.empty()) verdict.bad_dates = std::move(bad);
  }
  const auto leaf = describe(X509_STORE_CTX_get0_cert(store));
  self.shown_ = tls::judge(leaf.value_or(tls::CertificateInfo{}), verdict);
  if (!leaf) self.shown_->is_verified = false;
  return 1;
}

}  // namespace tideline::openssl
