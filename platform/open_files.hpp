// How many files and sockets this process may have open: a hub needs one for each device.
//
// Thread: before any other is started.
#pragma once

#include <cstddef>

namespace tideline::platform {

/// Shells and service managers start programs with a soft limit of 1,024 for the sake of old programs that use select(2) (systemd.exec(5),
/// LimitNOFILE=); this takes what the hard limit allows. Returns the limit in force.
size_t raise_open_files();

}  // namespace tideline::platform
