// CSV as RFC 4180 has it: a cell in quotes may hold commas, newlines, and quotes that are doubled.
//
// Arrow's reader, which imports files, is of no use here: it pulls its input, ends at the first bad cell, and knows
// rows but not lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::wire {

struct CsvCell {
  std::string_view text = {};
  bool quoted = false;
  std::size_t at = 0;  ///< where in the record it begins
};

/// Finds the newline that ends a record, also of text that comes in pieces.
class CsvRecordEnd {
 public:
  /// As RowParser::find_end.
  std::size_t find(std::string_view text, std::size_t seen);

 private:
  enum class Part { kCellBegin, kPlain, kQuoted, kQuoteInQuoted };
  Part step(char c) const;

  Part part_ = Part::kCellBegin;
};

/// Cuts records in cells. Reuses its memory.
class CsvSplitter {
 public:
  struct Problem {
    std::size_t at = 0;
    std::string_view reason = {};
  };

  /// Cells of a record without its newline; at least one. They borrow from the record and from this, until the next
  /// call.
  std::optional<Problem> split(std::string_view record);
  const std::vector<CsvCell>& cells() const { return cells_; }

 private:
  std::optional<Problem> take_quoted(std::string_view record, std::size_t& at, CsvCell& cell);

  std::vector<CsvCell> cells_;
  std::string unescaped_;  // cells with doubled quotes; never reallocated while a record is split
};

}  // namespace marigram::wire
