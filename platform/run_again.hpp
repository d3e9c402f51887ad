// The same program in the same process, from its beginning: how a configuration that needs a restart comes into force without a supervisor.
// Thread: the only one. Files that are not to be inherited are closed by the kernel (all of ours).
#pragma once

namespace tideline::platform {

/// Returns only when it failed.
void run_again();

}  // namespace tideline::platform
