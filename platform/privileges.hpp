// Root who looks after a state directory of a service's own user: what root makes there must be that user's, or the service cannot
// read its own key after `sudo tideline enroll`.
//
// Thread: before any other is started. For good: there is no way back to root. Does nothing for anybody but root.
#pragma once

#include <string>

#include "base/result.hpp"

namespace tideline::platform {

/// Root becomes the owner of `directory`, with its group and none of root's. A directory that is missing or root's own
/// changes nothing. Errors: denied; then nothing may be done there.
Status become_owner_of(const std::string& directory);
/// Root hands the files in `directory` (not those in folders) to its owner: after what only root could read was copied there.
Status give_files_to_owner(const std::string& directory);

}  // namespace tideline::platform
