#include "block/ints.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <iterator>

#include "block/bits.hpp"

namespace tideline::block {
namespace {

constexpr unsigned slope_fraction_bits = 16;  // 4,096 steps of the rounded slope stay within 1/16 of a unit
constexpr int64_t slope_one = int64_t{1} << slope_fraction_bits;

struct Plan {
  Transform transform = Transform::plain;
  uint64_t center = 0;
  uint64_t slope = 0;
};

int64_t as_signed(uint64_t value) { return static_cast<int64_t>(value); }

uint64_t on_line(uint64_t slope, size_t i) {
  return static_cast<uint64_t>(as_signed(slope * i + slope_one / 2) >> slope_fraction_bits);
}

/// Zigzag of what the plan does not predict, for offsets [begin, end), begin >= 1.
void find_residuals(const Plan& plan, std::span<const uint64_t> o, size_t begin, size_t end, uint64_t* out) {
  switch (plan.transform) {
    case Transform::plain:
      for (size_t i = begin; i < end; ++i) *out++ = zigzag(o[i] - plan.center);
      return;
    case Transform::delta:
      for (size_t i = begin; i < end; ++i) *out++ = zigzag(o[i] - o[i - 1] - plan.center);
      return;
    case Transform::delta_of_delta: {
      uint64_t previous = begin == 1 ? plan.center : o[begin - 1] - o[begin - 2];
      for (size_t i = begin; i < end; ++i) {
        const uint64_t delta = o[i] - o[i - 1];
        *out++ = zigzag(delta - previous);
        previous = delta;
      }
      return;
    }
    case Transform::line:
      for (size_t i = begin; i < end; ++i) *out++ = zigzag(o[i] - plan.center - on_line(plan.slope, i));
      return;
  }
}

int64_t middle(int64_t a, int64_t b, int64_t c) { return std::max(std::min(a, b), std::min(std::max(a, b), c)); }

/// The median of three medians of three elements, evenly spread over [0, size): near the middle, not moved by outliers, and
/// found without a branch that depends on data.
template <class Element>
uint64_t rough_median(size_t size, Element element) {
  int64_t probe[9];
  for (size_t k = 0; k < std::size(probe); ++k) probe[k] = as_signed(element(size * k / std::size(probe)));
  return static_cast<uint64_t>(middle(middle(probe[0], probe[3], probe[6]), middle(probe[1], probe[4], probe[7]),
                                      middle(probe[2], probe[5], probe[8])));
}

/// A quotient with slope_fraction_bits. In floating point, because a 64-bit integer division takes up to 45 cycles; the last
/// bits do not matter, and a product and a quotient are rounded the same way everywhere.
int64_t divide_fixed(int64_t dividend, int64_t divisor) {
  return static_cast<int64_t>(static_cast<double>(dividend) * static_cast<double>(slope_one) / static_cast<double>(divisor));
}

/// The line through the means of both halves (A. Wald, 1940): one pass of integers, close to least squares for even spacing.
/// Offsets below line_range, of which there are at most 2^12, keep every sum and product below 2^63.
Plan fit_line(std::span<const uint64_t> o) {
  const size_t half = o.size() / 2;
  const auto size = static_cast<int64_t>(o.size());
  int64_t low = 0;
  int64_t high = 0;
  for (size_t i = 0; i < half; ++i) {
    low += as_signed(o[i]);
    high += as_signed(o[o.size() - half + i]);
  }
  const int64_t sum = low + high + (size % 2 != 0 ? as_signed(o[half]) : 0);
  const int64_t slope = divide_fixed(high - low, static_cast<int64_t>(half) * (size - static_cast<int64_t>(half)));
  const int64_t start = divide_fixed(sum, size) - slope * (size - 1) / 2;
  return {Transform::line, static_cast<uint64_t>((start + slope_one * 3 / 4) >> slope_fraction_bits), static_cast<uint64_t>(slope)};
}

/// How wide the residuals of some offsets are under each plan: sums over the widest of every four. All three plans in one
/// pass over a few short runs, because choosing must stay cheap against writing (bench encode/mix).
class Estimate {
 public:
  Estimate(const Plan& delta, const Plan& third) : delta_(delta), third_(third) {}

