// Aligned text tables for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tideline {

class Table {
 public:
  enum class Align : unsigned char { left, right };
  void add_column(std::string title, Align align = Align::left);
  /// As many cells as columns; longer rows are cut, shorter ones filled with nothing.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  size_t rows() const { return rows_.size(); }
  /// Title line and rows, two spaces between columns, no trailing spaces. Widths count UTF-8 code points.
  std::string text() const;

 private:
  struct Column {
    std::string title;
    Align align;
  };
  std::string_view cell(size_t row, size_t column) const;  // row 0 is the titles
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tideline
