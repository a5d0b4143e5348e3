// Which columns of an input file become which columns of a table, and how.
#pragma once

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace arrow {
class DataType;
class Field;
class Scalar;
class Schema;
}  // namespace arrow

namespace marigram::cli {

class RowSource;

/// What the options of `import` say about columns.
struct ColumnOptions {
  std::vector<std::pair<std::string, std::string>> map;  ///< name in the file, name in the table
  std::vector<std::pair<std::string, std::string>> set;  ///< name in the table, its value in every row
  std::vector<std::string> drop;                         ///< names in the file
  std::vector<ColumnInfo> fields;                        ///< types that override what the file suggests
  std::optional<TimeUnit> epoch_unit;                    ///< of --time-format epoch_*
};

/// The table, as far as it is known.
struct TableShape {
  std::string time_column;
  std::string index_type = "timestamp";
  std::optional<TimeUnit> unit;
  bool keeps_unit = false;  ///< times of a file that says theirs keep it, as probes do
  std::optional<std::string> timezone;
  std::vector<ColumnInfo> tags;
  bool growing = false;                   ///< series may lack tags
  std::shared_ptr<arrow::Schema> schema;  ///< null: the table takes the columns of these rows
};

struct PlannedColumn {
  std::shared_ptr<arrow::Field> field;         ///< in the table
  std::optional<std::string> source;           ///< column of the file; unset: `constant`
  std::shared_ptr<arrow::DataType> read_type;  ///< what a text file's cells are decoded as
  std::shared_ptr<arrow::Scalar> constant;     ///< the value of every row, may be null
  bool is_time = false;
  bool is_tag = false;
  bool may_lack = false;  ///< of a tag: its series may lack it, so that it may be empty
};

struct ColumnPlan {
  std::vector<PlannedColumn> columns;
  std::vector<std::string> ignored;  ///< columns of the file that are dropped
  std::vector<std::string> notes;    ///< what people should know: guesses, columns filled with nulls
};

/// kInvalidInput and kSchemaMismatch name the column, the file (`name`) and the option that helps.
Result<ColumnPlan> plan_columns(const ColumnOptions& options, const TableShape& shape, const RowSource& source,
                                const std::string& name);

}  // namespace marigram::cli
