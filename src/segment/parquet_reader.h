// Reads Parquet files, of ours and of others, pruned by row group and page statistics.
#pragma once

#include "io/object_store.h"
#include "segment/reader.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace marigram::segment {

class ParquetReader : public SegmentReader {
 public:
  /// Reads the footer. kNotFound, kCorruption (not Parquet, cut short, damaged footer, encrypted).
  static Result<std::shared_ptr<ParquetReader>> open(io::ObjectStore& store, const std::string& key);
  ~ParquetReader() override;

  const std::string& key() const override;
  /// As the dialect's reference implementation derives them: v7 from the Arrow schema that the writer stored, if it
  /// did; else, and always in v1, from Parquet's types alone (no time zones; v1 has no uint64).
  const model::Schema& schema(Dialect dialect) const override;
  std::uint64_t rows() const override;
  std::uint64_t bytes() const override;
  bool declared_sorted(const model::IndexSpec& index) const override;
  Result<std::unique_ptr<RowStream>> read(const model::Schema& schema, const model::IndexSpec& index,
                                          ReadRequest request) const override;
  Result<std::shared_ptr<arrow::RecordBatchReader>> read_all() const override;
  /// Nothing is checked: statistics are those of libparquet.
  Status check_claims(std::string_view /*sidecar*/) const override { return {}; }

 private:
  struct State;
  explicit ParquetReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
