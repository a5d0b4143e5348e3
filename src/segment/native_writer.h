// Writes a native segment (docs/format/segment.md).
#pragma once

#include "codec/bit_writer.h"
#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>

namespace arrow {
class RecordBatch;
}

namespace marigram::segment {

struct NativeWriterOptions {
  bool plain = false;  // blocks can be read in place, and take most room
};

/// One segment being written, in one pass; a page and what is known of series and blocks is in memory. Not thread-safe.
/// Nothing appears under `key` before finish().
class NativeWriter {
 public:
  /// `schema` is the table's. The store is borrowed. kInvalidInput for a column whose type native segments do not hold.
  static Result<std::unique_ptr<NativeWriter>> create(io::ObjectStore& store, const std::string& key,
                                                      const model::Schema& schema, const model::IndexSpec& index,
                                                      const NativeWriterOptions& options = {});
  ~NativeWriter();

  /// Columns exactly as the schema, rows by (tags..., time) throughout; string columns may come dictionary-encoded.
  /// kInvalidInput: a null where none may be, rows out of order.
  Status write(const arrow::RecordBatch& batch);
  /// `presence`: the coverage of all rows, as a sidecar has it. Publishes durably; returns the file's size in bytes. To
  /// be called once. kAlreadyExists if there is an object under the key.
  Result<std::uint64_t> finish(codec::Buffer presence);

 private:
  struct State;
  explicit NativeWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
