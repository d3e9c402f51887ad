// Settings by table: a key is a name, the member of a plain struct it fills, its range and a sentence. Reading, range checks,
// errors for unknown keys and the printed documentation all come from that one row; the default is what the struct holds.
//
// Thread: any; start-up only. All problems of a file are collected, each one line: "agent.toml:7: [hub] keepalive: ...".
// Bounds: toml::problems_most lines; the file itself by toml::parse.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "wrap/toml/document.hpp"

namespace tideline::toml {

inline constexpr size_t problems_most = 20;

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// A member that is written as one word out of a few; true and false may stand without quotes. get() gives "" when it is not set.
struct Choice {
  void* target;
  bool (*set)(void* target, std::string_view word);
  std::string (*get)(const void* target);
  const char* words;  ///< "critical, normal or bulk"
};

/// Where a value goes; the alternative says what must be written: Duration "5s", uint64_t "64 MiB", TextPairs { a = "b" }.
using Slot = std::variant<std::string*, bool*, int64_t*, double*, std::optional<double>*, Duration*, std::optional<Duration>*,
                          uint64_t*, std::vector<std::string>*, TextPairs*, Choice>;

inline constexpr double no_bound = std::numeric_limits<double>::infinity();

/// One row. `least` and `most` are nanoseconds for durations, bytes for sizes, and do not apply to texts.
template <class Section>
struct Key {
  const char* name;
  Slot (*slot)(Section& section);
  const char* doc;
  double least = -no_bound;
  double most = no_bound;
};

template <class Section, class T>
Section section_of(T Section::*);

/// `slot<&HubSettings::address>`: the row's way to its member.
template <auto Member>
Slot slot(decltype(section_of(Member))& section) {
  return &(section.*Member);
}

/// `choice<&Settings::level, parse_level, level_name, "low or high">`: a row's way to an enumeration or an optional one.
template <size_t N>
struct Words {
  char text[N];
  constexpr Words(const char (&words)[N]) {  // NOLINT: implicit, so that a literal can be a template argument
    for (size_t i = 0; i < N; ++i) text[i] = words[i];
  }
};
template <class T>
struct Chosen {
  using Enum = T;
  static std::string print(const T& value, const char* (*name)(T)) { return name(value); }
};
template <class T>
struct Chosen<std::optional<T>> {
  using Enum = T;
  static std::string print(const std::optional<T>& value, const char* (*name)(T)) { return value ? name(*value) : ""; }
};
template <auto Member, auto Parse, auto Name, Words List>
Slot choice(decltype(section_of(Member))& section) {
  using T = std::remove_reference_t<decltype(section.*Member)>;
  return Choice{&(section.*Member),
                [](void* target, std::string_view word) {
                  typename Chosen<T>::Enum value{};
                  if (!Parse(word, value)) return false;
                  *static_cast<T*>(target) = value;
                  return true;
                },
                [](const void* target) { return Chosen<T>::print(*static_cast<const T*>(target), Name); }, List.text};
}

/// A row without its types: what checking and printing need.
struct Row {
  const char* name;
  const char* doc;
  double least;
  double most;
};

class Reader {
 public:
  /// `file` as people know it: it begins every message.
  explicit Reader(std::string file) : file_(std::move(file)) {}

  /// Fills `out` from `table`, which stands under `section` ("hub", "input.cpu"; "" at the top). A member that is in `keys`
  /// twice is our bug; one that is not is a problem, unless it is in `others` (sub-tables read elsewhere).
  template <class Section>
  void read(const Value& table, std::string_view section, std::span<const Key<Section>> keys, Section& out,
            std::span<const std::string_view> others = {}) {
    if (!check_table(table, section)) return;
    std::vector<std::string_view> known(others.begin(), others.end());
    for (const Key<Section>& key : keys) known.push_back(key.name);
    for (size_t i = 0; i < table.names.size(); ++i) {
      const Key<Section>* found = nullptr;
      for (const Key<Section>& key : keys) found = table.names[i] == key.name ? &key : found;
      if (found != nullptr) {
        read_value(table.items[i], section, {found->name, found->doc, found->least, found->most}, found->slot(out));
      } else {
        check_known(table, i, section, known);
      }
    }
  }

  /// Adds "file:line: text".
  void add_problem(uint32_t line, const std::string& text);
  /// Says that `table.names[index]` is unknown unless it is in `known`.
  void check_known(const Value& table, size_t index, std::string_view section, std::span<const std::string_view> known);
  /// False, with a problem, when `value` is not a table.
  bool check_table(const Value& value, std::string_view section);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void read_value(const Value& value, std::string_view section, const Row& row, const Slot& slot);
  std::string file_;
  std::vector<std::string> problems_;
};

/// "interval = "10s"" with comment lines above: what it is, its range. `slot` holds the default.
std::string describe_key(const Row& row, const Slot& slot);

/// The documentation of one section as commented TOML.
template <class Section>
std::string describe_section(std::string_view header, std::string_view doc, std::span<const Key<Section>> keys, Section defaults = {}) {
  std::string text = "# " + std::string(doc) + "\n[" + std::string(header) + "]\n";
  for (const Key<Section>& key : keys) text += describe_key({key.name, key.doc, key.least, key.most}, key.slot(defaults));
  return text + "\n";
}

/// Exact forms that parse back: "90s", "250ms"; "64 MiB", "1500 B".
std::string write_duration(Duration duration);
std::string write_size(uint64_t size_bytes);

}  // namespace tideline::toml
