#include "block/scale.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tideline::block {
namespace {

// Adding and subtracting 1.5 * 2^52 rounds a double below 2^51 to an integer, whose low bits then stand in the sum's: four times
// as fast as a call of nearbyint() without SSE4.1, and a fused multiply-add changes nothing, because results are verified.
constexpr double round_magic = 0x1.8p52;
constexpr double integer_limit = 0x1p50;
constexpr size_t chunk = 64;
constexpr size_t probes = 8;

/// value = integer * multiply / divide, one of both being 1: no value changes by a product or quotient with 1.
struct Scale {
  double to_integer = 1;
  double multiply = 1;
  double divide = 1;
};
Scale decimal(uint8_t exponent) { return {powers_of_ten[exponent], 1, powers_of_ten[exponent]}; }
Scale stepwise(double step) { return {1 / step, step, 1}; }

bool convert_one(uint64_t bits, const Scale& scale, uint64_t& integer) {
  const double scaled = std::bit_cast<double>(bits) * scale.to_integer;
  const double magic = scaled + round_magic;
  integer = std::bit_cast<uint64_t>(magic) - std::bit_cast<uint64_t>(round_magic);
  const double back = (magic - round_magic) * scale.multiply / scale.divide;
  return std::bit_cast<uint64_t>(back) == bits && std::fabs(scaled) < integer_limit;
}

/// All of a chunk at once, without branches; false when one is not exact.
bool convert_chunk(std::span<const uint64_t> bits, const Scale& scale, uint64_t* integers) {
  bool exact = true;
  if (scale.divide != 1) {
    for (size_t i = 0; i < bits.size(); ++i) exact &= convert_one(bits[i], {scale.to_integer, 1, scale.divide}, integers[i]);
  } else {
    for (size_t i = 0; i < bits.size(); ++i) exact &= convert_one(bits[i], {scale.to_integer, scale.multiply, 1}, integers[i]);
  }
  return exact;
}

/// The smallest exponent from `least` on with which the value is exact; exponent_most + 1 if none is.
uint8_t exponent_for(uint64_t bits, uint8_t least) {
  uint64_t integer = 0;
  uint8_t exponent = least;
  while (exponent <= exponent_most && !convert_one(bits, decimal(exponent), integer)) ++exponent;
  return exponent;
}

/// Where a pass over a column ended.
enum class Pass : uint8_t { done, finer_exponent, misfit };

class Converter {
 public:
  Converter(std::span<const uint64_t> bits, std::span<uint64_t> integers, std::vector<uint16_t>& misfits)
      : bits_(bits), integers_(integers), misfits_(misfits) {}

  /// True when decimals fit; `exponent` is the finest that a value needs.
  bool try_decimals(uint8_t& exponent) {
    if (!probe_decimals(exponent)) return false;
    for (;;) {
      const uint8_t tried = exponent;
      switch (pass(decimal(exponent), &exponent)) {
        case Pass::done: return true;
        case Pass::misfit: return false;
        case Pass::finer_exponent: break;
      }
      if (exponent <= tried) return false;  // cannot be: pass() only raises it
    }
  }
  bool try_step(double step) { return pass(stepwise(step), nullptr) == Pass::done; }

 private:
  /// The exponent of a few values; false when at least half of them are no decimals.
  bool probe_decimals(uint8_t& exponent) const {
    const size_t count = std::min(probes, bits_.size());
    size_t misfits = 0;
    exponent = 0;
    for (size_t k = 0; k < count; ++k) {
      const uint8_t needed = exponent_for(bits_[bits_.size() * k / count], exponent);
      if (needed <= exponent_most) {
        exponent = needed;
      } else if (++misfits * 2 >= count) {
        return false;
      }
    }
    return true;
  }

  Pass pass(const Scale& scale, uint8_t* exponent) {
    misfits_.clear();
    for (size_t begin = 0; begin < bits_.size(); begin += chunk) {
      const size_t count = std::min(chunk, bits_.size() - begin);
      if (convert_chunk(bits_.subspan(begin, count), scale, integers_.data() + begin)) continue;
      for (size_t i = begin; i < begin + count; ++i) {
        if (convert_one(bits_[i], scale, integers_[i])) continue;
        if (exponent != nullptr) {
          const uint8_t needed = exponent_for(bits_[i], *exponent);
          if (needed <= exponent_most) {
            *exponent = needed;
            return Pass::finer_exponent;
          }
        }
        if (misfits_.size() >= patches_most(bits_.size())) return Pass::misfit;
        misfits_.push_back(static_cast<uint16_t>(i));
      }
    }
    repeat_before_misfits();
    return Pass::done;
  }

