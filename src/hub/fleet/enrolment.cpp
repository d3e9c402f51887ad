#include "hub/fleet/enrolment.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/text.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr Duration clock_allowance = hours(1);

std::string renewal_key(const std::string& device) { return "renewed/" + device; }

EnrolmentOutcome refuse(const EnrolmentRequest& request, std::string reason) {
  EnrolmentOutcome outcome;
  const std::string& device = request.is_renewal ? request.certificate_device : request.request.device;
  outcome.log_line = format("%s of '%.64s' at %s refused: %s", request.is_renewal ? "renewal" : "enrolment", device.c_str(),
                            request.address.c_str(), reason.c_str());
  outcome.reason = std::move(reason);
  return outcome;
}

/// "" when the token can be used; otherwise why not.
std::string judge_token(const std::vector<Token>& tokens, const std::string& hash, const std::string& device, UtcNanos now) {
  const auto token = std::find_if(tokens.begin(), tokens.end(), [&](const Token& t) { return t.hash == hash; });
  if (token == tokens.end()) return "this hub does not know the token; check that it was copied whole, or make a new one with 'tideline-hub token create'";
  if (token->used_ns != 0) {
    return "the token was used or withdrawn at " + format_utc({token->used_ns}) + "; make a new one with 'tideline-hub token create'";
  }
  if (token->expires_ns <= now.nanos) {
    return "the token expired at " + format_utc({token->expires_ns}) + "; make a new one with 'tideline-hub token create'";
  }
  if (token->device != device) return "the token is for device '" + token->device + "', not for '" + device + "'";
  return "";
}

std::string archive_trouble(const Error& error) {
  return format("the hub's archive failed (%s: %s); try again when the hub is well", error.context, error_name(error.code));
}

/// The new record for a device that proved a token: `record` as the archive has it now (labels come from `token create`).
DeviceRecord record_for(Archive& archive, const std::string& device) {
  const auto known = archive.device(device);
  DeviceRecord record;
  if (known) record = *known;
  record.id = device;
  return record;
}

}  // namespace

EnrolmentOutcome Enrolment::decide(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const {
  return request.is_renewal ? renew(archive, request, now) : enroll(archive, request, now);
}

EnrolmentOutcome Enrolment::enroll(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const {
  const std::string& device = request.request.device;
  if (!link::is_device_id(device)) return refuse(request, "the device id must be letters a-z, digits, '.', '_' or '-', at most 64, beginning with a letter or digit");
  const std::string hash = token_hash(request.request.token);
  const auto tokens = archive.tokens();
  if (!tokens) return refuse(request, archive_trouble(tokens.error()));
  if (std::string problem = judge_token(*tokens, hash, device, now); !problem.empty()) return refuse(request, std::move(problem));
  // Signed before the token is spent: a request that cannot be signed does not cost the operator a token.
  const auto certificate = sign(request.request, device, now);
  if (!certificate) return refuse(request, format("the signing request is not acceptable: %s", certificate.error().context));
  const auto info = tls::read_certificates(*certificate);
  if (!info) return refuse(request, format("the new certificate cannot be read back: %s", info.error().context));
  if (const auto used = archive.use_token(hash, device, now.nanos); !used) {
    return refuse(request, format("the token cannot be used: %s", error_name(used.error().code)));
  }
  EnrolmentOutcome outcome;
  DeviceRecord record = record_for(archive, device);
  const bool replaces = !record.certificate_fingerprint.empty();
  record.certificate_fingerprint = info->front().fingerprint;
  record.enrolled_ns = now.nanos;
  record.revoked = false;
  record.agent_version = request.request.agent_version;
  const auto stored = archive.put_device(record);
  if (!stored) return refuse(request, archive_trouble(stored.error()));
  if (const Status cleared = archive.set_setting(renewal_key(device), ""); !cleared) return refuse(request, archive_trouble(cleared.error()));
  outcome.is_accepted = true;
  outcome.record = *stored;
  outcome.answer = {*certificate, authority_.certificate_pem};
  outcome.log_line = format("device '%s' enrolled from %s%s, certificate %.16s valid until %s", device.c_str(), request.address.c_str(),
                            replaces ? ", in place of an earlier certificate" : "", info->front().fingerprint.c_str(),
                            format_utc(info->front().validity.not_after).c_str());
  return outcome;
}

EnrolmentOutcome Enrolment::renew(Archive& archive, const EnrolmentRequest& request, UtcNanos now) const {
  const std::string& device = request.certificate_device;
  const auto record = archive.device(device);
  if (!record) return refuse(request, "this hub does not know the device");
  if (record->revoked) return refuse(request, "the device is revoked");
  if (record->certificate_fingerprint != request.fingerprint) return refuse(request, "another certificate is in force for this device");
  if (request.request.device != device) return refuse(request, "the certificate in use names '" + device + "'");
  const auto certificate = sign(request.request, device, now);
  if (!certificate) return refuse(request, format("the signing request is not acceptable: %s", certificate.error().context));
  const auto info = tls::read_certificates(*certificate);
  if (!info) return refuse(request, format("the new certificate cannot be read back: %s", info.error().context));
  if (const Status kept = archive.set_setting(renewal_key(device), info->front().fingerprint); !kept) return refuse(request, archive_trouble(kept.error()));
  EnrolmentOutcome outcome;
  outcome.is_accepted = true;
  outcome.record = *record;
  outcome.answer = {*certificate, authority_.certificate_pem};
  outcome.log_line = format("device '%s' renewed its certificate, valid until %s", device.c_str(), format_utc(info->front().validity.not_after).c_str());
  return outcome;
}

Result<std::string> Enrolment::sign(const link::Enroll& request, const std::string& device, UtcNanos now) const {
  return tls::sign_request(authority_, request.request_pem, device, {now - clock_allowance, now + device_life_});
}

Result<DeviceRecord> admit_renewed(Archive& archive, const DeviceRecord& record, const std::string& fingerprint) {
  if (fingerprint.empty() || record.certificate_fingerprint == fingerprint) return record;
  const auto renewed = archive.setting(renewal_key(record.id));
  if (!renewed && renewed.error().code != ErrorCode::not_found) return renewed.error();
  if (!renewed || *renewed != fingerprint) return record;
  DeviceRecord admitted = record;
  admitted.certificate_fingerprint = fingerprint;
  ASSIGN_OR_RETURN(admitted, archive.put_device(admitted));
  RETURN_IF_ERROR(archive.set_setting(renewal_key(record.id), ""));
  return admitted;
}

std::string make_token_secret() {
  std::array<uint8_t, 32> bytes{};
  tls::fill_random(bytes);
  return to_base64url(bytes);
}

std::string token_hash(std::string_view secret) { return tls::sha256_hex(as_bytes(secret)); }

Status withdraw_tokens(Archive& archive, const std::string& device, UtcNanos now) {
  ASSIGN_OR_RETURN(const std::vector<Token> tokens, archive.tokens());
  for (const Token& token : tokens) {
    if (token.device != device || token.used_ns != 0 || token.expires_ns <= now.nanos) continue;
    if (const auto used = archive.use_token(token.hash, device, now.nanos); !used) return used.error();
  }
  return {};
}

}  // namespace tideline::hub
