#include "wrap/tls/peer_record.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace tideline::tls {
namespace {

// Layout: version 1, binding 32, made_at 8, has peer 1, [not_before 8, not_after 8, fingerprint 32, name length 1, name].
constexpr uint8_t record_version = 1;
constexpr size_t fixed_bytes = 1 + 32 + 8 + 1;
constexpr size_t peer_bytes = 8 + 8 + 32 + 1;

template <class T>
void append_le(ByteBuffer& out, T value) {
  out.resize(out.size() + sizeof value);
  store_le(out.data() + out.size() - sizeof value, value);
}

}  // namespace

ByteBuffer write_record(const SessionRecord& record) {
  ByteBuffer out{record_version};
  append(out, record.binding);
  append_le(out, record.made_at.nanos);
  out.push_back(record.peer.has_value() ? 1 : 0);
  if (!record.peer) return out;
  Digest fingerprint{};
  (void)from_hex(record.peer->fingerprint, fingerprint.data(), fingerprint.size());
  const std::string_view name = std::string_view(record.peer->common_name).substr(0, UINT8_MAX);
  append_le(out, record.peer->validity.not_before.nanos);
  append_le(out, record.peer->validity.not_after.nanos);
  append(out, fingerprint);
  out.push_back(static_cast<uint8_t>(name.size()));
  append(out, as_bytes(name));
  return out;
}

std::optional<SessionRecord> read_record(Bytes& bytes) {
  if (bytes.size() < fixed_bytes || bytes[0] != record_version) return std::nullopt;
  SessionRecord record;
  std::copy_n(bytes.begin() + 1, record.binding.size(), record.binding.begin());
  record.made_at.nanos = load_le<int64_t>(bytes.data() + 33);
  const bool has_peer = bytes[41] == 1;
  bytes = bytes.subspan(fixed_bytes);
  if (!has_peer) return record;
  if (bytes.size() < peer_bytes || bytes.size() < peer_bytes + bytes[48]) return std::nullopt;
  Peer peer;
  peer.has_certificate = true;
  peer.is_verified = true;
  peer.validity.not_before.nanos = load_le<int64_t>(bytes.data());
  peer.validity.not_after.nanos = load_le<int64_t>(bytes.data() + 8);
  peer.fingerprint = to_hex(bytes.data() + 16, 32);
  peer.common_name = as_text(bytes.subspan(peer_bytes, bytes[48]));
  bytes = bytes.subspan(peer_bytes + bytes[48]);
  record.peer = std::move(peer);
  return record;
}

}  // namespace tideline::tls
