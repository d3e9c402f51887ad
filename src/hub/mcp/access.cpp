#include "hub/mcp/access.hpp"

#include <array>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "mcp/header_params.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::hub {
namespace {

constexpr std::string_view prefix = "tlk_";
constexpr size_t id_bytes = 6;
constexpr size_t secret_bytes = 32;

/// What follows the scheme, "" when it is another scheme (RFC 9110 section 11.4: the scheme in any case, spaces, the credentials).
std::string_view bearer(std::string_view authorization) {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !mcp::equals_ignoring_case(authorization.substr(0, space), "bearer")) return {};
  std::string_view text = authorization.substr(space);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

void Access::load(const std::vector<ApiKey>& keys) {
  holders_.clear();
  has_keys_ = !keys.empty();
  for (const ApiKey& key : keys) {
    if (key.revoked_ns != 0) continue;
    Holder holder{key.hash, key.expires_ns, {"key:" + key.id, key.role, {}}};
    if (!key.devices.empty()) {
      auto devices = model::parse_device_selector(key.devices);
      if (!devices) continue;  // a key that cannot be understood must not open more than was meant
      holder.principal.devices = std::move(*devices);
    }
    holders_.emplace(key.id, std::move(holder));
  }
}

Authentication Access::authenticate(std::string_view authorization, bool is_loopback, UtcNanos now) const {
  using Verdict = Authentication::Verdict;
  if (!has_keys_) return {is_loopback ? Verdict::accepted : authorization.empty() ? Verdict::missing : Verdict::invalid, {}};
  if (authorization.empty()) return {};
  std::string_view id;
  std::string_view secret;
  if (!split_api_key(bearer(authorization), id, secret)) return {Verdict::invalid, {}};
  const auto found = holders_.find(id);
  if (found == holders_.end()) return {Verdict::invalid, {}};
  const Holder& holder = found->second;
  if (!tls::equal_in_constant_time(as_bytes(api_key_hash(secret)), as_bytes(holder.hash))) return {Verdict::invalid, {}};
  // Only who knows the secret learns that its time is over.
  if (holder.expires_ns != 0 && holder.expires_ns <= now.nanos) return {Verdict::expired, {}};
  return {Verdict::accepted, holder.principal};
}

/// A key never changes its rights; it is only revoked.
bool Access::is_in_force(const Principal& principal) const {
  constexpr std::string_view by_key = "key:";
  if (!std::string_view(principal.id).starts_with(by_key)) return !has_keys_;
  return holders_.find(std::string_view(principal.id).substr(by_key.size())) != holders_.end();
}

NewKey make_api_key() {
  std::array<uint8_t, id_bytes> id;
  std::array<uint8_t, secret_bytes> secret;
  tls::fill_random(id);
  tls::fill_random(secret);
  const std::string secret_text = to_base64url(secret);
  NewKey key;
  key.record.id = to_hex(id.data(), id.size());  // no '_', which ends it in the key
  key.record.hash = api_key_hash(secret_text);
  key.text = std::string(prefix) + key.record.id + "_" + secret_text;
  return key;
}

bool split_api_key(std::string_view text, std::string_view& id, std::string_view& secret) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const size_t end = text.find('_');
  if (end == std::string_view::npos || end == 0 || end + 1 == text.size()) return false;
  id = text.substr(0, end);
  secret = text.substr(end + 1);
  return true;
}

std::string api_key_hash(std::string_view secret) { return tls::sha256_hex(as_bytes(secret)); }

}  // namespace tideline::hub
