// A command's way to the archive it wants to change: through the hub when one runs, else by opening the archive itself.
// Blocks, on a loop of its own; for command lines only. Bounds: limits::admin_deadline.
#pragma once

#include "base/log.hpp"
#include "hub/admin.hpp"
#include "hub/state_directory.hpp"

namespace tideline::hub {

/// Asks the hub that serves `state`. Errors: unreachable (none runs), timeout, closed, invalid.
Result<AdminAnswer> ask_hub(const StateDirectory& state, const AdminRequest& request);

/// ask_hub(), or execute_admin() when no hub runs. Never fails: what goes wrong is in the answer.
AdminAnswer run_admin(const StateDirectory& state, const AdminRequest& request, UtcNanos now, Log& log);

}  // namespace tideline::hub
