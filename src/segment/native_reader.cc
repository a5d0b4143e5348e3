#include "segment/native_reader.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/arrow_status.h"
#include "segment/native_stream.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

/// A stream as Arrow has them.
class StreamedRows : public arrow::RecordBatchReader {
 public:
  StreamedRows(std::shared_ptr<arrow::Schema> schema, std::unique_ptr<RowStream> rows)
      : schema_(std::move(schema)), rows_(std::move(rows)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    auto batch = rows_->next();
    if (!batch) return to_arrow_status(batch.error());
    *out = *std::move(batch);
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<RowStream> rows_;
};

model::IndexKind index_kind(ValueKind time, model::TypeId type) {
  if (type == model::TypeId::kTimestamp) return model::TimestampIndex{};
  if (time == ValueKind::kUInt64) return model::UInt64Index{};
  return model::Int64Index{};
}

}  // namespace

NativeReader::NativeReader(std::shared_ptr<const NativeFile> file) : file_(std::move(file)) {}

Result<std::shared_ptr<NativeReader>> NativeReader::open(io::ObjectStore& store, const std::string& key) {
  MARIGRAM_ASSIGN(auto file, NativeFile::open(store, key));
  return std::shared_ptr<NativeReader>(new NativeReader(std::move(file)));
}

bool NativeReader::declared_sorted(const model::IndexSpec& index) const {
  const std::span columns(file_->structure().columns);
  const std::span tags = columns.first(file_->structure().tags.size());
  const auto is_there = [&](const std::string& tag) {
    return std::ranges::find(tags, tag, &NativeColumn::name) != tags.end();
  };
  std::vector<std::string> want;
  std::ranges::copy_if(index.tags, std::back_inserter(want), is_there);
  return columns[tags.size()].name == index.column && std::ranges::equal(tags, want, {}, &NativeColumn::name);
}

Result<std::unique_ptr<RowStream>> NativeReader::read(const model::Schema& schema, const model::IndexSpec& index,
                                                      ReadRequest request) const {
  return read_native(file_, schema, index, std::move(request));
}

Result<std::shared_ptr<arrow::RecordBatchReader>> NativeReader::read_all() const {
  const NativeStructure& structure = file_->structure();
  const model::Schema& schema = file_->schema();
  const std::size_t tags = structure.tags.size();
  model::IndexSpec index{.column = schema.columns[tags].name, .tags = {}, .kind = {}};
  index.kind = index_kind(structure.columns[tags].kind, schema.columns[tags].type.id);
  ReadRequest everything;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    everything.columns.push_back(schema.columns[i].name);
    if (i < tags) index.tags.push_back(schema.columns[i].name);
  }
  MARIGRAM_ASSIGN(auto arrow_schema, to_arrow(schema));
  MARIGRAM_ASSIGN(auto rows, read(schema, index, std::move(everything)));
  return std::make_shared<StreamedRows>(std::move(arrow_schema), std::move(rows));
}

Status NativeReader::check_claims(std::string_view sidecar) const {
  const NativeStructure& structure = file_->structure();
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: {}", file_->doing(), what));
  };
  for (std::size_t column = 0; column < structure.blocks.size(); ++column) {
    const NativeColumn& described = structure.block_columns()[column];
    for (std::size_t page = 0; page < structure.pages(); ++page) {
      MARIGRAM_ASSIGN(const BlockValues values, file_->read(column, page));
      const BlockStatistics said = structure.blocks[column][page].statistics;
      if (said == statistics_of(described.kind, file_->page_rows(page), values)) continue;
      return wrong(
          fmt::format("the statistics of column {} of page {} are not those of its values", described.name, page));
    }
  }
  if (std::ranges::equal(structure.presence, sidecar, {}, {},
                         [](char byte) { return static_cast<std::uint8_t>(byte); }))
    return {};
  return wrong("its presence is not that of its rows");
}

}  // namespace marigram::segment
