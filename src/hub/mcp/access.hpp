// Who may call what. A caller proves an API key; the key gives a role and the devices that exist for its holder (law 11: list, search,
// call and error text all use this filter). With no key made, callers on this machine are let in as administrators, and nobody else.
//
// Pure; owned by McpService, loaded from the archive at start and after every change of keys. Thread: loop. Bound: limits::hub_keys.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "model/query.hpp"

namespace tideline::hub {

struct Principal {
  std::string id = "local";       ///< for audit and ownership: "key:<id>", or "local" while there are no keys
  Role role = Role::admin;
  model::DeviceSelector devices;  ///< all by default
  bool sees(const DeviceRecord& device) const { return devices.matches(device.id, device.labels); }
  bool may_change() const { return role != Role::viewer; }
  bool may_call(bool is_read_only) const { return is_read_only || may_change(); }
};

struct Authentication {
  enum class Verdict : uint8_t { accepted, missing, invalid, expired };
  Verdict verdict = Verdict::missing;
  Principal principal;
};

class Access {
 public:
  /// All keys of the archive: revoked ones and those whose selector cannot be read open nothing.
  void load(const std::vector<ApiKey>& keys);
  /// A key was made once: then nobody comes in without one, also when all are revoked.
  bool has_keys() const { return has_keys_; }
  /// Whether a principal made earlier could still come in, with the same rights.
  bool is_in_force(const Principal& principal) const;
  /// `authorization` is the header's value: "Bearer tlk_<id>_<secret>". Takes the same time for every wrong secret of a known key.
  Authentication authenticate(std::string_view authorization, bool is_loopback, UtcNanos now) const;

 private:
  struct Holder {
    std::string hash;
    int64_t expires_ns = 0;
    Principal principal;
  };
  std::map<std::string, Holder, std::less<>> holders_;  // by id of the key
  bool has_keys_ = false;
};

/// A key as its holder gets it, shown once, and what the archive keeps: id and hash are filled in, the rest is the caller's.
struct NewKey {
  std::string text;  ///< "tlk_<id>_<secret>"
  ApiKey record;
};
NewKey make_api_key();
/// Of "tlk_<id>_<secret>"; false when the text has another form.
bool split_api_key(std::string_view text, std::string_view& id, std::string_view& secret);
std::string api_key_hash(std::string_view secret);

}  // namespace tideline::hub
