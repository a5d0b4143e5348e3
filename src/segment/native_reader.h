// Reads native segments (docs/format/segment.md).
#pragma once

#include "io/object_store.h"
#include "model/schema.h"
#include "segment/native_file.h"
#include "segment/reader.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace marigram::segment {

class NativeReader : public SegmentReader {
 public:
  /// As NativeFile::open.
  static Result<std::shared_ptr<NativeReader>> open(io::ObjectStore& store, const std::string& key);

  const std::string& key() const override { return file_->key(); }
  const model::Schema& schema(Dialect /*dialect*/) const override { return file_->schema(); }
  std::uint64_t rows() const override { return file_->structure().rows(); }
  std::uint64_t bytes() const override { return file_->bytes(); }
  bool declared_sorted(const model::IndexSpec& index) const override;
  Result<std::unique_ptr<RowStream>> read(const model::Schema& schema, const model::IndexSpec& index,
                                          ReadRequest request) const override;
  Result<std::shared_ptr<arrow::RecordBatchReader>> read_all() const override;
  Status check_claims(std::string_view sidecar) const override;

  const std::shared_ptr<const NativeFile>& file() const { return file_; }

 protected:
  explicit NativeReader(std::shared_ptr<const NativeFile> file);

 private:
  std::shared_ptr<const NativeFile> file_;
};

}  // namespace marigram::segment
