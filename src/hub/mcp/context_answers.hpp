// Answers about the context of devices: results of tools/call, with a short text for people and all of it as structured content. Pure: what the
// archive holds comes in, JSON goes out.
#pragma once

#include <string>
#include <vector>

#include "hub/mcp/context_tools.hpp"
#include "hub/store/context_archive.hpp"

namespace tideline::hub {

/// An entry with what is needed to judge it.
struct ContextRow {
  std::string device;
  bool is_online = false;
  ContextEntry held;
  context::Rule rule = context::Rule::last_writer;
  context::Tops holds;      ///< of the device
  // Of diff: the device's answer to held, which is desired/X.
  context::Write reported;
  context::Write error;     ///< reported/_error/X
};

struct ContextAnswer {
  std::vector<ContextRow> rows;
  std::string next_cursor;
  size_t devices = 0;       ///< looked at
  uint64_t total = 0;       ///< entries on these, shown or not
  uint64_t conflicts = 0;   ///< of these
  size_t equal = 0;         ///< of diff
  size_t different = 0;
};

/// Whether desired and reported are the same value.
bool is_equal(const ContextRow& row, int64_t now_ms);
/// There is something to show: a value, or a conflict.
bool is_listed(const ContextRow& row, int64_t now_ms);

std::string context_get_answer(const ContextRow& row, const std::vector<context::Register>* history, const std::string& note, UtcNanos now);
std::string context_list_answer(const ContextAnswer& answer, UtcNanos now);
std::string context_diff_answer(const ContextAnswer& answer, UtcNanos now);

/// What a write came to on one device.
struct ContextWritten {
  std::string device;
  bool is_delivered = false;
  ContextOutcome outcome;
};
/// `is_one`: the device was named by its id.
std::string context_write_answer(const std::string& path, const std::vector<ContextWritten>& results, bool is_one, const std::string& note);

/// JSON of one entry and of many, as the command line prints it.
std::string context_row_json(const ContextRow& row, const std::vector<context::Register>* history, UtcNanos now);
std::string context_rows_json(const ContextAnswer& answer, UtcNanos now);
std::string context_diff_json(const ContextAnswer& answer, UtcNanos now);
std::string context_diff_text(const ContextAnswer& answer, UtcNanos now);

}  // namespace tideline::hub