  void add_runs(std::span<const uint64_t> o) {
    const size_t runs = std::clamp<size_t>(o.size() / 32, 3, 16);
    if (o.size() <= 2 + runs * run_length) return add(o, 2, o.size());
    const size_t apart = (o.size() - 2 - run_length) / (runs - 1);
    for (size_t k = 0; k < runs; ++k) add(o, 2 + k * apart, 2 + k * apart + run_length);
  }
  /// The cheapest; `center` of delta_of_delta is still to be set.
  Plan best() const {
    if (delta_width_ <= second_width_ && delta_width_ <= third_width_) return delta_;
    return third_width_ <= second_width_ ? third_ : Plan{Transform::delta_of_delta, 0, 0};
  }

 private:
  static constexpr size_t run_length = 8;
  static constexpr size_t group = 4;

  static size_t width(uint64_t bits) { return static_cast<size_t>(std::bit_width(bits)); }

  void add(std::span<const uint64_t> o, size_t begin, size_t end) {
    const bool is_line = third_.transform == Transform::line;
    while (begin < end) {
      uint64_t delta_bits = 0;
      uint64_t second_bits = 0;
      uint64_t third_bits = 0;
      for (const size_t stop = std::min(begin + group, end); begin < stop; ++begin) {
        const uint64_t delta = o[begin] - o[begin - 1];
        const uint64_t previous = o[begin - 1] - o[begin - 2];
        const uint64_t predicted = third_.center + (is_line ? on_line(third_.slope, begin) : 0);
        delta_bits |= zigzag(delta - delta_.center);
        second_bits |= zigzag(delta - previous);
        third_bits |= zigzag(o[begin] - predicted);
      }
      delta_width_ += width(delta_bits);
      second_width_ += width(second_bits);
      third_width_ += width(third_bits);
    }
  }

