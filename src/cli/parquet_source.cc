// Parquet by Arrow's reader, batch by batch.
#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/input_file.h"
#include "cli/row_source.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

namespace marigram::cli {

namespace {

class ParquetSource final : public RowSource {
 public:
  explicit ParquetSource(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  Status learn_columns();

  const std::vector<FileColumn>& columns() const override { return columns_; }
  bool is_text() const override { return false; }
  Status start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& ignored) override;
  Result<std::shared_ptr<arrow::RecordBatch>> next() override;
  std::string locate(const std::string& column, std::string_view value, std::uint64_t row) const override;
  std::uint64_t bytes_done() const override;
  std::optional<std::uint64_t> bytes_total() const override { return file_->size(); }

 private:
  Error failure(const arrow::Status& status) const {
    return from_arrow(status, fmt::format("cannot import {}", file_->name()));
  }

  std::unique_ptr<InputFile> file_;
  std::vector<FileColumn> columns_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::vector<ReadColumn> wanted_;
  std::int64_t rows_read_ = 0;
  std::int64_t rows_total_ = 0;
};

Status ParquetSource::learn_columns() {
  constexpr std::int64_t kBatchRows = 65'536;
  MARIGRAM_ASSIGN(auto input, file_->random_access());
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kBatchRows);
  properties.set_use_threads(true);
  parquet::arrow::FileReaderBuilder builder;
  if (const auto opened = builder.Open(input); !opened.ok()) return std::unexpected(failure(opened));
  builder.properties(properties);
  auto reader = builder.Build();
  if (!reader.ok()) return std::unexpected(failure(reader.status()));
  reader_ = std::move(*reader);
  rows_total_ = reader_->parquet_reader()->metadata()->num_rows();
  std::shared_ptr<arrow::Schema> schema;
  if (const auto read = reader_->GetSchema(&schema); !read.ok()) return std::unexpected(failure(read));
  for (const auto& field : schema->fields()) columns_.push_back({field->name(), field->type()});
  return {};
}

Status ParquetSource::start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& /*ignored*/) {
  wanted_ = wanted;
  auto batches = reader_->GetRecordBatchReader();
  if (!batches.ok()) return std::unexpected(failure(batches.status()));
  batches_ = std::move(*batches);
  return {};
}

Result<std::shared_ptr<arrow::RecordBatch>> ParquetSource::next() {
  auto batch = batches_->Next();
  if (!batch.ok()) return std::unexpected(failure(batch.status()));
  if (*batch == nullptr) return *batch;
  rows_read_ += (*batch)->num_rows();
  std::vector<int> columns;
  columns.reserve(wanted_.size());
  for (const ReadColumn& column : wanted_) columns.push_back((*batch)->schema()->GetFieldIndex(column.name));
  auto selected = (*batch)->SelectColumns(columns);
  if (!selected.ok()) return std::unexpected(failure(selected.status()));
  return *selected;
}

std::string ParquetSource::locate(const std::string& /*column*/, std::string_view /*value*/, std::uint64_t row) const {
  return fmt::format("row {}", row + 1);
}

std::uint64_t ParquetSource::bytes_done() const {
  if (rows_total_ == 0) return 0;
  const double part = static_cast<double>(rows_read_) / static_cast<double>(rows_total_);
  return static_cast<std::uint64_t>(part * static_cast<double>(file_->size().value_or(0)));
}

}  // namespace

Result<std::unique_ptr<RowSource>> open_parquet(std::unique_ptr<InputFile> file) {
  auto source = std::make_unique<ParquetSource>(std::move(file));
  MARIGRAM_TRY(source->learn_columns());
  return source;
}

}  // namespace marigram::cli
