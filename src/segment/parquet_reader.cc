#include "segment/parquet_reader.h"

#include "base/try.h"
#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/arrow_status.h"
#include "segment/parquet_rows.h"
#include "segment/parquet_schema.h"
#include "segment/read_plan.h"
#include "segment/row_stream.h"
#include "segment/segment_file.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {

struct ParquetReader::State {
  std::shared_ptr<const SegmentFile> file;
  model::Schema v1_schema;
  model::Schema v7_schema;
};

namespace {

/// Whether a row group says that it is sorted by these leaves, first and in this order.
bool group_declares(const parquet::RowGroupMetaData& group, const std::vector<std::string>& names) {
  const auto declared = group.sorting_columns();
  if (declared.size() < names.size()) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int leaf = declared[i].column_idx;
    if (leaf < 0 || leaf >= group.num_columns() || declared[i].descending) return false;
    const auto path = group.schema()->Column(leaf)->path()->ToDotVector();
    if (path.size() != 1 || path.front() != names[i]) return false;
  }
  return true;
}

}  // namespace

ParquetReader::ParquetReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParquetReader::~ParquetReader() = default;

Result<std::shared_ptr<ParquetReader>> ParquetReader::open(io::ObjectStore& store, const std::string& key) {
  auto state = std::make_unique<State>();
  MARIGRAM_ASSIGN(state->file, SegmentFile::open(store, key));
  const SegmentFile& file = *state->file;
  const auto schema = [&](Dialect dialect) {
    return guarded(file.doing(), true, [&] { return schema_of(*file.metadata(), dialect, file.doing()); });
  };
  MARIGRAM_ASSIGN(state->v1_schema, schema(Dialect::kV1));
  MARIGRAM_ASSIGN(state->v7_schema, schema(Dialect::kV7));
  return std::shared_ptr<ParquetReader>(new ParquetReader(std::move(state)));
}

const std::string& ParquetReader::key() const {
  return state_->file->key();
}

const model::Schema& ParquetReader::schema(Dialect dialect) const {
  return dialect == Dialect::kV1 ? state_->v1_schema : state_->v7_schema;
}

std::uint64_t ParquetReader::rows() const {
  return static_cast<std::uint64_t>(state_->file->metadata()->num_rows());
}

std::uint64_t ParquetReader::bytes() const {
  return state_->file->size();
}

bool ParquetReader::declared_sorted(const model::IndexSpec& index) const {
  const auto& metadata = *state_->file->metadata();
  // Parquet's sorting columns speak of the rows in a row group; only our own files say so of the file as a whole.
  if (metadata.num_row_groups() > 1 && !state_->file->has_checksums()) return false;
  std::vector<std::string> names;
  names.reserve(index.tags.size() + 1);
  for (const std::string& tag : index.tags) {
    if (state_->v7_schema.find(tag) != nullptr) names.push_back(tag);
  }
  names.push_back(index.column);
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    if (!group_declares(*metadata.RowGroup(i), names)) return false;
  }
  return true;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ParquetReader::read_all() const {
  return read_parquet_rows(state_->file, {});
}

Result<std::unique_ptr<RowStream>> ParquetReader::read(const model::Schema& schema, const model::IndexSpec& index,
                                                       ReadRequest request) const {
  const SegmentFile& file = *state_->file;
  MARIGRAM_ASSIGN(auto plan, guarded(file.doing(), true, [&] { return ReadPlan::make(file, schema, index, request); }));
  return make_row_stream(state_->file, std::move(plan), request.batch_rows);
}

}  // namespace marigram::segment
