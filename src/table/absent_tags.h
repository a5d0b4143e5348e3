// Tags that a series lacks: null where rows come in and go out, the empty value within the table, so that nothing in
// between has to tell the two apart.
#pragma once

#include <marigram/error.h>

#include <memory>
#include <string>
#include <vector>

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace marigram::table {

/// A column of strings without nulls: those it has become empty. O(rows) if it has any.
Result<std::shared_ptr<arrow::Array>> empty_for_null(const std::shared_ptr<arrow::Array>& strings);

/// The batch with empty values for the nulls of these tags, which it has. O(rows) of those that have any.
Result<std::shared_ptr<arrow::RecordBatch>> empty_for_null_tags(std::shared_ptr<arrow::RecordBatch> batch,
                                                                const std::vector<std::string>& tags);

/// The batch with nulls for the empty values of the columns (of strings) at these positions. O(rows), no value is
/// copied.
Result<std::shared_ptr<arrow::RecordBatch>> null_for_empty(std::shared_ptr<arrow::RecordBatch> batch,
                                                           const std::vector<int>& columns);

}  // namespace marigram::table
