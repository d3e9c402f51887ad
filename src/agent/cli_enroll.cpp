// `tideline enroll`: from a one-time token to a certificate in the state directory.
#include <cstdio>

#include "agent/cli.hpp"
#include "agent/enrolment.hpp"
#include "agent/identity.hpp"
#include "agent/options.hpp"
#include "base/limits.hpp"
#include "link/message.hpp"

namespace tideline::agent::cli {
namespace {

bool is_fingerprint(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

int refuse(const EnrolmentOutcome& outcome, const std::string& hub) {
  std::string problem = outcome.problem;
  if (problem.find(hub) == std::string::npos) problem = hub + ": " + problem;
  return fail(outcome.error.code == ErrorCode::timeout ? unreachable : exit_code(outcome.error), "enroll", problem);
}

}  // namespace

int enroll(const Arguments& arguments) {
  if (arguments.words().size() != 1) return fail(usage_error, "enroll", "give the hub as HOST:PORT, as 'tideline-hub token create' prints it");
  EnrolmentRequest request;
  const std::string& hub = arguments.words()[0];
  if (!parse_address(hub, request.hub)) return fail(usage_error, "enroll", "'" + hub + "' is not HOST:PORT");
  request.token = arguments.get("token");
  request.ca_fingerprint = arguments.get("ca-fingerprint");
  if (request.token.empty()) return fail(usage_error, "enroll", "--token is missing: 'tideline-hub token create --device ID' prints one");
  if (!is_fingerprint(request.ca_fingerprint)) return fail(usage_error, "enroll", "--ca-fingerprint must be the 64 hexadecimal digits that the hub prints");
  Config config;
  int code = done;
  if (!load(arguments, "enroll", config, code)) return code;
  request.device = arguments.get("device", device_id(config));
  if (!link::is_device_id(request.device)) {
    return fail(usage_error, "enroll", "device id '" + request.device + "': 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit");
  }
  request.agent_version = TIDELINE_VERSION;
  const EnrolmentOutcome outcome = enrol(request);
  if (!outcome.is_success()) return refuse(outcome, hub);
  const std::string directory = state_directory(config);
  if (const Status stored = store_identity(directory, outcome.own, outcome.ca_pem); !stored) {
    return fail(exit_code(stored.error()), "enroll", "identity in " + identity_directory(directory) + ": " + describe(stored.error()));
  }
  const auto identity = load_identity(directory);
  if (!identity) return fail(failed, "enroll", describe(identity.error()));
  std::printf("enrolled as %s, certificate valid until %s, kept in %s\n", identity->info.common_name.c_str(),
              format_utc(identity->info.validity.not_after).c_str(), identity_directory(directory).c_str());
  if (config.hub.address != hub) std::printf("now set in %s:\n\n[hub]\naddress = \"%s\"\n\n", arguments.get("config", default_config_file).c_str(), hub.c_str());
  std::printf("an agent that runs takes it over when it starts again: systemctl restart tideline\n");
  return done;
}

}  // namespace tideline::agent::cli
