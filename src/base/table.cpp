#include "base/table.hpp"

#include <algorithm>

namespace tideline {
namespace {

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void Table::add_column(std::string title, Align align) {
  if (columns_.empty()) columns_.reserve(8);
  columns_.push_back({std::move(title), align});
}

std::string Table::text() const {
  // Each cell is measured once: titles, then row after row, as many as there are columns.
  const size_t columns = columns_.size();
  std::vector<size_t> measured(columns * (rows_.size() + 1));
  std::vector<size_t> widths(columns);
  size_t bytes = 0;
  for (size_t row = 0; row <= rows_.size(); ++row) {
    for (size_t i = 0; i < columns; ++i) {
      const std::string_view text = cell(row, i);
      const size_t width = width_of(text);
      measured[row * columns + i] = width;
      widths[i] = std::max(widths[i], width);
      bytes += text.size() - width;
    }
  }
  for (const size_t width : widths) bytes += (width + 2) * (rows_.size() + 1);
  std::string out;
  out.reserve(bytes);
  for (size_t row = 0; row <= rows_.size(); ++row) {
    for (size_t i = 0; i < columns; ++i) {
      const size_t padding = widths[i] - measured[row * columns + i];
      const bool is_right = columns_[i].align == Align::right;
      const size_t before = (i > 0 ? 2 : 0) + (is_right ? padding : 0);
      if (before > 0) out.append(before, ' ');
      out += cell(row, i);
      if (!is_right && padding > 0 && i + 1 < columns) out.append(padding, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);  // a line of spaces alone becomes empty
    out.push_back('\n');
  }
  return out;
}

std::string_view Table::cell(size_t row, size_t column) const {
  if (row == 0) return columns_[column].title;
  const std::vector<std::string>& cells = rows_[row - 1];
  return column < cells.size() ? std::string_view(cells[column]) : std::string_view();
}

}  // namespace tideline