  void repeat_before_misfits() {
    size_t first_good = 0;
    while (first_good < misfits_.size() && misfits_[first_good] == first_good) ++first_good;
    for (const uint16_t i : misfits_) integers_[i] = integers_[i < first_good ? first_good : i - 1u];
  }

  std::span<const uint64_t> bits_;
  std::span<uint64_t> integers_;
  std::vector<uint16_t>& misfits_;
};

/// The greatest common divisor of some values, in floating point: a candidate for the step, off by rounding, or 0. Random
/// values are found out after two of them, because their divisor falls below any sensor's resolution.
double rough_divisor(std::span<const double> values, double largest) {
  const double zero = largest * 0x1p-25;     // remainders below are rounding
  const double least = largest * 0x1p-23;    // finer steps than 23 bits of the range are not found
  double divisor = 0;
  for (double value : values) {
    value = std::fabs(value);
    while (value > zero) {
      if (divisor == 0 || value < divisor) std::swap(value, divisor);
      if (value == 0) break;
      value = std::fabs(value - std::floor(value / divisor + 0.5) * divisor);
    }
    if (divisor < least) return 0;
  }
  return divisor;
}

bool fits(double step, std::span<const double> values) {
  uint64_t integer = 0;
  return std::all_of(values.begin(), values.end(), [&](double value) {
    return convert_one(std::bit_cast<uint64_t>(value), stepwise(step), integer);
  });
}

/// A step with which all of some values are exact multiples, or 0.
double find_step(std::span<const uint64_t> bits) {
  constexpr size_t sampled = 64;
  double values[sampled];
  size_t count = 0;
  double largest = 0;
  for (size_t k = 0; k < std::min(sampled, bits.size()); ++k) {
    const double value = std::bit_cast<double>(bits[bits.size() * k / std::min(sampled, bits.size())]);
    if (!std::isnormal(value)) continue;
    values[count++] = value;
    largest = std::max(largest, std::fabs(value));
  }
  if (count < 4) return 0;
  const std::span<const double> sample(values, count);
  const double divisor = rough_divisor(sample, largest);
  if (divisor == 0) return 0;
  // The largest value bounds the step best: it is within an ulp or two of largest / count.
  double low = largest / std::floor(largest / divisor + 0.5);
  double high = low;
  for (int ulps = 0; ulps <= 2; ++ulps) {
    if (fits(low, sample)) return low;
    if (fits(high, sample)) return high;
    low = std::nextafter(low, 0);
    high = std::nextafter(high, HUGE_VAL);
  }
  return 0;
}

/// True when decimals may not be the best scale: ordinary values do not fit, or all that were looked at are multiples of 5, as
/// those of a sensor with steps of 0.5 or 0.0625 are in tenths or ten-thousandths.
bool may_have_step(std::span<const uint64_t> bits, std::span<const uint64_t> integers, const std::vector<uint16_t>& misfits) {
  for (const uint16_t i : misfits) {
    if (std::isnormal(std::bit_cast<double>(bits[i]))) return true;
  }
  constexpr size_t looked_at = 8;
  if (integers.size() < looked_at) return false;
  uint64_t any = 0;
  for (size_t k = 0; k < looked_at; ++k) {
    const uint64_t integer = integers[integers.size() * k / looked_at];
    if (static_cast<int64_t>(integer) % 5 != 0) return false;
    any |= integer - integers[0];
  }
  return any != 0;
}

}  // namespace

void find_scale(std::span<const uint64_t> bits, ColumnCoding& coding, std::span<uint64_t> integers,
                std::vector<uint16_t>& misfits) {
  Converter converter(bits, integers, misfits);
  const bool decimals = converter.try_decimals(coding.exponent);
  if (decimals && !may_have_step(bits, integers, misfits)) {
    coding.values = misfits.empty() ? Coding::f64_decimal : Coding::f64_decimal_patched;
    return;
  }
  const size_t decimal_misfits = decimals ? misfits.size() : SIZE_MAX;
  coding.step = find_step(bits);
  if (coding.step != 0 && converter.try_step(coding.step) && misfits.size() <= decimal_misfits) {
    coding.exponent = 0;
    coding.values = misfits.empty() ? Coding::f64_step : Coding::f64_step_patched;
    return;
  }
  coding.step = 0;
  coding.values = Coding::f64_bits;
  if (decimals && converter.try_decimals(coding.exponent)) {  // again: the step has overwritten the integers
    coding.values = misfits.empty() ? Coding::f64_decimal : Coding::f64_decimal_patched;
  } else {
    coding.exponent = 0;
  }
}

}  // namespace tideline::block
