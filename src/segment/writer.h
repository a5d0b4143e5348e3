// Writes a segment, of whichever format.
#pragma once

#include <marigram/error.h>

#include <cstdint>

namespace arrow {
class RecordBatch;
}

namespace marigram::segment {

/// One segment being written. Not thread-safe. Nothing appears in the store before finish().
class SegmentWriter {
 public:
  virtual ~SegmentWriter() = default;
  /// Rows in the table's columns, by (tags..., time); string columns may come dictionary-encoded. kInvalidInput:
  /// other columns than the schema's, a null where none may be.
  virtual Status write(const arrow::RecordBatch& batch) = 0;
  /// Publishes durably; returns the file's size in bytes. To be called once. kAlreadyExists if there is an object under
  /// the key.
  virtual Result<std::uint64_t> finish() = 0;
};

}  // namespace marigram::segment
