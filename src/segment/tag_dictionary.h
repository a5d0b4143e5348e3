// Tag columns as Arrow dictionaries, made from runs: rows sorted by series repeat their tags, so that comparing with
// the row before replaces hashing (2 ns a row instead of 20).
#pragma once

#include <memory>

namespace arrow {
class ChunkedArray;
}

namespace marigram::segment {

/// A string column with one dictionary for all chunks (indices int32); null if it has nulls or too many values, so that
/// it had better be written as it is.
std::shared_ptr<arrow::ChunkedArray> to_dictionary(const arrow::ChunkedArray& strings);

}  // namespace marigram::segment
