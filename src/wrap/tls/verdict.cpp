#include "wrap/tls/verdict.hpp"

#include "base/log.hpp"

namespace tideline::tls {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string problem(const CertificateInfo& leaf, const Verdict& verdict) {
  if (verdict.is_untrusted) return "is not signed by the trusted authority";
  if (!verdict.bad_dates.empty()) return verdict.bad_dates;
  if (!verdict.wrong_name.empty()) return format("is not for \"%s\" but for %s", verdict.wrong_name.c_str(), list(leaf.names).c_str());
  if (verdict.is_misused) return "may not be used for this side of a connection";
  if (!verdict.other.empty()) return format("is not acceptable (%s)", verdict.other.c_str());
  return "";
}

}  // namespace

std::string date_problem(const Validity& validity, const CertificateTime& time) {
  if (validity.not_after < time.now) return "has expired on " + format_utc(validity.not_after);
  if (validity.not_before > time.now && !time.is_uncertain) {
    return "is not valid before " + format_utc(validity.not_before) + "; is this machine's clock right?";
  }
  return "";
}

Peer judge(const CertificateInfo& leaf, const Verdict& verdict) {
  Peer peer{true, true, leaf.common_name, leaf.fingerprint, leaf.validity, problem(leaf, verdict)};
  if (peer.problem.empty()) return peer;
  peer.is_verified = false;
  peer.problem = format("the certificate of \"%s\" %s", leaf.common_name.c_str(), peer.problem.c_str());
  return peer;
}

}  // namespace tideline::tls
