#include "mcp/hmac_sealer.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "wrap/tls/crypto.hpp"

namespace tideline::mcp {
namespace {

constexpr std::string_view version = "v1.";
constexpr size_t expiry_bytes = 8;
constexpr size_t digest_bytes = std::tuple_size_v<tls::Digest>;

/// The version and the length of the context stand in front, so that no two sealed things give the same message.
tls::Digest digest_of(const SealKey& key, Bytes expiry, std::string_view context, Bytes state) {
  ByteBuffer message;
  message.reserve(version.size() + expiry.size() + sizeof(uint64_t) + context.size() + state.size());
  append(message, as_bytes(version));
  append(message, expiry);
  uint8_t length[sizeof(uint64_t)];
  store_le(length, uint64_t{context.size()});
  append(message, length);
  append(message, as_bytes(context));
  append(message, state);
  return tls::hmac_sha256(key, message);
}

}  // namespace

SealKey random_seal_key() {
  SealKey key;
  tls::fill_random(key);
  return key;
}

std::string HmacSealer::seal(std::string_view state, std::string_view context) {
  uint8_t expiry[expiry_bytes];
  store_le(expiry, (Instant{clock_()} + life_).nanos);
  ByteBuffer bytes;
  bytes.reserve(expiry_bytes + digest_bytes + state.size());
  append(bytes, expiry);
  append(bytes, digest_of(key_, expiry, context, as_bytes(state)));
  append(bytes, as_bytes(state));
  return std::string(version) + to_base64url(bytes);
}

Result<std::string> HmacSealer::open(std::string_view sealed, std::string_view context) {
  const Error denied{ErrorCode::denied, 0, "the state was not given by this server for this request"};
  ByteBuffer bytes;
  if (!sealed.starts_with(version) || !from_base64url(sealed.substr(version.size()), bytes)) return denied;
  if (bytes.size() < expiry_bytes + digest_bytes) return denied;
  const Bytes all(bytes);
  const Bytes expiry = all.first(expiry_bytes);
  const Bytes state = all.subspan(expiry_bytes + digest_bytes);
  if (!tls::equal_in_constant_time(all.subspan(expiry_bytes, digest_bytes), digest_of(key_, expiry, context, state))) return denied;
  // Only what we sealed ourselves is asked for its age.
  if (clock_() >= load_le<int64_t>(expiry.data())) return Error{ErrorCode::timeout, 0, "the state is too old; start the request again"};
  return std::string(as_text(state));
}

}  // namespace tideline::mcp
