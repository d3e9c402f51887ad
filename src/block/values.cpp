#include "block/values.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "block/bits.hpp"

namespace tideline::block {
namespace {

enum class BooleanForm : uint8_t { bits = 0, runs = 1 };  // stored: never renumber

// ---- least and most

struct Extremes {
  uint64_t least = 0;
  uint64_t most = 0;
};

/// By value, NaN ignored; both are the first when all are NaN.
Extremes extremes_f64(std::span<const uint64_t> bits) {
  size_t i = 0;
  while (i < bits.size() && std::bit_cast<double>(bits[i]) != std::bit_cast<double>(bits[i])) ++i;
  if (i == bits.size()) return {bits[0], bits[0]};
  double least = std::bit_cast<double>(bits[i]);
  double most = least;
  for (; i < bits.size(); ++i) {
    const double value = std::bit_cast<double>(bits[i]);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return {std::bit_cast<uint64_t>(least), std::bit_cast<uint64_t>(most)};
}

Extremes extremes_i64(std::span<const uint64_t> values) {
  auto least = static_cast<int64_t>(values[0]);
  int64_t most = least;
  for (const uint64_t value : values) {
    least = std::min(least, static_cast<int64_t>(value));
    most = std::max(most, static_cast<int64_t>(value));
  }
  return {static_cast<uint64_t>(least), static_cast<uint64_t>(most)};
}

void set_extremes(Column& column, Extremes extremes) {
  column.value_min = extremes.least;
  column.value_max = extremes.most;
}

// ---- doubles that are no scaled integers: XOR with the value before, frames without their common zero bits

uint8_t* put_xor(std::span<const uint64_t> bits, uint8_t* to) {
  if (std::all_of(bits.begin(), bits.end(), [&](uint64_t value) { return value == bits[0]; })) return to;
  for (size_t begin = 1; begin < bits.size(); begin += frame_words) {
    const size_t count = std::min(frame_words, bits.size() - begin);
    uint64_t changed[frame_words];
    uint64_t all = 0;
    for (size_t i = 0; i < count; ++i) all |= changed[i] = bits[begin + i] ^ bits[begin + i - 1];
    const auto low = static_cast<unsigned>(all == 0 ? 0 : std::countr_zero(all));
    const auto width = static_cast<unsigned>(std::bit_width(all)) - low;
    for (size_t i = 0; i < count; ++i) changed[i] >>= low;
    *to++ = static_cast<uint8_t>(low);
    *to++ = static_cast<uint8_t>(width);
    to = pack(changed, count, width, to);
  }
  return to;
}

bool take_xor(const Column& column, std::span<uint64_t> bits) {
  if (column.value_bytes.empty()) {
    std::fill(bits.begin(), bits.end(), column.value_first);
    return true;
  }
  Input in(column.value_bytes);
  uint64_t value = bits[0] = column.value_first;
  for (size_t begin = 1; begin < bits.size(); begin += frame_words) {
    const size_t count = std::min(frame_words, bits.size() - begin);
    if (in.left() < 2) return false;
    const unsigned low = *in.at++;
    const unsigned width = *in.at++;
    if (low > 63 || low + width > 64 || in.left() < packed_bytes(count, width)) return false;
    unpack(in, count, width, bits.data() + begin);
    for (size_t i = begin; i < begin + count; ++i) bits[i] = value ^= bits[i] << low;
  }
  return in.left() == 0;
}

// ---- integers, and doubles that are scaled integers

uint8_t* put_integers(std::span<uint64_t> integers, Column& column, ValueScratch& scratch, uint8_t* to) {
  column.coding.first = integers.front();
  column.coding.last = integers.back();
  for (uint64_t& integer : integers) integer -= column.coding.first;
  return put_ints(integers, IntsOf::values, scratch.residuals.first(integers.size()), to);
}

bool take_integers(const Column& column, std::span<uint64_t> integers) {
  const uint64_t last_offset = column.coding.last - column.coding.first;
  if (column.value_bytes.empty()) return fill_progression(last_offset, integers);
  Input in(column.value_bytes);
  return take_ints(in, integers) && in.left() == 0 && integers.back() == last_offset;
}

uint8_t* put_patched(std::span<const uint64_t> bits, std::span<uint64_t> integers, ValueScratch& scratch, uint8_t* to) {
  const uint64_t origin = integers.front();
  for (uint64_t& integer : integers) integer -= origin;
  to = put_varint(zigzag(origin), to);
  to = put_ints(integers, IntsOf::patched_values, scratch.residuals.first(integers.size()), to);
  to = put_varint(scratch.misfits.size(), to);
  size_t next = 0;
  for (const uint16_t i : scratch.misfits) {
    to = put_varint(i - next, to);
    store_le(to, bits[i]);
    to += sizeof bits[i];
    next = i + 1u;
  }
  return to;
}

bool take_patched(const Column& column, std::span<uint64_t> bits) {
  Input in(column.value_bytes);
  uint64_t origin = 0;
  if (!take_varint(in, origin) || !take_ints(in, bits)) return false;
  origin = unzigzag(origin);
  for (uint64_t& integer : bits) integer = std::bit_cast<uint64_t>(unscale(column.coding, origin + integer));
  uint64_t patches = 0;
  if (!take_varint(in, patches) || patches > bits.size()) return false;
  size_t next = 0;
  for (; patches > 0; --patches) {
    uint64_t gap = 0;
    if (!take_varint(in, gap) || gap >= bits.size() - next || in.left() < 8) return false;
    next += static_cast<size_t>(gap);
    bits[next++] = load_le<uint64_t>(in.at);
    in.at += 8;
  }
  return in.left() == 0;
}

uint8_t* put_f64(std::span<const uint64_t> bits, Column& column, ValueScratch& scratch, uint8_t* to) {
  const std::span<uint64_t> integers = scratch.integers.first(bits.size());
  find_scale(bits, column.coding, integers, scratch.misfits);
  if (column.coding.values == Coding::f64_bits || is_patched(column.coding.values)) {
    set_extremes(column, extremes_f64(bits));
    return column.coding.values == Coding::f64_bits ? put_xor(bits, to) : put_patched(bits, integers, scratch, to);
  }
  const Extremes extremes = extremes_i64(integers);  // a positive scale keeps the order
  set_extremes(column, {std::bit_cast<uint64_t>(unscale(column.coding, extremes.least)),
                        std::bit_cast<uint64_t>(unscale(column.coding, extremes.most))});
  return put_integers(integers, column, scratch, to);
}

bool take_scaled(const Column& column, std::span<uint64_t> bits) {
  if (!take_integers(column, bits)) return false;
  const uint64_t first = column.coding.first;
  if (column.coding.values == Coding::f64_step) {
    for (uint64_t& value : bits) value = std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(first + value)) * column.coding.step);
  } else {
    const double divisor = powers_of_ten[column.coding.exponent];
    for (uint64_t& value : bits) value = std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(first + value)) / divisor);
  }
  return true;
}

