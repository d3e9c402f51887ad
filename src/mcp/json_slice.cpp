#include "mcp/json_slice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/limits.hpp"
#include "mcp/json_scan.hpp"

namespace tideline::mcp {
namespace {

unsigned hex4(std::string_view raw, size_t at) {
  unsigned value = 0;
  std::from_chars(raw.data() + at, raw.data() + at + 4, value, 16);
  return value;
}

void append_utf8(std::string& out, unsigned point) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

/// Appends the character of the \u escape at `at`; returns the offset after it.
size_t append_unicode(std::string& out, std::string_view raw, size_t at) {
  const unsigned high = hex4(raw, at + 2);
  if (high < 0xd800 || high > 0xdfff) {
    append_utf8(out, high);
    return at + 6;
  }
  if (high < 0xdc00 && at + 12 <= raw.size() && raw[at + 6] == '\\' && raw[at + 7] == 'u') {
    const unsigned low = hex4(raw, at + 8);
    if (low >= 0xdc00 && low <= 0xdfff) {
      append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
      return at + 12;
    }
  }
  append_utf8(out, 0xfffd);
  return at + 6;
}

char simple_escape(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

/// Keys seen so far: a few compare in place; many are sorted once, so that hostile keys cost n log n.
class KeySet {
 public:
  /// False when the key is seen a second time among the first few, or there are too many.
  bool add(Slice key, bool has_escape) {
    const std::string_view raw = key.raw();
    if (has_escape || !many_.empty() || count_ == few_.size()) return add_to_many(key);
    const auto end = few_.begin() + count_;
    if (std::find(few_.begin(), end, raw) != end) return false;
    few_[count_++] = raw;
    return true;
  }
  bool is_unique() {
    if (many_.empty()) return true;
    std::sort(many_.begin(), many_.end());
    return std::adjacent_find(many_.begin(), many_.end()) == many_.end();
  }
  bool is_full() const { return many_.size() > limits::mcp_object_members; }

 private:
  bool add_to_many(Slice key) {
    for (size_t i = 0; i < count_; ++i) many_.push_back(Slice(few_[i]).text());
    count_ = 0;
    many_.push_back(key.text());
    return !is_full();
  }
  std::array<std::string_view, 16> few_;
  size_t count_ = 0;
  std::vector<std::string> many_;
};

Status visit_members(Slice object, std::initializer_list<Member> wanted) {
  if (!object.is(JsonKind::object)) return Error{ErrorCode::invalid, 0, "not an object"};
  KeySet keys;
  for (Walk walk(object); walk.next();) {
    const std::string_view raw = walk.key().raw();
    const bool has_escape = raw.find('\\') != std::string_view::npos;
    if (!keys.add(walk.key(), has_escape)) {
      return keys.is_full() ? Error{ErrorCode::limit, 0, "too many members"} : Error{ErrorCode::invalid, 0, "duplicate key"};
    }
    for (const Member& member : wanted) {
      const bool is_same = has_escape ? walk.key().equals(member.name) : raw.substr(1, raw.size() - 2) == member.name;
      if (!is_same) continue;
      *member.into = walk.value();
      break;
    }
  }
  if (!keys.is_unique()) return Error{ErrorCode::invalid, 0, "duplicate key"};
  return {};
}

}  // namespace

JsonKind Slice::kind() const {
  if (raw_.empty()) return JsonKind::absent;
  switch (raw_.front()) {
    case '{': return JsonKind::object;
    case '[': return JsonKind::array;
    case '"': return JsonKind::string;
    case 't':
    case 'f': return JsonKind::boolean;
    case 'n': return JsonKind::null;
    default: return JsonKind::number;
  }
}

std::string Slice::text() const {
  std::string out;
  if (!is(JsonKind::string)) return out;
  const std::string_view raw = raw_.substr(1, raw_.size() - 2);
  out.reserve(raw.size());
  for (size_t at = 0; at < raw.size();) {
    const size_t escape = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, escape - at);
    at = escape;
    if (at >= raw.size()) break;
    if (raw[at + 1] == 'u') {
      at = append_unicode(out, raw, at);
    } else {
      out.push_back(simple_escape(raw[at + 1]));
      at += 2;
    }
  }
  return out;
}

bool Slice::equals(std::string_view plain) const {
  if (raw_.size() < plain.size() + 2 || raw_.front() != '"') return false;
  if (raw_.size() == plain.size() + 2 && raw_.substr(1, plain.size()) == plain) return plain.find('\\') == std::string_view::npos;
  return raw_.find('\\') != std::string_view::npos && text() == plain;
}

bool Slice::is_integer() const { return is(JsonKind::number) && raw_.find_first_of(".eE") == std::string_view::npos; }

std::optional<int64_t> Slice::integer() const {
  int64_t value = 0;
  if (!is_integer()) return std::nullopt;
  const auto [end, error] = std::from_chars(raw_.data(), raw_.data() + raw_.size(), value);
  if (error != std::errc{} || end != raw_.data() + raw_.size()) return std::nullopt;
  return value;
}

std::optional<double> Slice::real() const {
  double value = 0;
  if (!is(JsonKind::number)) return std::nullopt;
  const auto [end, error] = std::from_chars(raw_.data(), raw_.data() + raw_.size(), value);
  if (error != std::errc{} || end != raw_.data() + raw_.size()) return std::nullopt;
  return value;
}

Result<Slice> check_json(std::string_view text) {
  JsonScanner scanner(text);
  scanner.skip_space();
  const size_t start = scanner.position();
  const bool is_value = scanner.check_value();
  const size_t end = scanner.position();
  if (is_value) scanner.skip_space();
  if (is_value && scanner.is_done()) return Slice(text.substr(start, end - start));
  return Error{scanner.hit_limit() ? ErrorCode::limit : ErrorCode::invalid, static_cast<int>(scanner.position()),
               is_value ? "bytes after the value" : scanner.problem()};
}

Walk::Walk(Slice container) {
  const JsonKind kind = container.kind();
  if (kind != JsonKind::object && kind != JsonKind::array) return;
  text_ = container.raw();
  is_object_ = kind == JsonKind::object;
  at_ = 1;
}

Slice Walk::take() {
  skip_json_space(text_, at_);
  const size_t start = at_;
  at_ = skip_checked_value(text_, at_);
  return Slice(text_.substr(start, at_ - start));
}

bool Walk::next() {
  skip_json_space(text_, at_);
  if (at_ < text_.size() && text_[at_] == ',') ++at_;
  skip_json_space(text_, at_);
  if (at_ >= text_.size() || text_[at_] == '}' || text_[at_] == ']') return false;
  if (is_object_) {
    key_ = take();
    skip_json_space(text_, at_);
    ++at_;  // the colon
  }
  value_ = take();
  return true;
}

Status read_members(Slice object, std::initializer_list<Member> wanted) { return visit_members(object, wanted); }

Status check_keys(Slice object) { return visit_members(object, {}); }

Slice find_member(Slice object, std::string_view name) {
  if (!object.is(JsonKind::object)) return {};
  for (Walk walk(object); walk.next();) {
    if (walk.key().equals(name)) return walk.value();
  }
  return {};
}

}  // namespace tideline::mcp
