// What a command line needs to know of the terminal and the files it was started with.
#pragma once

#include <string>

namespace tideline::platform {

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();
/// Name of this host as the kernel has it, "" if it has none.
std::string host_name();

}  // namespace tideline::platform
