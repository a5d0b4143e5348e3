#include <marigram/batch.h>

#include "base/try.h"
#include "db/batch_stream.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"
#include "segment/time_units.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace marigram {

struct Batch::Impl {
  std::shared_ptr<arrow::RecordBatch> rows;
};

struct BatchStream::Impl {
  std::shared_ptr<arrow::RecordBatchReader> reader;
};

namespace {

struct Describe {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return '"' + value + '"'; }
  std::string operator()(Instant value) const { return format_rfc3339(value); }
  template <typename Number>
  std::string operator()(Number value) const {
    return fmt::format("{}", value);
  }
};

std::string describe(const Value& value) {
  return std::visit(Describe{}, value);
}

/// An integer value as T, if it is one and fits.
template <typename T>
std::optional<T> integer(const Value& value) {
  if (const auto* v = std::get_if<std::int64_t>(&value); v != nullptr && std::in_range<T>(*v))
    return static_cast<T>(*v);
  if (const auto* v = std::get_if<std::uint64_t>(&value); v != nullptr && std::in_range<T>(*v))
    return static_cast<T>(*v);
  return std::nullopt;
}

/// A number as double, if nothing is lost.
std::optional<double> number(const Value& value) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (const auto* v = std::get_if<double>(&value)) return *v;
  const auto whole = integer<std::int64_t>(value);
  if (whole && *whole >= -kExact && *whole <= kExact) return static_cast<double>(*whole);
  return std::nullopt;
}

template <typename Builder, typename T>
bool append_if(arrow::ArrayBuilder& builder, const std::optional<T>& value) {
  return value && static_cast<Builder&>(builder).Append(*value).ok();
}

template <typename T>
std::optional<T> held(const Value& value) {
  const auto* v = std::get_if<T>(&value);
  return v == nullptr ? std::nullopt : std::optional<T>(*v);
}

/// False if the value does not fit the column.
bool append_value(arrow::ArrayBuilder& builder, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return builder.AppendNull().ok();
  switch (builder.type()->id()) {
    case arrow::Type::BOOL:
      return append_if<arrow::BooleanBuilder>(builder, held<bool>(value));
    case arrow::Type::INT32:
      return append_if<arrow::Int32Builder>(builder, integer<std::int32_t>(value));
    case arrow::Type::INT64:
      return append_if<arrow::Int64Builder>(builder, integer<std::int64_t>(value));
    case arrow::Type::UINT64:
      return append_if<arrow::UInt64Builder>(builder, integer<std::uint64_t>(value));
    case arrow::Type::DOUBLE:
      return append_if<arrow::DoubleBuilder>(builder, number(value));
    case arrow::Type::FLOAT: {
      const auto v = number(value);
      if (v && !std::isnan(*v) && static_cast<double>(static_cast<float>(*v)) != *v) return false;
      return append_if<arrow::FloatBuilder>(builder, v ? std::optional(static_cast<float>(*v)) : std::nullopt);
    }
    case arrow::Type::STRING:
      return append_if<arrow::StringBuilder>(builder, held<std::string>(value));
    case arrow::Type::BINARY:
      return append_if<arrow::BinaryBuilder>(builder, held<std::string>(value));
    case arrow::Type::TIMESTAMP: {
      const auto* instant = std::get_if<Instant>(&value);
      const auto units = instant == nullptr ? integer<std::int64_t>(value) : std::nullopt;
      if (instant == nullptr) return append_if<arrow::TimestampBuilder>(builder, units);
      const auto exact =
          to_units_exact(*instant, segment::unit_of(static_cast<const arrow::TimestampType&>(*builder.type())));
      return exact && static_cast<arrow::TimestampBuilder&>(builder).Append(*exact).ok();
    }
    default:
      return false;
  }
}

template <typename ArrayType>
auto cell(const arrow::Array& column, std::size_t row) {
  return static_cast<const ArrayType&>(column).GetView(static_cast<std::int64_t>(row));
}

template <typename T>
constexpr bool holds(arrow::Type::type id) {
  if constexpr (std::is_same_v<T, std::int64_t>) return id == arrow::Type::INT64 || id == arrow::Type::TIMESTAMP;
  if constexpr (std::is_same_v<T, std::int32_t>) return id == arrow::Type::INT32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return id == arrow::Type::UINT64;
  if constexpr (std::is_same_v<T, float>) return id == arrow::Type::FLOAT;
  if constexpr (std::is_same_v<T, double>) return id == arrow::Type::DOUBLE;
  return false;
}

Error arrow_failure(const arrow::Status& status) {
  return segment::from_arrow_status(status, "cannot use rows", false);
}

}  // namespace

