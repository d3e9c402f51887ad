#include "wrap/http/message.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/log.hpp"

namespace tideline::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::pair<uint16_t, std::string_view> reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

}  // namespace

std::string_view Request::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return is_same_name(h.name, name); });
  return found == headers.end() ? std::string_view{} : std::string_view(found->value);
}

bool Request::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& h) { return is_same_name(h.name, name); });
}

Response text_response(uint16_t status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(text) + "\n"};
}

Response json_response(uint16_t status, std::string json) {
  return {status, {{"Content-Type", "application/json"}}, std::move(json)};
}

std::string head(const Response& response, Framing framing, bool keep_alive) {
  std::string text = format("HTTP/1.1 %u ", unsigned{response.status});
  text.append(reason_phrase(response.status)).append("\r\n");
  for (const Header& header : response.headers) {
    assert(header.value.find_first_of("\r\n") == std::string::npos && "response splitting");
    text.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  const bool has_no_body = response.status == 204 || response.status < 200;
  if (framing == Framing::chunked) {
    text.append("Transfer-Encoding: chunked\r\n");
  } else if (!has_no_body) {
    text += format("Content-Length: %zu\r\n", response.body.size());
  }
  if (!keep_alive) text.append("Connection: close\r\n");
  return text.append("\r\n");
}

std::string encode(const Response& response, bool keep_alive, bool head_only) {
  std::string text = head(response, Framing::length, keep_alive);
  return head_only ? text : text.append(response.body);
}

std::string chunk(std::string_view data) {
  if (data.empty()) return {};
  std::string text = format("%zx\r\n", data.size());
  return text.append(data).append("\r\n");
}

std::string_view reason_phrase(uint16_t status) {
  const auto found = std::find_if(std::begin(reasons), std::end(reasons), [&](const auto& r) { return r.first == status; });
  return found == std::end(reasons) ? std::string_view{} : found->second;
}

}  // namespace tideline::http
