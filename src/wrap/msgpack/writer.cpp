#include "wrap/msgpack/writer.hpp"

#include <msgpack/pack.h>

namespace tideline::msgpack {
namespace {

int append_to_buffer(void* data, const char* bytes, size_t size) {
  auto& out = *static_cast<ByteBuffer*>(data);
  const auto* from = reinterpret_cast<const uint8_t*>(bytes);
  out.insert(out.end(), from, from + size);
  return 0;
}

msgpack_packer packer_for(ByteBuffer& out) {
  msgpack_packer packer;
  msgpack_packer_init(&packer, &out, &append_to_buffer);
  return packer;
}

}  // namespace

Writer& Writer::array(size_t count) {
  auto packer = packer_for(out_);
  msgpack_pack_array(&packer, count);
  return *this;
}
Writer& Writer::map(size_t count) {
  auto packer = packer_for(out_);
  msgpack_pack_map(&packer, count);
  return *this;
}
Writer& Writer::uint(uint64_t value) {
  auto packer = packer_for(out_);
  msgpack_pack_uint64(&packer, value);
  return *this;
}
Writer& Writer::integer(int64_t value) {
  auto packer = packer_for(out_);
  msgpack_pack_int64(&packer, value);
  return *this;
}
Writer& Writer::boolean(bool value) {
  auto packer = packer_for(out_);
  if (value) {
    msgpack_pack_true(&packer);
  } else {
    msgpack_pack_false(&packer);
  }
  return *this;
}
Writer& Writer::nil() {
  auto packer = packer_for(out_);
  msgpack_pack_nil(&packer);
  return *this;
}
Writer& Writer::real(double value) {
  auto packer = packer_for(out_);
  msgpack_pack_double(&packer, value);
  return *this;
}
Writer& Writer::text(std::string_view value) {
  auto packer = packer_for(out_);
  msgpack_pack_str(&packer, value.size());
  msgpack_pack_str_body(&packer, value.data(), value.size());
  return *this;
}
Writer& Writer::binary(Bytes value) {
  auto packer = packer_for(out_);
  msgpack_pack_bin(&packer, value.size());
  msgpack_pack_bin_body(&packer, value.data(), value.size());
  return *this;
}

}  // namespace tideline::msgpack
