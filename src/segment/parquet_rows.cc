#include "segment/parquet_rows.h"

#include "base/try.h"
#include "io/object_store.h"
#include "segment/arrow_status.h"
#include "segment/input_stream.h"
#include "segment/memory_pool.h"
#include "segment/page_table.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

constexpr std::int64_t kBatchRows = 65'536;

/// Arrow's reader of some columns of a file, with everything it refers to, and without exceptions.
class ParquetRows : public arrow::RecordBatchReader {
 public:
  ParquetRows(std::shared_ptr<const SegmentFile> file, std::unique_ptr<parquet::arrow::FileReader> reader,
              std::unique_ptr<arrow::RecordBatchReader> rows)
      : file_(std::move(file)), reader_(std::move(reader)), rows_(std::move(rows)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const auto next = guarded(file_->doing(), true, [&]() -> Status {
      auto status = rows_->ReadNext(batch);
      // Text is not checked by Parquet's reader, and offsets of nested columns are made from untrusted levels.
      if (status.ok() && *batch != nullptr) status = (*batch)->ValidateFull();
      if (!status.ok()) return std::unexpected(from_arrow_status(status, file_->doing(), true));
      return {};
    });
    return next ? arrow::Status::OK() : to_arrow_status(next.error());
  }

 private:
  std::shared_ptr<const SegmentFile> file_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> rows_;  // refers to reader_
};

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

/// The leaves of the named fields, of all if none is named.
Result<std::vector<int>> leaves_of(const parquet::arrow::FileReader& reader, const std::vector<std::string>& names,
                                   const std::string& doing) {
  std::vector<int> leaves;
  const auto& fields = reader.manifest().schema_fields;
  for (const auto& field : fields) {
    if (names.empty()) collect_leaves(field, leaves);
  }
  for (const std::string& name : names) {
    const auto named = std::ranges::find_if(fields, [&](const auto& field) { return field.field->name() == name; });
    if (named == fields.end()) {
      return fail(ErrorCode::kNotFound, fmt::format("{}: the file has no column {}", doing, name));
    }
    collect_leaves(*named, leaves);
  }
  std::ranges::sort(leaves);
  return leaves;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_rows(std::shared_ptr<const SegmentFile> file,
                                                            const std::vector<std::string>& columns) {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(kBatchRows);
  // Arrow's threads would read whole row groups ahead: more memory, and no time is won for bytes that are at hand.
  properties.set_pre_buffer(false);
  auto reader = parquet::arrow::FileReader::Make(
      memory_pool(),
      parquet::ParquetFileReader::Open(make_input_file(file), file->reader_properties(), file->metadata()), properties);
  if (!reader.ok()) return std::unexpected(from_arrow_status(reader.status(), file->doing(), true));
  MARIGRAM_ASSIGN(const std::vector<int> leaves, leaves_of(**reader, columns, file->doing()));
  std::vector<int> groups(static_cast<std::size_t>((*reader)->num_row_groups()));
  std::iota(groups.begin(), groups.end(), 0);
  for (const int group : groups) {
    for (const int leaf : leaves) {
      const auto chunk = locate_chunk(*file, *file->metadata()->RowGroup(group), leaf);
      if (!chunk) return std::unexpected(chunk.error());
    }
  }
  auto rows = (*reader)->GetRecordBatchReader(groups, leaves);
  if (!rows.ok()) return std::unexpected(from_arrow_status(rows.status(), file->doing(), true));
  return std::make_shared<ParquetRows>(std::move(file), *std::move(reader), *std::move(rows));
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> read_parquet_rows(std::shared_ptr<const SegmentFile> file,
                                                                    const std::vector<std::string>& columns) {
  const std::string doing = file->doing();
  return guarded(doing, true, [&] { return open_rows(std::move(file), columns); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_parquet_rows(io::ObjectStore& store, const std::string& key,
                                                                    const std::vector<std::string>& columns) {
  MARIGRAM_ASSIGN(auto file, SegmentFile::open(store, key));
  return read_parquet_rows(std::move(file), columns);
}

}  // namespace marigram::segment
