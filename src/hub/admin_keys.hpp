// `key create` and `key revoke`: commands that change who may call. See admin.hpp. Store thread.
#pragma once

#include "hub/admin.hpp"

namespace tideline::hub {

/// Arguments: role, devices, name, ttl. Result: id, key, role, devices, name, expires (null: never), is_first.
AdminAnswer key_create(Archive& archive, const AdminRequest& request, UtcNanos now);
/// Argument: id. Result: id, name.
AdminAnswer key_revoke(Archive& archive, const AdminRequest& request, UtcNanos now);

}  // namespace tideline::hub
