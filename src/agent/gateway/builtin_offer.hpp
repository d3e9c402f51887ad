// What every Tideline agent offers by itself: the definitions of its tools, resources, template and prompts. Plain data.
#pragma once

#include <string_view>

#include "agent/gateway/provider.hpp"

namespace tideline::agent {

namespace uri {
inline constexpr std::string_view status = "tideline://status";
inline constexpr std::string_view series = "tideline://series";
inline constexpr std::string_view gaps = "tideline://gaps";
inline constexpr std::string_view one_series = "tideline://series/";           ///< and a percent-encoded key
inline constexpr std::string_view series_template = "tideline://series/{name}";
}  // namespace uri

Offer builtin_offer();
/// For `instructions` of the server.
std::string_view builtin_instructions();

}  // namespace tideline::agent
