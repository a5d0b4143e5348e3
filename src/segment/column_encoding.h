// Which Parquet encoding and compression a column gets, decided by looking at its values.
//
// Measured on 2 M rows (decoding ns a value / bytes a value, one core): sorted timestamps DELTA_BINARY_PACKED 1.3/2.7
// against 12.9/3.5 for PLAIN under zstd; prices in cents as a dictionary under lz4 1.2/1.7 against 11/1.8; random walks
// BYTE_STREAM_SPLIT under lz4 1.6/6.2 against 9.3/7.3, and under zstd 3.1/6.1. So no numbers go through zstd.
#pragma once

#include "model/schema.h"

#include <parquet/types.h>

#include <memory>

namespace arrow {
class ChunkedArray;
}

namespace marigram::segment {

enum class ColumnRole { kIndex, kTag, kField };

/// What pays on top of the encoding: nothing where bits are packed already; lz4; zstd for long strings and what is
/// nested.
enum class CodecChoice { kNone, kQuick, kDense };

struct ColumnEncoding {
  bool dictionary = false;
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;  // without a dictionary
  CodecChoice codec = CodecChoice::kQuick;

  friend bool operator==(const ColumnEncoding&, const ColumnEncoding&) = default;
};

/// `values` are the first rows of the column (of its Arrow type; may be empty). O(sample), at most about 8,000 values.
ColumnEncoding choose_encoding(const model::DataType& type, ColumnRole role, const arrow::ChunkedArray& values);

}  // namespace marigram::segment
