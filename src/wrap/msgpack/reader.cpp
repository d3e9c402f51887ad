#include "wrap/msgpack/reader.hpp"

#include <bit>

#include "base/text.hpp"

// Tags are those of the MessagePack specification (github.com/msgpack/msgpack spec.md, "Formats").
namespace tideline::msgpack {

uint8_t Reader::take_tag() {
  if (!ok_ || at_ >= input_.size()) {
    ok_ = false;
    return 0xc1;  // never used by the format: matches no case
  }
  return input_[at_++];
}

/// Big-endian unsigned integer of `count` bytes.
uint64_t Reader::take_bytes(size_t count) {
  if (!ok_ || bytes_left() < count) {
    ok_ = false;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | input_[at_++];
  return value;
}

size_t Reader::check_count(uint64_t count, size_t elements_each, size_t most) {
  if (!ok_ || count > most || count * elements_each > bytes_left()) {
    ok_ = false;
    return 0;
  }
  return static_cast<size_t>(count);
}

Bytes Reader::take_span(uint64_t size, size_t most_bytes) {
  if (!ok_ || size > most_bytes || size > bytes_left()) {
    ok_ = false;
    return {};
  }
  const Bytes span = input_.subspan(at_, static_cast<size_t>(size));
  at_ += span.size();
  return span;
}

size_t Reader::take_array(size_t most) {
  const uint8_t tag = take_tag();
  if ((tag & 0xf0) == 0x90) return check_count(tag & 0x0f, 1, most);
  if (tag == 0xdc) return check_count(take_bytes(2), 1, most);
  if (tag == 0xdd) return check_count(take_bytes(4), 1, most);
  ok_ = false;
  return 0;
}

size_t Reader::take_map(size_t most) {
  const uint8_t tag = take_tag();
  if ((tag & 0xf0) == 0x80) return check_count(tag & 0x0f, 2, most);
  if (tag == 0xde) return check_count(take_bytes(2), 2, most);
  if (tag == 0xdf) return check_count(take_bytes(4), 2, most);
  ok_ = false;
  return 0;
}

uint64_t Reader::take_uint() {
  const int64_t position = static_cast<int64_t>(at_);
  const uint8_t tag = take_tag();
  if (tag < 0x80) return tag;
  if (tag >= 0xcc && tag <= 0xcf) return take_bytes(size_t{1} << (tag - 0xcc));
  if (tag >= 0xd0 && tag <= 0xd3) {  // a signed form is fine when it is not negative
    at_ = static_cast<size_t>(position);
    const int64_t value = take_integer();
    if (value < 0) ok_ = false;
    return ok_ ? static_cast<uint64_t>(value) : 0;
  }
  ok_ = false;
  return 0;
}

int64_t Reader::take_integer() {
  const uint8_t tag = take_tag();
  if (tag < 0x80) return tag;
  if (tag >= 0xe0) return static_cast<int8_t>(tag);
  switch (tag) {
    case 0xcc: return static_cast<int64_t>(take_bytes(1));
    case 0xcd: return static_cast<int64_t>(take_bytes(2));
    case 0xce: return static_cast<int64_t>(take_bytes(4));
    case 0xcf: {
      const uint64_t value = take_bytes(8);
      if (value > INT64_MAX) ok_ = false;
      return ok_ ? static_cast<int64_t>(value) : 0;
    }
    case 0xd0: return static_cast<int8_t>(take_bytes(1));
    case 0xd1: return static_cast<int16_t>(take_bytes(2));
    case 0xd2: return static_cast<int32_t>(take_bytes(4));
    case 0xd3: return static_cast<int64_t>(take_bytes(8));
    default: ok_ = false; return 0;
  }
}

bool Reader::take_boolean() {
  const uint8_t tag = take_tag();
  if (tag != 0xc2 && tag != 0xc3) ok_ = false;
  return tag == 0xc3;
}

double Reader::take_real() {
  const uint8_t tag = take_tag();
  if (tag == 0xca) return std::bit_cast<float>(static_cast<uint32_t>(take_bytes(4)));
  if (tag == 0xcb) return std::bit_cast<double>(take_bytes(8));
  ok_ = false;
  return 0;
}

std::string_view Reader::take_text(size_t most_bytes) {
  const uint8_t tag = take_tag();
  uint64_t size = 0;
  if ((tag & 0xe0) == 0xa0) {
    size = tag & 0x1f;
  } else if (tag >= 0xd9 && tag <= 0xdb) {
    size = take_bytes(size_t{1} << (tag - 0xd9));
  } else {
    ok_ = false;
  }
  const std::string_view text = as_text(take_span(size, most_bytes));
  if (!is_utf8(text)) ok_ = false;
  return ok_ ? text : std::string_view{};
}

Bytes Reader::take_binary(size_t most_bytes) {
  const uint8_t tag = take_tag();
  if (tag < 0xc4 || tag > 0xc6) {
    ok_ = false;
    return {};
  }
  return take_span(take_bytes(size_t{1} << (tag - 0xc4)), most_bytes);
}

void Reader::skip() {
  constexpr size_t deepest = 16;
  size_t left[deepest + 1] = {1};  // elements still to skip on each level
  size_t depth = 0;
  while (ok_) {
    while (left[depth] == 0) {
      if (depth == 0) return;
      --depth;
    }
    --left[depth];
    const uint8_t tag = take_tag();
    uint64_t inner = 0;
    uint64_t size = 0;
    if ((tag & 0xf0) == 0x90) {
      inner = tag & 0x0f;
    } else if ((tag & 0xf0) == 0x80) {
      inner = uint64_t{2} * (tag & 0x0f);
    } else if ((tag & 0xe0) == 0xa0) {
      size = tag & 0x1f;
    } else if (tag == 0xc1) {
      ok_ = false;
    } else if (tag >= 0xc4 && tag <= 0xc6) {
      size = take_bytes(size_t{1} << (tag - 0xc4));
    } else if (tag >= 0xc7 && tag <= 0xc9) {
      size = take_bytes(size_t{1} << (tag - 0xc7)) + 1;
    } else if (tag == 0xca || tag == 0xcb) {
      size = tag == 0xca ? 4 : 8;
    } else if (tag >= 0xcc && tag <= 0xcf) {
      size = size_t{1} << (tag - 0xcc);
    } else if (tag >= 0xd0 && tag <= 0xd3) {
      size = size_t{1} << (tag - 0xd0);
    } else if (tag >= 0xd4 && tag <= 0xd8) {
      size = (size_t{1} << (tag - 0xd4)) + 1;
    } else if (tag >= 0xd9 && tag <= 0xdb) {
      size = take_bytes(size_t{1} << (tag - 0xd9));
    } else if (tag == 0xdc || tag == 0xdd) {
      inner = take_bytes(tag == 0xdc ? 2 : 4);
    } else if (tag == 0xde || tag == 0xdf) {
      inner = 2 * take_bytes(tag == 0xde ? 2 : 4);
    }
    (void)take_span(size, input_.size());
    if (inner > bytes_left()) ok_ = false;
    if (inner > 0 && ok_) {
      if (depth == deepest) {
        ok_ = false;
      } else {
        left[++depth] = static_cast<size_t>(inner);
      }
    }
  }
}

}  // namespace tideline::msgpack
