// Who may call what. A caller proves an API key; the key gives a role and the devices that exist for its holder (law 11: list, search,
// call and error text all use this filter). With no key made, callers on this machine are let in as administrators, and nobody else.
//
// Pure; owned by McpService, loaded from the archive at start and after every change of keys. Thread: loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "hub/store/archive.hpp"
#include "model/query.hpp"

namespace tideline::hub {

enum class Role : uint8_t { viewer, operator_, admin };

struct Principal {
  std::string id = "local";       ///< for audit and ownership: "key:<id>", or "local" while there are no keys
  Role role = Role::admin;
  model::DeviceSelector devices;  ///< all by default
  bool sees(const DeviceRecord& device) const { return devices.matches(device.id, device.labels); }
  bool may_change() const { return role != Role::viewer; }
};

struct Authentication {
  enum class Verdict : uint8_t { accepted, missing, invalid };
  Verdict verdict = Verdict::missing;
  Principal principal;
};

class Access {
 public:
  bool has_keys() const { return has_keys_; }
  /// `authorization` is the header's value.
  Authentication authenticate(std::string_view authorization, bool is_loopback, UtcNanos now) const;

 private:
  bool has_keys_ = false;
};

}  // namespace tideline::hub
