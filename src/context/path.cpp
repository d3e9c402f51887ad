#include "context/path.hpp"

#include "context/limits.hpp"

namespace tideline::context {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

const char* path_problem(std::string_view path) {
  if (path.empty()) return "a path is needed, such as pump/7/setpoint";
  if (path.size() > limits::path_bytes) return "a path has at most 256 bytes";
  size_t segments = 0;
  while (true) {
    const size_t end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    if (segment.empty()) return "a path has no / at its ends and no two together";
    if (segment == "." || segment == "..") return "a path has no segments . and ..";
    for (const char c : segment) {
      if (!is_letter(c)) return "a path consists of A-Z a-z 0-9 . _ - and / between segments";
    }
    if (++segments > limits::path_segments) return "a path has at most 16 segments";
    if (end == std::string_view::npos) return "";
    path.remove_prefix(end + 1);
  }
}

bool is_path(std::string_view path) { return *path_problem(path) == '\0'; }

bool is_under(std::string_view path, std::string_view prefix) {
  if (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  if (prefix.empty()) return true;
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::optional<Side> only_writer(std::string_view path) {
  if (is_under(path, desired_prefix)) return Side::hub;
  if (is_under(path, reported_prefix)) return Side::device;
  return std::nullopt;
}

}  // namespace tideline::context
