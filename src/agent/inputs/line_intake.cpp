#include "agent/inputs/line_intake.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "clock.hpp"

namespace tideline::agent {
namespace {

std::string_view without_outer_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Devices print "+21.5", and "-  3.2" to keep their columns.
bool read_number(std::string_view text, double& value) {
  text = without_outer_space(text);
  const bool has_sign = text.size() > 1 && (text.front() == '+' || text.front() == '-');
  const bool is_negative = has_sign && text.front() == '-';
  if (has_sign) text = without_outer_space(text.substr(1));
  if (has_sign && text.starts_with('-')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (is_negative) value = -value;
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

LineIntake::LineIntake(const InputConfig& config, const SeriesRules& rules, Sink& sink, StampClock& clock, InputStatus& status, Listener& listener)
    : config_(config), rules_(rules), sink_(sink), clock_(clock), status_(status), listener_(listener), parser_(rules, *this, {Precision::ns, true, &config}) {
  for (const std::string& pattern : config.patterns) {
    LinePattern parsed(pattern);
    const size_t fields = parsed.fields().size();
    formats_.push_back({std::move(parsed), std::vector<Format::Target>(fields)});
  }
}

void LineIntake::take(Bytes bytes) {
  if (!left_.empty()) append(left_, bytes);
  Bytes rest = left_.empty() ? bytes : Bytes(left_);
  LineSplitter::Line line;
  while (sink_.has_room() && splitter_.next(rest, line)) {
    if (skips_line_) {
      skips_line_ = false;
    } else if (line.is_too_long) {
      listener_.on_bad_line("line is longer than 65536 bytes");
    } else {
      take_line(line.text);
    }
  }
  left_ = ByteBuffer(rest.begin(), rest.end());
  pass_on();
}

void LineIntake::finish() {
  LineSplitter::Line line;
  if (splitter_.finish(line) && !line.is_too_long && !skips_line_) take_line(line.text);
  pass_on();
  clear();
}

void LineIntake::clear() {
  splitter_ = {};
  left_.clear();
  skips_line_ = false;
}

void LineIntake::take_line(std::string_view text) {
  const std::string_view line = without_outer_space(text);
  if (line.empty() || (line.front() == '#' && formats_.empty())) return;
  const UtcNanos now = clock_.stamp();
  double number = 0;
  const char* reason = nullptr;
  if (!formats_.empty()) {
    reason = take_formatted(line, now);
  } else if (read_number(line, number)) {
    reason = take_number(number, now);
  } else {
    reason = parser_.parse(line, now).reason;
  }
  if (reason != nullptr) return listener_.on_bad_line(reason);
  status_.last_success = platform::now();
}

const char* LineIntake::take_number(double value, UtcNanos now) {
  model::Series series;
  series.name = config_.series.empty() ? config_.name : config_.series;
  if (!shape_series(config_, rules_, series)) return nullptr;
  const Result<SeriesHandle> handle = resolve(series);
  if (!handle) return handle.error().context;
  batch(handle->stream).add_f64(handle->id, {now.nanos, model::TimeSource::agent}, value);
  return nullptr;
}

/// The first pattern that fits decides.
const char* LineIntake::take_formatted(std::string_view line, UtcNanos now) {
  for (Format& format : formats_) {
    if (format.pattern.match(line, values_)) return take_fields(format, now);
  }
  return "line fits none of the patterns";
}

/// A line is taken whole or not at all.
const char* LineIntake::take_fields(Format& format, UtcNanos now) {
  const std::vector<LinePattern::Field>& fields = format.pattern.fields();
  double number = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name.empty()) continue;
    if (!fields[i].is_text && !read_number(values_[i], number)) return "a field of the pattern holds no number";
    if (fields[i].is_text && (!is_utf8(values_[i]) || values_[i].size() > limits::text_value_bytes)) return "a text is too long or not UTF-8";
    if (const char* reason = resolve_field(fields[i], format.targets[i]); reason != nullptr) return reason;
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    const Format::Target& target = format.targets[i];
    if (fields[i].name.empty() || target.is_left_out) continue;
    const model::ReadingBatch::Stamp stamp{now.nanos, model::TimeSource::agent};
    if (fields[i].is_text) {
      batch(target.handle.stream).add_text(target.handle.id, stamp, without_outer_space(values_[i]));
    } else {
      (void)read_number(values_[i], number);
      batch(target.handle.stream).add_f64(target.handle.id, stamp, number);
    }
  }
  return nullptr;
}

/// As in Influx lines: the field `value` needs no name of its own.
const char* LineIntake::resolve_field(const LinePattern::Field& field, Format::Target& out) {
  if (out.is_resolved || out.is_left_out) return nullptr;
  model::Series series;
  series.name = config_.series.empty() ? config_.name : config_.series;
  if (field.name != "value") series.name += "." + field.name;
  if (field.is_text) series.kind = model::Kind::state;
  out.is_left_out = !shape_series(config_, rules_, series);
  if (out.is_left_out) return nullptr;
  const Result<SeriesHandle> handle = resolve(series);
  if (!handle) return handle.error().context;
  out.handle = *handle;
  out.is_resolved = true;
  return nullptr;
}

Result<SeriesHandle> LineIntake::resolve(const model::Series& series) {
  ASSIGN_OR_RETURN(const SeriesHandle handle, sink_.resolve(series));
  const ReportPolicy policy = rules_.policy(series, config_.report);
  const bool filters = policy.deadband.has_value() || policy.min_interval.nanos > 0;
  if (filters) filters_.try_emplace(handle.id, policy);
  return handle;
}

bool LineIntake::should_pass(const model::Reading& reading, std::string_view text, Instant now) {
  const auto found = filters_.find(reading.series);
  if (found == filters_.end()) return true;
  switch (reading.type) {
    case model::ValueType::f64: return found->second.should_report(reading.f64(), now);
    case model::ValueType::i64: return found->second.should_report(static_cast<double>(reading.i64()), now);
    case model::ValueType::boolean: return found->second.should_report(reading.boolean() ? 1.0 : 0.0, now);
    case model::ValueType::text: break;
  }
  return found->second.should_report(model::ReadingBatch::text_of(reading, text), now);
}

void LineIntake::pass_on() {
  const bool scales = config_.scale != 1 || config_.offset != 0;
  const Instant now = platform::now();
  for (const model::Stream stream : model::streams) {
    model::ReadingBatch& taken = batches_[model::index_of(stream)];
    for (model::Reading reading : taken.readings()) {
      const bool is_number = reading.type == model::ValueType::f64 || reading.type == model::ValueType::i64;
      if (scales && is_number) {
        const double value = reading.type == model::ValueType::f64 ? reading.f64() : static_cast<double>(reading.i64());
        reading.type = model::ValueType::f64;
        reading.bits = std::bit_cast<uint64_t>(value * config_.scale + config_.offset);
      }
      if (!should_pass(reading, taken.text(), now)) continue;
      sink_.batch(stream).add_from(reading, taken.text());
      ++status_.readings;
    }
    taken.clear();
  }
}

}  // namespace tideline::agent
