// Writes a native segment (docs/format/segment.md).
#pragma once

#include "codec/bit_writer.h"
#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/compression.h"
#include "segment/writer.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>

namespace arrow {
class RecordBatch;
}

namespace marigram::segment {

/// Writes in one pass; a page and what is known of series and blocks is in memory. Rows out of order are refused
/// (kInvalidInput).
class NativeWriter : public SegmentWriter {
 public:
  /// `schema` is the table's. `presence`: the coverage of all rows, as a sidecar has it. The store is borrowed.
  /// kInvalidInput for a column whose type native segments do not hold.
  static Result<std::unique_ptr<NativeWriter>> create(io::ObjectStore& store, const std::string& key,
                                                      const model::Schema& schema, const model::IndexSpec& index,
                                                      codec::Buffer presence, const Compression& compression = {});
  ~NativeWriter() override;

  Status write(const arrow::RecordBatch& batch) override;
  Result<std::uint64_t> finish() override;

 private:
  struct State;
  explicit NativeWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
