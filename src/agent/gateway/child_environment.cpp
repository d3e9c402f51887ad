#include "agent/gateway/child_environment.hpp"

#include <cstdlib>
#include <map>

namespace tideline::agent {

std::vector<std::string> chosen_environment(std::span<const std::string_view> always, const std::vector<std::string>& names,
                                            const std::vector<std::pair<std::string, std::string>>& fixed) {
  std::map<std::string, std::string> chosen;
  const auto pass = [&](const std::string& name) {
    if (const char* value = std::getenv(name.c_str())) chosen[name] = value;
  };
  for (const std::string_view name : always) pass(std::string(name));
  for (const std::string& name : names) pass(name);
  for (const auto& [name, value] : fixed) chosen[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : chosen) out.push_back(name + "=" + value);
  return out;
}

}  // namespace tideline::agent
