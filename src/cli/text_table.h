// Text for people: aligned columns.
#pragma once

#include "base/quantity_text.h"

#include <cstddef>
#include <string>
#include <vector>

namespace marigram::cli {

enum class Align { kLeft, kRight };

/// Aligned columns, two blanks apart, a header line first. Rows have as many cells as there are columns; control
/// characters in cells are spelt out.
class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns);

  void add_row(std::vector<std::string> cells);
  std::size_t rows() const { return rows_.size(); }
  /// The rows added since the last call, the header before the first of them. Widths never shrink from call to call.
  std::string render(bool color);

 private:
  void append_line(std::string& out, const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool header_done_ = false;
};

}  // namespace marigram::cli
