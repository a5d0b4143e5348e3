// UTF-8 in text columns.
#pragma once

namespace arrow {
class StringArray;
}

namespace marigram::segment {

/// Whether every value is UTF-8, which Parquet's readers do not look at and others rely on. O(bytes).
bool is_utf8(const arrow::StringArray& strings);

}  // namespace marigram::segment
