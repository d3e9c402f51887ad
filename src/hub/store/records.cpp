#include "hub/store/records.hpp"

#include <iterator>

namespace tideline::hub {
namespace {

constexpr const char* role_names[] = {"viewer", "operator", "admin"};

}  // namespace

const char* role_name(Role role) { return role_names[static_cast<size_t>(role)]; }

bool parse_role(std::string_view text, Role& out) {
  for (size_t i = 0; i < std::size(role_names); ++i) {
    if (text != role_names[i]) continue;
    out = static_cast<Role>(i);
    return true;
  }
  return false;
}

}  // namespace tideline::hub
