// The environment of programs that the gateway starts: nothing but what is named, so that no secret of the agent's leaks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tideline::agent {

/// What MCP clients pass to stdio servers.
inline constexpr std::string_view server_environment[] = {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"};
inline constexpr std::string_view command_environment[] = {"PATH"};

/// "NAME=value" of those of `always` and `names` that the agent has, and of `fixed`, which win.
std::vector<std::string> chosen_environment(std::span<const std::string_view> always, const std::vector<std::string>& names,
                                            const std::vector<std::pair<std::string, std::string>>& fixed);

}  // namespace tideline::agent
