// The numbers of FORMAT.md that encoder and decoder share. A change here changes FORMAT.md and the golden files with it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tideline::block {

inline constexpr uint8_t format_major = 1;  ///< a reader refuses another one
inline constexpr uint8_t format_minor = 0;  ///< a reader skips what it does not know
inline constexpr size_t checksum_bytes = 4;

/// How the values of a column are written. Stored: never renumber.
enum class Coding : uint8_t {
  f64_bits = 0,             ///< XOR with the value before
  f64_decimal = 1,          ///< integers q, value = q / 10^exponent
  f64_step = 2,             ///< integers q, value = q * step
  f64_decimal_patched = 3,  ///< as f64_decimal, with single values that are not (NaN, -0.0) written apart
  f64_step_patched = 4,
  i64 = 5,
  boolean = 6,
  text = 7,
};

inline constexpr int64_t time_units_ns[] = {1, 1'000, 1'000'000, 1'000'000'000};
inline constexpr int64_t base_unit_ns = 1'000'000'000;  ///< the base time of a block is whole seconds

/// All exactly representable; a quotient by them is rounded once, so every machine agrees on it (IEEE 754 section 5.4.1).
inline constexpr double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
inline constexpr uint8_t exponent_most = 12;

/// What the decoder needs besides the bytes of a column; of no interest to others.
struct ColumnCoding {
  Coding values = Coding::f64_bits;
  uint8_t time_unit = 0;  ///< index into time_units_ns
  uint8_t exponent = 0;   ///< of f64_decimal
  double step = 0;        ///< of f64_step
  uint64_t first = 0;     ///< the first and the last value as integers (f64_decimal, f64_step, i64), modulo 2^64
  uint64_t last = 0;
};

inline bool is_patched(Coding coding) { return coding == Coding::f64_decimal_patched || coding == Coding::f64_step_patched; }
inline bool has_step(Coding coding) { return coding == Coding::f64_step || coding == Coding::f64_step_patched; }
inline bool has_exponent(Coding coding) { return coding == Coding::f64_decimal || coding == Coding::f64_decimal_patched; }

/// The value that integer `q` stands for.
inline double unscale(const ColumnCoding& coding, uint64_t q) {
  const double integer = static_cast<double>(static_cast<int64_t>(q));
  return has_step(coding.values) ? integer * coding.step : integer / powers_of_ten[coding.exponent];
}

}  // namespace tideline::block