// ---- booleans

uint8_t* put_booleans(std::span<const uint64_t> bits, ValueScratch& scratch, uint8_t* to) {
  size_t runs = 0;
  uint64_t* lengths = scratch.integers.data();
  for (size_t i = 0, start = 0; i <= bits.size(); ++i) {
    if (i < bits.size() && bits[i] == bits[start]) continue;
    lengths[runs++] = i - start;
    start = i;
  }
  if (runs == 1) return to;
  size_t size = 0;
  for (size_t k = 0; k < runs; ++k) size += varint_size(lengths[k]);
  if (size < packed_bytes(bits.size(), 1)) {
    *to++ = static_cast<uint8_t>(BooleanForm::runs);
    for (size_t k = 0; k < runs; ++k) to = put_varint(lengths[k], to);
    return to;
  }
  *to++ = static_cast<uint8_t>(BooleanForm::bits);
  return pack(bits.data(), bits.size(), 1, to);
}

bool take_runs(Input& in, uint64_t value, std::span<uint64_t> bits) {
  for (size_t at = 0; at < bits.size(); value ^= 1) {
    uint64_t length = 0;
    if (!take_varint(in, length) || length == 0 || length > bits.size() - at) return false;
    const std::span<uint64_t> run = bits.subspan(at, static_cast<size_t>(length));
    std::fill(run.begin(), run.end(), value);
    at += run.size();
  }
  return in.left() == 0;
}

bool take_booleans(const Column& column, std::span<uint64_t> bits) {
  if (column.value_bytes.empty()) {
    std::fill(bits.begin(), bits.end(), column.value_first);
    return true;
  }
  Input in(column.value_bytes);
  const uint8_t form = *in.at++;
  if (form == static_cast<uint8_t>(BooleanForm::runs)) return take_runs(in, column.value_first, bits);
  if (form != static_cast<uint8_t>(BooleanForm::bits) || in.left() != packed_bytes(bits.size(), 1)) return false;
  for (size_t i = 0; i < bits.size(); i += frame_words) {
    unpack(in, std::min(frame_words, bits.size() - i), 1, bits.data() + i);
  }
  return true;
}

}  // namespace

uint8_t* put_numbers(std::span<const uint64_t> bits, Column& column, ValueScratch& scratch, uint8_t* to) {
  column.value_first = bits.front();
  column.value_last = bits.back();
  switch (column.type) {
    case model::ValueType::f64: return put_f64(bits, column, scratch, to);
    case model::ValueType::i64: {
      column.coding.values = Coding::i64;
      set_extremes(column, extremes_i64(bits));
      const std::span<uint64_t> integers = scratch.integers.first(bits.size());
      std::copy(bits.begin(), bits.end(), integers.begin());
      return put_integers(integers, column, scratch, to);
    }
    case model::ValueType::boolean:
      column.coding.values = Coding::boolean;
      set_extremes(column, extremes_i64(bits));
      return put_booleans(bits, scratch, to);
    case model::ValueType::text: break;
  }
  assert(false);
  return to;
}

bool take_numbers(const Column& column, std::span<uint64_t> bits) {
  bool sound = false;
  switch (column.coding.values) {
    case Coding::f64_bits: sound = take_xor(column, bits); break;
    case Coding::f64_decimal:
    case Coding::f64_step: sound = take_scaled(column, bits); break;
    case Coding::f64_decimal_patched:
    case Coding::f64_step_patched: sound = take_patched(column, bits); break;
    case Coding::i64:
      sound = take_integers(column, bits);
      for (uint64_t& value : bits) value += column.coding.first;
      break;
    case Coding::boolean: sound = take_booleans(column, bits); break;
    case Coding::text: return false;
  }
  return sound && bits.front() == column.value_first && bits.back() == column.value_last;
}

}  // namespace tideline::block
