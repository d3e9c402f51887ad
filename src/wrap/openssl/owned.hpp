// Inside wrap/openssl only: OpenSSL's objects with one owner.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace tideline::openssl {

template <auto Free>
struct Release {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using OwnedBio = std::unique_ptr<BIO, Release<BIO_free>>;
using OwnedBioMethod = std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>>;
using OwnedCertificate = std::unique_ptr<X509, Release<X509_free>>;
using OwnedContext = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using OwnedSession = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;
using OwnedSsl = std::unique_ptr<SSL, Release<SSL_free>>;

}  // namespace tideline::openssl