Batch::Batch(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

std::size_t Batch::rows() const {
  return static_cast<std::size_t>(impl_->rows->num_rows());
}
std::size_t Batch::columns() const {
  return static_cast<std::size_t>(impl_->rows->num_columns());
}
std::string Batch::column_name(std::size_t column) const {
  return impl_->rows->column_name(static_cast<int>(column));
}

bool Batch::is_null(std::size_t row, std::size_t column) const {
  return impl_->rows->column(static_cast<int>(column))->IsNull(static_cast<std::int64_t>(row));
}

Value Batch::at(std::size_t row, std::size_t column) const {
  const arrow::Array& array = *impl_->rows->column(static_cast<int>(column));
  if (is_null(row, column)) return std::monostate{};
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return cell<arrow::BooleanArray>(array, row);
    case arrow::Type::INT32:
      return std::int64_t{cell<arrow::Int32Array>(array, row)};
    case arrow::Type::INT64:
      return cell<arrow::Int64Array>(array, row);
    case arrow::Type::UINT64:
      return cell<arrow::UInt64Array>(array, row);
    case arrow::Type::FLOAT:
      return double{cell<arrow::FloatArray>(array, row)};
    case arrow::Type::DOUBLE:
      return cell<arrow::DoubleArray>(array, row);
    case arrow::Type::STRING:
      return std::string(cell<arrow::StringArray>(array, row));
    case arrow::Type::BINARY:
      return std::string(cell<arrow::BinaryArray>(array, row));
    case arrow::Type::TIMESTAMP:
      return Instant::from_units(cell<arrow::TimestampArray>(array, row),
                                 segment::unit_of(static_cast<const arrow::TimestampType&>(*array.type())));
    default: {
      const auto scalar = array.GetScalar(static_cast<std::int64_t>(row));
      return scalar.ok() ? (*scalar)->ToString() : std::string();
    }
  }
}

template <typename T>
std::span<const T> Batch::values(std::size_t column) const {
  const arrow::ArrayData& data = *impl_->rows->column_data(static_cast<int>(column));
  if (!holds<T>(data.type->id())) return {};
  return {data.GetValues<T>(1), static_cast<std::size_t>(data.length)};
}

template MARIGRAM_EXPORT std::span<const std::int32_t> Batch::values(std::size_t) const;
template MARIGRAM_EXPORT std::span<const std::int64_t> Batch::values(std::size_t) const;
template MARIGRAM_EXPORT std::span<const std::uint64_t> Batch::values(std::size_t) const;
template MARIGRAM_EXPORT std::span<const float> Batch::values(std::size_t) const;
template MARIGRAM_EXPORT std::span<const double> Batch::values(std::size_t) const;

Status Batch::export_to(ArrowSchema* schema, ArrowArray* array) const {
  if (const auto status = arrow::ExportRecordBatch(*impl_->rows, array, schema); !status.ok()) {
    return std::unexpected(arrow_failure(status));
  }
  return {};
}

struct BatchBuilder::State {
  std::vector<ColumnInfo> columns;
  std::shared_ptr<arrow::Schema> schema;  // null if `error` says why
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  std::int64_t rows = 0;
  std::optional<Error> error;  // the first

  void start() {
    model::Schema logical;
    for (const ColumnInfo& info : columns) {
      auto column = model::from_info(info);
      if (!column) {
        error = std::move(column).error();
        return;
      }
      logical.columns.push_back(std::move(*column));
    }
    auto made = segment::to_arrow(logical);
    if (!made) {
      error = std::move(made).error();
      return;
    }
    schema = std::move(*made);
    for (const auto& field : schema->fields()) builders.push_back(*arrow::MakeBuilder(field->type()));
  }
};

BatchBuilder::BatchBuilder(std::vector<ColumnInfo> columns) : state_(std::make_unique<State>()) {
  state_->columns = std::move(columns);
  state_->start();
}
BatchBuilder::~BatchBuilder() = default;
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;

BatchBuilder& BatchBuilder::add(std::span<const Value> row) {
  if (state_->error) return *this;
  if (row.size() != state_->columns.size()) {
    state_->error = Error{ErrorCode::kInvalidInput, fmt::format("cannot build batch: row {} has {} values, want {}",
                                                                state_->rows, row.size(), state_->columns.size())};
    return *this;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (append_value(*state_->builders[i], row[i])) continue;
    state_->error = Error{ErrorCode::kInvalidInput,
                          fmt::format("cannot build batch: row {}: column {} of type {} cannot hold {}", state_->rows,
                                      state_->columns[i].name, state_->columns[i].type, describe(row[i]))};
    return *this;
  }
  ++state_->rows;
  return *this;
}

Result<Batch> BatchBuilder::finish() {
  State state = std::exchange(*state_, State{.columns = state_->columns});
  state_->start();
  if (state.error) return std::unexpected(std::move(*state.error));
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const auto& builder : state.builders) {
    auto array = builder->Finish();
    if (!array.ok()) return std::unexpected(arrow_failure(array.status()));
    arrays.push_back(std::move(*array));
  }
  return Batch(
      std::make_shared<const Batch::Impl>(arrow::RecordBatch::Make(state.schema, state.rows, std::move(arrays))));
}

BatchStream::BatchStream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::optional<Batch>> BatchStream::next() {
  std::shared_ptr<arrow::RecordBatch> batch;
  if (const auto status = impl_->reader->ReadNext(&batch); !status.ok()) return std::unexpected(arrow_failure(status));
  if (!batch) return std::nullopt;
  return Batch(std::make_shared<const Batch::Impl>(std::move(batch)));
}

Result<AppendResult> append(Table& table, const Batch& batch) {
  ArrowSchema schema;
  ArrowArray array;
  MARIGRAM_TRY(batch.export_to(&schema, &array));
  return table.append(&schema, &array);
}

Result<BatchStream> read(const Table& table, const ScanRequest& request) {
  ArrowArrayStream stream;
  MARIGRAM_TRY(table.scan(request, &stream));
  return db::batches_of(&stream);
}

Result<BatchStream> db::batches_of(ArrowArrayStream* stream) {
  auto reader = arrow::ImportRecordBatchReader(stream);
  if (!reader.ok()) return std::unexpected(arrow_failure(reader.status()));
  return BatchStream(std::make_shared<BatchStream::Impl>(std::move(*reader)));
}

}  // namespace marigram
