#include "segment/parquet_writer.h"

#include "base/try.h"
#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"
#include "segment/batch_check.h"
#include "segment/column_encoding.h"
#include "segment/memory_pool.h"
#include "segment/output_stream.h"
#include "segment/tag_dictionary.h"
#include "segment/writer_properties.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/cast.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

ColumnRole role_of(const model::IndexSpec& index, const std::string& column) {
  if (column == index.column) return ColumnRole::kIndex;
  return std::ranges::find(index.tags, column) != index.tags.end() ? ColumnRole::kTag : ColumnRole::kField;
}

/// Chunks of one type: dictionaries stay if all are, else they become plain strings.
Result<std::shared_ptr<arrow::ChunkedArray>> to_column(arrow::ArrayVector chunks,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       const std::string& doing) {
  const auto differs = [&](const auto& chunk) { return !chunk->type()->Equals(*chunks.front()->type()); };
  if (!chunks.empty() && std::ranges::none_of(chunks, differs)) {
    const auto common = chunks.front()->type();
    return std::make_shared<arrow::ChunkedArray>(std::move(chunks), common);
  }
  for (auto& chunk : chunks) {
    auto plain = arrow::compute::Cast(*chunk, type);
    if (!plain.ok()) return std::unexpected(from_arrow_status(plain.status(), doing, false));
    chunk = *std::move(plain);
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), type);
}

}  // namespace

struct ParquetWriter::State {
  model::Schema schema;
  std::shared_ptr<arrow::Schema> arrow_schema;
  model::IndexSpec index;
  ParquetWriterOptions options;
  std::string doing;
  std::shared_ptr<SegmentOutput> output;
  std::unique_ptr<parquet::arrow::FileWriter> parquet;  // null until the first row group shows what the columns hold
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending;
  std::int64_t pending_rows = 0;
  bool failed = false;
  bool finished = false;

  Status write_group(std::int64_t rows);
  Status open(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns);
  Result<std::vector<std::shared_ptr<arrow::ChunkedArray>>> take_pending(std::int64_t rows);
  Status close();
};

/// The first `rows` pending rows as columns; they are pending no more.
Result<std::vector<std::shared_ptr<arrow::ChunkedArray>>> ParquetWriter::State::take_pending(std::int64_t rows) {
  std::vector<arrow::ArrayVector> chunks(schema.columns.size());
  std::size_t whole = 0;
  pending_rows -= rows;
  for (std::int64_t left = rows; left > 0;) {
    auto& batch = pending[whole];
    const std::int64_t take = std::min(left, batch->num_rows());
    const auto part = batch->Slice(0, take);
    for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i].push_back(part->column(static_cast<int>(i)));
    if (take == batch->num_rows()) {
      ++whole;
    } else {
      batch = batch->Slice(take);
    }
    left -= take;
  }
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(whole));
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto& type = arrow_schema->field(static_cast<int>(i))->type();
    MARIGRAM_ASSIGN(auto column, to_column(std::move(chunks[i]), type, doing));
    columns.push_back(std::move(column));
  }
  return columns;
}

Status ParquetWriter::State::open(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns) {
  std::vector<ColumnEncoding> encodings;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const model::Column& column = schema.columns[i];
    encodings.push_back(choose_encoding(column.type, role_of(index, column.name), *columns[i]));
  }
  MARIGRAM_ASSIGN(auto properties, writer_properties(schema, *arrow_schema, index, encodings, options));
  auto opened = parquet::arrow::FileWriter::Open(*arrow_schema, memory_pool(), output, std::move(properties),
                                                 arrow_writer_properties());
  if (!opened.ok()) return std::unexpected(from_arrow_status(opened.status(), doing, false));
  parquet = *std::move(opened);
  return {};
}

/// A row group is encoded in memory, its columns side by side, and written when the next one begins.
Status ParquetWriter::State::write_group(std::int64_t rows) {
  MARIGRAM_ASSIGN(auto columns, take_pending(rows));
  if (!parquet) MARIGRAM_TRY(open(columns));
  if (rows == 0) return {};
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (role_of(index, schema.columns[i].name) == ColumnRole::kTag && columns[i]->type()->id() == arrow::Type::STRING) {
      if (auto dictionary = to_dictionary(*columns[i])) columns[i] = std::move(dictionary);
    }
    fields.push_back(arrow_schema->field(static_cast<int>(i))->WithType(columns[i]->type()));
  }
  const auto table = arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), rows);
  arrow::TableBatchReader batches(*table);
  auto status = parquet->NewBufferedRowGroup();
  for (std::shared_ptr<arrow::RecordBatch> batch; status.ok();) {
    status = batches.ReadNext(&batch);
    if (!status.ok() || !batch) break;
    status = parquet->WriteRecordBatch(*batch);
  }
  if (!status.ok()) return std::unexpected(from_arrow_status(status, doing, false));
  return {};
}

Status ParquetWriter::State::close() {
  if (pending_rows > 0 || !parquet) MARIGRAM_TRY(write_group(pending_rows));
  MARIGRAM_TRY(output->hold_back());
  const auto status = parquet->Close();
  if (!status.ok()) return std::unexpected(from_arrow_status(status, doing, false));
  return {};
}

ParquetWriter::ParquetWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParquetWriter::~ParquetWriter() = default;

Result<std::unique_ptr<ParquetWriter>> ParquetWriter::create(io::ObjectStore& store, const std::string& key,
                                                             const model::Schema& schema, const model::IndexSpec& index,
                                                             const ParquetWriterOptions& options) {
  MARIGRAM_TRY(check_options(options));
  auto state = std::make_unique<State>();
  state->schema = schema;
  MARIGRAM_ASSIGN(state->arrow_schema, to_arrow(schema));
  state->index = index;
  state->options = options;
  state->doing = "cannot write " + key;
  MARIGRAM_ASSIGN(auto object, store.create(key, io::PutCondition::if_absent()));
  state->output = std::make_shared<SegmentOutput>(std::move(object), state->doing);
  return std::unique_ptr<ParquetWriter>(new ParquetWriter(std::move(state)));
}

Status ParquetWriter::write(const arrow::RecordBatch& batch) {
  State& state = *state_;
  assert(!state.finished);
  MARIGRAM_TRY(check_batch(batch, *state.arrow_schema, state.doing));
  if (batch.num_rows() == 0) return {};
  state.pending.push_back(batch.Slice(0));
  state.pending_rows += batch.num_rows();
  while (state.pending_rows >= state.options.row_group_rows) {
    const Status status = guarded(state.doing, false, [&] { return state.write_group(state.options.row_group_rows); });
    state.failed = state.failed || !status;
    MARIGRAM_TRY(status);
  }
  return {};
}

Result<std::uint64_t> ParquetWriter::finish() {
  State& state = *state_;
  assert(!state.finished);
  state.finished = true;
  if (state.failed) return fail(ErrorCode::kInternal, fmt::format("{}: an earlier write failed", state.doing));
  MARIGRAM_TRY(guarded(state.doing, false, [&] { return state.close(); }));
  return state.output->finish();
}

}  // namespace marigram::segment
