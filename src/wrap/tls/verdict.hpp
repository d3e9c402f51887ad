// Inside wrap only: what was found wrong with a chain of certificates, said in the same words whichever library looked.
#pragma once

#include <string>

#include "wrap/tls/session.hpp"

namespace tideline::tls {

struct Verdict {
  bool is_untrusted = false;   ///< no trusted authority signed it
  std::string bad_dates;       ///< as date_problem() says
  std::string wrong_name;      ///< the name that was wanted
  bool is_misused = false;     ///< not for this side of a connection
  std::string other;           ///< in the library's words
};

/// What is wrong with the dates of a certificate; "" when nothing is. The library's own comparison, with the system's clock, does
/// not count.
std::string date_problem(const Validity& validity, const CertificateTime& time);

/// Who a peer is that showed the certificate `leaf`.
Peer judge(const CertificateInfo& leaf, const Verdict& verdict);

}  // namespace tideline::tls
