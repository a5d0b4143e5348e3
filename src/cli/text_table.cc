#include "cli/text_table.h"

#include "cli/terminal.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) {
    column.title = printable(column.title);
    widths_.push_back(display_width(column.title));
  }
}

void TextTable::add_row(std::vector<std::string> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = printable(cells[i]);
    widths_[i] = std::max(widths_[i], display_width(cells[i]));
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::render(bool color) {
  std::string out;
  if (!header_done_ && !columns_.empty()) {
    std::vector<std::string> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back(column.title);
    if (color) out += "\x1b[1m";
    append_line(out, titles);
    if (color) out.insert(out.size() - 1, "\x1b[0m");
    header_done_ = true;
  }
  for (const auto& row : rows_) append_line(out, row);
  rows_.clear();
  return out;
}

void TextTable::append_line(std::string& out, const std::vector<std::string>& cells) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t width = display_width(cells[i]);
    const std::size_t padding = widths_[i] > width ? widths_[i] - width : 0;
    if (columns_[i].align == Align::kRight) out.append(padding, ' ');
    out += cells[i];
    if (i + 1 == cells.size()) break;
    if (columns_[i].align == Align::kLeft) out.append(padding, ' ');
    out += "  ";
  }
  out += '\n';
}

}  // namespace marigram::cli
