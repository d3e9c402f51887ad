// Names of context entries: `mode`, `pump/7/setpoint`. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "context/version.hpp"

namespace tideline::context {

/// Segments of [A-Za-z0-9._-], none empty, "." or "..", with / between them; within limits::{path_bytes, path_segments}.
bool is_path(std::string_view path);
/// What is wrong with it, for people; "" when nothing is.
const char* path_problem(std::string_view path);
/// `path` is `prefix` or lies under it. "" is over everything; a / at the end of the prefix changes nothing.
bool is_under(std::string_view path, std::string_view prefix);
/// desired/... is written at the hub alone, reported/... by the device alone; anything else by both.
std::optional<Side> only_writer(std::string_view path);

inline constexpr std::string_view desired_prefix = "desired";
inline constexpr std::string_view reported_prefix = "reported";

}  // namespace tideline::context
