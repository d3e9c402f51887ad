// `context set` and `context delete`: writes to the context of devices by the operator. A hub that runs does them in slices and sends them on
// (ContextWrites); without one they are done in the archive, and devices get them when it runs. See admin.hpp.
#pragma once

#include <vector>

#include "context/change.hpp"
#include "hub/admin.hpp"

namespace tideline::hub {

/// Arguments: devices, path, value, merge ("1"), if_version (may be ""; absent: not asked), ttl_ms.
bool is_context_write(const AdminRequest& request);
context::Change context_change(const AdminRequest& request);
/// Devices by id, glob or labels; `all` in the order of ids. Not empty, or `problem` says why.
std::vector<const DeviceRecord*> context_devices(const AdminRequest& request, const std::vector<DeviceRecord>& all, std::string& problem);
/// Result: path, devices, written, refused, version of one device, and why for the first that refused. Exit code 1 when all refused.
AdminAnswer context_answer(const AdminRequest& request, const std::vector<std::string>& ids, const std::vector<ContextOutcome>& outcomes);
/// The line of the audit.
AuditRow context_audit(const AdminRequest& request, const AdminAnswer& answer, size_t devices, UtcNanos now);

/// Both, in the archive. Store thread, or a command.
AdminAnswer context_write(Archive& archive, const AdminRequest& request, UtcNanos now);

}  // namespace tideline::hub
