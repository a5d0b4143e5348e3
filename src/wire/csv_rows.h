// CSV with a header line: one row a record, of one table.
//
// - The header names the columns. One is the time, some are tags, all others are fields.
// - An empty cell is no tag and a null; of a string field, one in quotes ("") is the empty string. NA, N/A, NaN, nan,
// null
//   and NULL are nulls too but for strings, as in the import of files.
// - Fields without a declared type get the first one that all values of the sample have: int64, uint64, float64, bool
//   (true or false in words), string; float64 if there is no value. A later cell of another type is an error.
// - Records with more or fewer cells than the header are errors. Blank lines are skipped, as is a byte order mark.
// - A header that cannot be used is an error, and no rows are read.
#pragma once

#include "model/rows.h"
#include "wire/csv_record.h"
#include "wire/row_parser.h"

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::wire {

/// How the columns of CSV become a row. Names are as the header has them.
struct CsvMapping {
  std::string table = {};
  std::string time_column = "time";
  std::optional<TimeUnit> time_unit = {};  ///< of integers in that column; unset: RFC 3339
  std::vector<std::string> tags = {};
  std::map<std::string, model::FieldType> types = {};  ///< of fields; those that are not here are inferred
  std::size_t sample_rows = 1'000;                     ///< from so many records, or 4 MiB if that is less
};

class CsvParser final : public RowParser {
 public:
  CsvParser(const ParserOptions& options, CsvMapping mapping) : RowParser(options), mapping_(std::move(mapping)) {}

 private:
  enum class Role { kTime, kTag, kField };
  struct Column {
    std::string name = {};
    Role role = Role::kField;
    std::optional<model::FieldType> type = {};  // of fields; unset while it is not known
  };
  struct Record {
    std::uint64_t line = 0;
    std::string text = {};
  };
  enum class State { kHeader, kSample, kRows, kRefused };

  std::size_t find_end(std::string_view text, std::size_t seen) override { return record_end_.find(text, seen); }
  void parse(std::string_view record) override;
  void skipped() override;
  void end() override;

  Status parse_header(std::string_view record);
  Status check_columns() const;
  void keep(std::string_view record);
  void end_sample();
  void infer_types();
  void parse_row(std::string_view record);
  Status parse_cell(const Column& column, const CsvCell& cell);
  Result<std::int64_t> parse_time(std::string_view text) const;

  CsvMapping mapping_;
  CsvRecordEnd record_end_;
  CsvSplitter splitter_;
  State state_ = State::kHeader;
  std::vector<Column> columns_;
  std::vector<Record> sample_;
  std::size_t sample_bytes_ = 0;
  // Of the row in hand.
  std::vector<Tag> tags_;
  std::vector<model::Field> fields_;
  std::int64_t time_ = 0;
};

}  // namespace marigram::wire
