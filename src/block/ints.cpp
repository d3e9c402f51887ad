#include "block/ints.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "block/bits.hpp"

namespace tideline::block {
namespace {

constexpr unsigned slope_fraction_bits = 16;  // 4,096 steps of the rounded slope stay within 1/16 of a unit
constexpr size_t probes = 15;                 // elements behind a median
constexpr size_t sampled_frames = 3;          // behind the choice of a transform
constexpr int line_bits_most = 46;            // beyond, the sums of fit_line() could overflow

struct Plan {
  Transform transform = Transform::plain;
  uint64_t center = 0;
  uint64_t slope = 0;
};

int64_t as_signed(uint64_t value) { return static_cast<int64_t>(value); }

uint64_t on_line(uint64_t slope, size_t i) {
  return static_cast<uint64_t>(as_signed(slope * i) >> slope_fraction_bits);
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

/// The middle one of up to `probes` residuals under `plan` with center 0: not moved by a few outliers.
uint64_t median_residual(Plan plan, std::span<const uint64_t> o) {
  plan.center = 0;
  std::array<int64_t, probes> sample{};
  const size_t residuals = o.size() - 1;
  const size_t count = std::min(probes, residuals);
  for (size_t k = 0; k < count; ++k) {
    const size_t i = count == residuals ? k + 1 : 1 + (residuals - 1) * k / (count - 1);
    uint64_t residual = 0;
    find_residuals(plan, o, i, i + 1, &residual);
    sample[k] = as_signed(unzigzag(residual));
  }
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sample.begin(), middle, sample.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<uint64_t>(*middle);
}

/// Slope through the means of both halves (A. Wald, 1940): one pass of integers, close to least squares for even spacing.
uint64_t fit_line(std::span<const uint64_t> o) {
  const size_t half = o.size() / 2;
  int64_t difference = 0;
  for (size_t i = 0; i < half; ++i) difference += as_signed(o[o.size() - half + i]) - as_signed(o[i]);
  const auto distance = static_cast<int64_t>(half * (o.size() - half));
  const int64_t whole = difference / distance;
  const int64_t rest = difference % distance;
  return (static_cast<uint64_t>(whole) << slope_fraction_bits) +
         static_cast<uint64_t>((rest * (int64_t{1} << slope_fraction_bits)) / distance);
}

/// Bits of the residuals in up to sampled_frames frames at begin, middle and end.
size_t estimate(const Plan& plan, std::span<const uint64_t> o) {
  const size_t residuals = o.size() - 1;
  const bool all = residuals <= sampled_frames * frame_words;
  const size_t frames = all ? (residuals + frame_words - 1) / frame_words : sampled_frames;
  size_t bits = 0;
  for (size_t k = 0; k < frames; ++k) {
    const size_t begin = 1 + (all ? k * frame_words : (residuals - frame_words) * k / (sampled_frames - 1));
    const size_t end = std::min(begin + frame_words, o.size());
    uint64_t sample[frame_words];
    find_residuals(plan, o, begin, end, sample);
    for (size_t i = 0; i < end - begin; ++i) bits += static_cast<size_t>(std::bit_width(sample[i]));
  }
  return bits;
}

Plan choose(std::span<const uint64_t> o, IntsOf what, uint64_t magnitude) {
  Plan candidates[3];
  size_t count = 0;
  candidates[count++] = {Transform::delta, 0, 0};
  candidates[count++] = {Transform::delta_of_delta, 0, 0};
  if (what != IntsOf::times) {
    candidates[count++] = {Transform::plain, 0, 0};
  } else if (o.size() >= 4 && std::bit_width(magnitude) <= line_bits_most) {
    candidates[count++] = {Transform::line, 0, fit_line(o)};
  }
  Plan best;
  size_t best_bits = SIZE_MAX;
  for (size_t k = 0; k < count; ++k) {
    Plan& plan = candidates[k];
    plan.center = plan.transform == Transform::delta_of_delta ? o[1] : median_residual(plan, o);
    const size_t bits = estimate(plan, o);
    if (bits < best_bits) {
      best = plan;
      best_bits = bits;
    }
  }
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
  uint64_t magnitude = 0;
  for (const uint64_t offset : offsets) {
    all |= offset;
    magnitude |= zigzag(offset);
  }
  const unsigned shift = all == 0 ? 0 : static_cast<unsigned>(std::countr_zero(all));
  if (shift > 0) {
    for (uint64_t& offset : offsets) offset = static_cast<uint64_t>(as_signed(offset) >> shift);
  }
  Plan plan;
  if (offsets.size() > 1) plan = choose(offsets, what, magnitude);
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
