// As-of joins as zola_db does them: a binary search a probe in mapped columns of the series' day.
#pragma once

#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::bench {

class ColumnSearch {
 public:
  /// A folder with one for each day, by its number; in each a file for each column.
  explicit ColumnSearch(const std::string& folder);

  /// The columns of the probes and those of the rows that they meet: of their own day, or of the next one that there is
  /// in that direction.
  std::shared_ptr<arrow::RecordBatch> join(const std::shared_ptr<arrow::RecordBatch>& probes, bool backward) const;

  /// A day's rows by (symbol, time), column by column, and where each symbol's are; mapped.
  struct Day {
    std::span<const std::int64_t> symbols;
    std::span<const std::int64_t> begins;  // and the end of the last
    std::span<const std::int64_t> times;
    std::span<const double> bid;
    std::span<const double> ask;
  };

 private:
  std::vector<std::shared_ptr<arrow::Buffer>> mapped_;
  std::map<std::int64_t, Day> days_;
};

}  // namespace marigram::bench
