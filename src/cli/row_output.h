// How rows leave `scan` and `db query`: as a table, CSV, JSON lines, Arrow or Parquet; printed, or in a file.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <limits>
#include <string>

namespace arrow {
class RecordBatchReader;
}
namespace marigram::cli {

class Command;
struct Context;

struct RowOutputOptions {
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t limit = kNoLimit;
  std::string format;
  std::string file;
};

/// Declares --limit, --format and --output.
void add_limit(const Command& command, RowOutputOptions& options);
void add_row_format(const Command& command, RowOutputOptions& options);

/// What the options come to.
struct RowOutput {
  std::string format;
  std::string file;       ///< empty: standard output
  bool abridged = false;  ///< a table for people, which ends after kTableRows

  static constexpr std::uint64_t kTableRows = 40;
  /// Rows to be asked for: one more than is shown tells that there are more.
  std::uint64_t rows_wanted(std::uint64_t limit) const { return abridged ? kTableRows + 1 : limit; }
};

/// A usage error if the format is not clear, or binary and bound for a terminal.
Result<RowOutput> choose_row_output(Context& context, const RowOutputOptions& options);

struct RowsWritten {
  std::uint64_t rows = 0;
  bool more = false;  ///< an abridged table left rows out
};

/// Writes the rows. A file is there when it returns, and a remark says so.
Result<RowsWritten> write_rows(Context& context, const RowOutput& output, arrow::RecordBatchReader& reader);

}  // namespace marigram::cli
