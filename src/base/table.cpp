#include "base/table.hpp"

#include <algorithm>

namespace tideline {
namespace {

size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::text() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  const auto add_cell = [&](size_t i, const std::string& text) {
    if (i > 0) out += "  ";
    const size_t padding = widths[i] - width_of(text);
    if (columns_[i].align == Align::right) out.append(padding, ' ');
    out += text;
    if (columns_[i].align == Align::left) out.append(padding, ' ');
  };
  const auto end_line = [&out] {  // a line of spaces alone becomes empty
    out.erase(out.find_last_not_of(' ') + 1);
    out.push_back('\n');
  };
  for (size_t i = 0; i < columns_.size(); ++i) add_cell(i, columns_[i].title);
  end_line();
  for (const auto& row : rows_) {
    for (size_t i = 0; i < columns_.size(); ++i) add_cell(i, i < row.size() ? row[i] : std::string());
    end_line();
  }
  return out;
}

}  // namespace tideline
