// A JSON text as a tree, read strictly. cJSON alone would accept trailing bytes, wrong UTF-8, 01 and duplicate keys, cut texts at
// NUL, ignore case on look-up and change integers beyond 2^53; each of these is an error here.
//
// Document owns the tree; Values are views that it must outlive. Pure; one thread at a time. Bounds: depth as given; memory is
// about 64 bytes a node, so callers bound the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/limits.hpp"
#include "base/result.hpp"

struct cJSON;

namespace tideline::json {

/// A value, or nothing: what is absent has type absent, and every getter says so. Chains need no checks in between.
class Value {
 public:
  enum class Type : uint8_t { absent, null, boolean, number, text, array, object };

  Value() = default;
  Type type() const;
  bool is_present() const { return node_ != nullptr; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_text() const { return type() == Type::text; }

  // Errors of the getters: not_found (absent), invalid (another type). The text lives as long as the Document.
  Result<std::string_view> text() const;
  Result<bool> boolean() const;
  /// A number without fraction within +-(2^53 - 1), where a double is sure to hold what was written. Errors also: limit.
  Result<int64_t> integer() const;
  /// Errors also: limit (beyond a double).
  Result<double> number() const;

  /// The member called exactly `name`; absent if there is none or this is no object. Cost: linear in the members.
  Value operator[](std::string_view name) const;
  /// Members or elements; 0 for other types. Cost: linear.
  size_t size() const;
  /// First member or element, and the one after this: `for (Value v = list.first(); v.is_present(); v = v.next())`.
  Value first() const;
  Value next() const;
  /// Name of a member; "" for elements.
  std::string_view name() const;

 private:
  friend class Document;
  explicit Value(const cJSON* node) : node_(node) {}
  const cJSON* node_ = nullptr;
};

struct DeleteTree {
  void operator()(cJSON* tree) const;
};

class Document {
 public:
  /// Reads exactly one value, white space around it allowed. Errors: invalid or limit; the context says what is wrong and the
  /// native code is the offset in bytes.
  static Result<Document> parse(std::string_view text, size_t depth = limits::json_depth);
  Value root() const { return Value(tree_.get()); }

 private:
  explicit Document(cJSON* tree) : tree_(tree) {}
  std::unique_ptr<cJSON, DeleteTree> tree_;
};

}  // namespace tideline::json