  Plan delta_;
  Plan third_;
  size_t delta_width_ = 0;
  size_t second_width_ = 0;
  size_t third_width_ = 0;
};

// Centers: medians of means of a few neighbours, which are nearer to the middle of skewed differences (a counter's) than single
// elements, and cost no more. All are rounded up from a quarter: zigzag has one more negative number than positive ones of a width.

uint64_t usual_delta(std::span<const uint64_t> o) {
  const unsigned bits = o.size() > 32 ? 3 : 0;
  const size_t run = size_t{1} << bits;
  return rough_median(o.size() - run, [&](size_t i) {
    return static_cast<uint64_t>(as_signed(o[i + run] - o[i] + run * 3 / 4) >> bits);
  });
}

uint64_t usual_offset(std::span<const uint64_t> o) {
  if (o.size() <= 32) return rough_median(o.size(), [&](size_t i) { return o[i]; });
  return rough_median(o.size() - 3, [&](size_t i) {
    return static_cast<uint64_t>(as_signed(o[i] + o[i + 1] + o[i + 2] + o[i + 3] + 3) >> 2);
  });
}

Plan choose(std::span<const uint64_t> o, IntsOf what) {
  if (o.size() == 1) return {};
  const Plan delta{Transform::delta, usual_delta(o), 0};
  Plan third = delta;
  if (what == IntsOf::times) {
    if (o.size() >= 4) third = fit_line(o);
  } else if (what != IntsOf::distant_times) {
    third = {Transform::plain, usual_offset(o), 0};
  }
  Estimate estimate(delta, third);
  estimate.add_runs(o);
  Plan best = estimate.best();
  if (best.transform == Transform::delta_of_delta) best.center = o[1];
  return best;
}

/// True when fill_progression() brings back every offset.
bool is_progression(std::span<const uint64_t> o) {
  if (o.size() == 1) return true;
  for (size_t i = 2; i < o.size(); ++i) {
    if (o[i] - o[i - 1] != o[1]) return false;
  }
  const auto steps = static_cast<int64_t>(o.size() - 1);
  return as_signed(o.back()) % steps == 0 && as_signed(o.back()) / steps == as_signed(o[1]);  // no if the last one wrapped
}

void restore(const Plan& plan, std::span<uint64_t> o) {
  switch (plan.transform) {
    case Transform::plain:
      for (size_t i = 1; i < o.size(); ++i) o[i] = unzigzag(o[i]) + plan.center;
      return;
    case Transform::delta: {
      uint64_t at = 0;
      for (size_t i = 1; i < o.size(); ++i) o[i] = at += unzigzag(o[i]) + plan.center;
      return;
    }
    case Transform::delta_of_delta: {
      uint64_t at = 0;
      uint64_t delta = plan.center;
      for (size_t i = 1; i < o.size(); ++i) o[i] = at += delta += unzigzag(o[i]);
      return;
    }
    case Transform::line:
      for (size_t i = 1; i < o.size(); ++i) o[i] = unzigzag(o[i]) + plan.center + on_line(plan.slope, i);
      return;
  }
}

}  // namespace

uint8_t* put_ints(std::span<uint64_t> offsets, IntsOf what, std::span<uint64_t> residuals, uint8_t* to) {
  assert(!offsets.empty() && offsets[0] == 0);
  if (what != IntsOf::patched_values && is_progression(offsets)) return to;
  uint64_t all = 0;
  for (const uint64_t offset : offsets) all |= offset;
  const unsigned shift = all == 0 ? 0 : static_cast<unsigned>(std::countr_zero(all));
  if (shift > 0) {
    for (uint64_t& offset : offsets) offset = static_cast<uint64_t>(as_signed(offset) >> shift);
  }
  const Plan plan = choose(offsets, what);
  *to++ = static_cast<uint8_t>(static_cast<unsigned>(plan.transform) | shift << 2);
  to = put_varint(zigzag(plan.center), to);
  if (plan.transform == Transform::line) to = put_varint(zigzag(plan.slope), to);
  find_residuals(plan, offsets, 1, offsets.size(), residuals.data());
  const size_t count = offsets.size() - 1;
  for (size_t i = 0; i < count; i += frame_words) to = put_frame(residuals.data() + i, std::min(frame_words, count - i), to);
  return to;
}

bool take_ints(Input& in, std::span<uint64_t> offsets) {
  if (in.left() < 1) return false;
  const uint8_t lead = *in.at++;
  const unsigned shift = lead >> 2;
  Plan plan;
  plan.transform = static_cast<Transform>(lead & 3);
  if (!take_varint(in, plan.center)) return false;
  plan.center = unzigzag(plan.center);
  if (plan.transform == Transform::line) {
    if (!take_varint(in, plan.slope)) return false;
    plan.slope = unzigzag(plan.slope);
  }
  offsets[0] = 0;
  for (size_t i = 1; i < offsets.size(); i += frame_words) {
    if (!take_frame(in, std::min(frame_words, offsets.size() - i), offsets.data() + i)) return false;
  }
  restore(plan, offsets);
  if (shift > 0) {
    for (uint64_t& offset : offsets) offset <<= shift;
  }
  return true;
}

bool fill_progression(uint64_t last_offset, std::span<uint64_t> offsets) {
  const auto steps = static_cast<int64_t>(offsets.size() - 1);
  if (steps == 0) {
    offsets[0] = 0;
    return last_offset == 0;
  }
  if (as_signed(last_offset) % steps != 0) return false;
  const auto step = static_cast<uint64_t>(as_signed(last_offset) / steps);
  for (size_t i = 0; i < offsets.size(); ++i) offsets[i] = step * i;
  return true;
}

}  // namespace tideline::block
