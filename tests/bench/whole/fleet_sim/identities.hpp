// Certificates for simulated devices, signed with the hub's own authority instead of one enrolment each: a bench does not measure the
// operator's typing. All devices share one key (making ten thousand would only take time); each has its own certificate.
#pragma once

#include <string>

#include "base/result.hpp"

namespace tideline::bench {

/// "d-00042".
std::string device_name(unsigned number);

/// Makes <directory>/<device>/identity for devices `first` to `first + count - 1` with the authority in `ca_file` and `ca_key_file`, and prints
/// "name fingerprint" of each. Existing ones are kept. Errors: those of the files.
Status make_identities(const std::string& directory, const std::string& ca_file, const std::string& ca_key_file, unsigned first, unsigned count);

}  // namespace tideline::bench
