// A zola folder, as the table that it reads as, batch by batch.
#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/row_source.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace marigram::cli {

namespace {

class ZolaSource final : public RowSource {
 public:
  ZolaSource(Table table, const arrow::Schema& schema, const CancelToken& cancel)
      : table_(std::move(table)), cancel_(cancel), rows_total_(table_.info().rows) {
    for (const auto& field : schema.fields()) columns_.push_back({field->name(), field->type()});
    for (const SegmentInfo& segment : table_.segments()) bytes_ += segment.bytes;
  }

  const std::vector<FileColumn>& columns() const override { return columns_; }
  bool is_text() const override { return false; }

  Status start(const std::vector<ReadColumn>& wanted, const std::vector<std::string>& /*ignored*/) override {
    ScanRequest request;
    for (const ReadColumn& column : wanted) request.columns.push_back(column.name);
    request.order = ScanOrder::kAny;
    request.cancel = cancel_;
    MARIGRAM_ASSIGN(rows_, open_scan(table_, request));
    return {};
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    auto batch = rows_->Next();
    if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
    if (*batch != nullptr) rows_read_ += static_cast<std::uint64_t>((*batch)->num_rows());
    return *batch;
  }

  std::string locate(const std::string& /*column*/, std::string_view /*value*/, std::uint64_t row) const override {
    return fmt::format("row {}", row + 1);
  }

  std::uint64_t bytes_done() const override {
    if (rows_total_ == 0) return 0;
    return static_cast<std::uint64_t>(static_cast<double>(rows_read_) / static_cast<double>(rows_total_) *
                                      static_cast<double>(bytes_));
  }
  std::optional<std::uint64_t> bytes_total() const override { return bytes_; }

 private:
  Table table_;
  CancelToken cancel_;
  std::vector<FileColumn> columns_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;
  std::uint64_t rows_read_ = 0;
  std::uint64_t rows_total_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowSource>> open_zola(const std::string& path, const CancelToken& cancel) {
  auto table = Table::open(path);
  const bool is_missing = !table && table.error().code == ErrorCode::kNotFound;
  if (is_missing || (table && table->info().segment_format != SegmentFormat::kZola)) {
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot read {}: it is no zola folder; want one with a file .schema", path));
  }
  if (!table) return std::unexpected(std::move(table).error());
  MARIGRAM_ASSIGN(const auto schema, arrow_schema(*table));
  return std::make_unique<ZolaSource>(*std::move(table), *schema, cancel);
}

}  // namespace marigram::cli
