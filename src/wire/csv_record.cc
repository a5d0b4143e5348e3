#include "wire/csv_record.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace marigram::wire {

std::size_t CsvRecordEnd::find(std::string_view text, std::size_t seen) {
  if (seen == 0) {
    const std::size_t newline = text.find('\n');
    if (newline != std::string_view::npos && !text.substr(0, newline).contains('"')) return newline;
    part_ = Part::kCellBegin;
  }
  for (std::size_t i = seen; i < text.size(); ++i) {
    if (text[i] == '\n' && part_ != Part::kQuoted) return i;
    part_ = step(text[i]);
  }
  return std::string_view::npos;
}

CsvRecordEnd::Part CsvRecordEnd::step(char c) const {
  switch (part_) {
    case Part::kQuoted:
      return c == '"' ? Part::kQuoteInQuoted : Part::kQuoted;
    case Part::kCellBegin:
    case Part::kQuoteInQuoted:
      if (c == '"') return Part::kQuoted;
      break;
    case Part::kPlain:
      break;
  }
  return c == ',' ? Part::kCellBegin : Part::kPlain;
}

std::optional<CsvSplitter::Problem> CsvSplitter::split(std::string_view record) {
  cells_.clear();
  unescaped_.clear();
  unescaped_.reserve(record.size());
  std::size_t at = 0;
  while (true) {
    CsvCell& cell = cells_.emplace_back(CsvCell{.at = at});
    if (at < record.size() && record[at] == '"') {
      if (const auto problem = take_quoted(record, at, cell)) return problem;
    } else {
      const std::size_t end = std::min(record.find(',', at), record.size());
      cell.text = record.substr(at, end - at);
      if (const std::size_t quote = cell.text.find('"'); quote != std::string_view::npos) {
        return Problem{.at = at + quote, .reason = "a quote in a cell that does not begin with one"};
      }
      at = end;
    }
    if (at == record.size()) return std::nullopt;
    ++at;  // the comma
  }
}

// `at` is the opening quote, and afterwards what is behind the closing one.
std::optional<CsvSplitter::Problem> CsvSplitter::take_quoted(std::string_view record, std::size_t& at, CsvCell& cell) {
  const std::size_t begin = at + 1;
  const std::size_t unescaped = unescaped_.size();
  cell.quoted = true;
  std::size_t run = begin;
  while (true) {
    const std::size_t quote = record.find('"', run);
    if (quote == std::string_view::npos) return Problem{.at = at, .reason = "the cell's quote is not closed"};
    const bool doubled = quote + 1 < record.size() && record[quote + 1] == '"';
    if (!doubled && run == begin) {
      cell.text = record.substr(begin, quote - begin);
    } else {
      unescaped_.append(record.substr(run, quote - run + (doubled ? 1 : 0)));
      cell.text = std::string_view(unescaped_).substr(unescaped);
    }
    run = quote + 2;
    if (doubled) continue;
    at = quote + 1;
    if (at == record.size() || record[at] == ',') return std::nullopt;
    return Problem{.at = at, .reason = "text behind a cell's closing quote"};
  }
}

}  // namespace marigram::wire
