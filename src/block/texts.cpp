#include "block/texts.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "block/bits.hpp"

namespace tideline::block {
namespace {

enum class TextForm : uint8_t { plain = 0, dictionary = 1 };  // stored: never renumber

constexpr size_t dictionary_most = 256;

/// Distinct texts in order of first appearance; open addressing, at most half full.
class Dictionary {
 public:
  /// The index of `text`, or dictionary_most when there are too many.
  size_t add(std::string_view text) {
    size_t slot = std::hash<std::string_view>{}(text) % slots_.size();
    for (; slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
      if (entries_[slots_[slot] - 1u] == text) return slots_[slot] - 1u;
    }
    if (count_ == dictionary_most) return dictionary_most;
    entries_[count_] = text;
    slots_[slot] = static_cast<uint16_t>(count_ + 1);
    return count_++;
  }
  std::span<const std::string_view> entries() const { return {entries_.data(), count_}; }

 private:
  std::array<std::string_view, dictionary_most> entries_;
  std::array<uint16_t, dictionary_most * 2> slots_{};  // index + 1
  size_t count_ = 0;
};

size_t texts_size(std::span<const std::string_view> texts) {
  size_t size = varint_size(texts.size());
  for (const std::string_view text : texts) size += varint_size(text.size()) + text.size();
  return size;
}

uint8_t* put_all(std::span<const std::string_view> texts, uint8_t* to) {
  for (const std::string_view text : texts) to = put_varint(text.size(), to);
  for (const std::string_view text : texts) to = std::copy(text.begin(), text.end(), to);
  return to;
}

/// Lengths, then bytes: `count` texts into `texts`.
bool take_all(Input& in, std::span<std::string_view> texts) {
  Input lengths = in;
  uint64_t length = 0;
  uint64_t total = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!take_varint(in, length) || length > limits::text_value_bytes) return false;
    total += length;
  }
  if (total > in.left()) return false;
  for (std::string_view& text : texts) {
    (void)take_varint(lengths, length);
    text = as_text({in.at, static_cast<size_t>(length)});
    in.at += text.size();
    if (!is_utf8(text)) return false;
  }
  return true;
}

Status check_texts(std::span<const uint64_t> bits, std::string_view text) {
  for (const uint64_t each : bits) {
    const auto offset = static_cast<size_t>(each >> 32);
    const auto length = static_cast<size_t>(each & 0xffffffff);
    if (length > limits::text_value_bytes) return Error{ErrorCode::invalid, 0, "block: a text is too long"};
    if (offset > text.size() || length > text.size() - offset) return Error{ErrorCode::invalid, 0, "block: a text lies outside the batch"};
    if (!is_utf8(text.substr(offset, length))) return Error{ErrorCode::invalid, 0, "block: a text is not UTF-8"};
  }
  return {};
}

std::string_view text_at(uint64_t bits, std::string_view text) {
  return text.substr(static_cast<size_t>(bits >> 32), static_cast<size_t>(bits & 0xffffffff));
}

}  // namespace

Result<uint8_t*> put_texts(std::span<const uint64_t> bits, std::string_view text, ValueScratch& scratch, uint8_t* to,
                           size_t room) {
  RETURN_IF_ERROR(check_texts(bits, text));
  Dictionary dictionary;
  const std::span<uint64_t> indexes = scratch.integers.first(bits.size());
  size_t plain_size = 1;
  bool repeats = true;
  for (size_t i = 0; i < bits.size(); ++i) {
    const std::string_view each = text_at(bits[i], text);
    plain_size += varint_size(each.size()) + each.size();
    if (repeats) indexes[i] = dictionary.add(each);  // the first text has index 0, as put_ints() wants it
    repeats = repeats && indexes[i] < dictionary_most;
  }
  // At most ten bits for the difference of two indexes, and what the frames add.
  const size_t dictionary_size = 1 + texts_size(dictionary.entries()) + bits.size() * 3 / 2 + 32;
  if (repeats && dictionary.entries().size() * 2 <= bits.size() && dictionary_size < plain_size) {
    if (dictionary_size > room) return Error{ErrorCode::limit, 0, "block: texts exceed the size of a block"};
    *to++ = static_cast<uint8_t>(TextForm::dictionary);
    to = put_varint(dictionary.entries().size(), to);
    to = put_all(dictionary.entries(), to);
    return put_ints(indexes, IntsOf::values, scratch.residuals.first(bits.size()), to);
  }
  if (plain_size > room) return Error{ErrorCode::limit, 0, "block: texts exceed the size of a block"};
  *to++ = static_cast<uint8_t>(TextForm::plain);
  for (const uint64_t each : bits) to = put_varint(each & 0xffffffff, to);
  for (const uint64_t each : bits) {
    const std::string_view value = text_at(each, text);
    to = std::copy(value.begin(), value.end(), to);
  }
  return to;
}

bool take_texts(const Column& column, std::span<std::string_view> texts) {
  Input in(column.value_bytes);
  if (in.left() < 1) return false;
  const uint8_t form = *in.at++;
  if (form == static_cast<uint8_t>(TextForm::plain)) return take_all(in, texts) && in.left() == 0;
  if (form != static_cast<uint8_t>(TextForm::dictionary)) return false;
  std::array<std::string_view, dictionary_most> entries;
  uint64_t count = 0;
  if (!take_varint(in, count) || count == 0 || count > dictionary_most) return false;
  if (!take_all(in, std::span(entries).first(static_cast<size_t>(count)))) return false;
  std::array<uint64_t, limits::block_readings> indexes;
  const std::span<uint64_t> used = std::span(indexes).first(texts.size());
  if (in.left() == 0) {
    std::fill(used.begin(), used.end(), 0);
  } else if (!take_ints(in, used) || in.left() != 0) {
    return false;
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    if (used[i] >= count) return false;
    texts[i] = entries[static_cast<size_t>(used[i])];
  }
  return true;
}

}  // namespace tideline::block
