// What one child server offers, as the agent offers it: definitions judged one by one, names prefixed, and the way back from our names to
// its own. Also the lists as kept for the next start.
//
// Owned by ChildServer. Pure. Bounds: limits::mcp_list_* per list (kept by mcp::Client), limits::child_quarantined.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway/child_config.hpp"
#include "agent/gateway/provider.hpp"
#include "mcp/catalog.hpp"

namespace tideline::agent {

class ChildLists {
 public:
  explicit ChildLists(const ChildConfig& config) : config_(config) {}

  /// Replaces one list by these raw definitions. Returns what was wrong with some of them and not told before, for the log.
  std::vector<std::string> take(mcp::ListKind kind, const std::vector<std::string>& items);

  const Offer& offer() const { return offer_; }
  bool is_known(mcp::ListKind kind) const { return is_known_[static_cast<size_t>(kind)]; }
  bool is_complete() const;
  /// The child's own name, or null.
  const std::string* find_tool(std::string_view name) const { return find(tools_, name); }
  const std::string* find_prompt(std::string_view name) const { return find(prompts_, name); }
  /// Listed, or fits a template.
  bool has_uri(std::string_view uri) const;
  bool has_template(std::string_view uri_template) const;
  /// Definitions that are not offered, with the reasons.
  const std::vector<std::string>& quarantined() const { return quarantined_; }

 private:
  using Names = std::map<std::string, std::string, std::less<>>;
  static const std::string* find(const Names& names, std::string_view name);
  std::string renamed(const std::string& name) const;
  bool is_chosen(std::string_view name) const;
  void tell(std::string problem, std::vector<std::string>& fresh);
  template <class T, class Judge, class Keep>
  void judge_all(const std::vector<std::string>& items, mcp::ListKind kind, Judge judge, Keep keep, std::vector<std::string>& fresh);
  void join_quarantined();

  const ChildConfig& config_;
  Offer offer_;
  std::array<bool, mcp::list_kinds> is_known_{};
  Names tools_;    // ours to the child's
  Names prompts_;
  std::array<std::vector<std::string>, mcp::list_kinds> bad_;
  std::vector<std::string> quarantined_;
  std::vector<std::string> told_;
};

/// A list as a note: what it was read from, the era that the child speaks, and the items. Empty when it is too long for one.
std::string list_note(std::string_view source, std::string_view era, const std::vector<std::string>& items);
struct StoredList {
  std::string era;
  std::vector<std::string> items;
};
/// Nothing when the note is damaged or of another source.
std::optional<StoredList> read_list_note(std::string_view text, std::string_view source);
/// Names the command and what else decides what a child offers.
std::string source_of(const ChildConfig& config);

}  // namespace tideline::agent
