// Tag columns as Arrow dictionaries. Tags repeat themselves, sorted or in turn, so that comparing with a guess replaces
// hashing (2 ns a row instead of 15).
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
