// Rows for the tests of segments: see test_rows.h.
#include "segment/test_rows.h"

#include "base/clock.h"
#include "base/try.h"
#include "io/memory_store.h"
#include "segment/arrow_schema.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace marigram::segment::testing {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using model::Column;
using model::DataType;
using model::TypeId;

template <typename T>
T arrow_value(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

void arrow_ok(const arrow::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

std::int64_t below(Random& random, std::int64_t end) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
}

bool one_in(Random& random, std::int64_t n) {
  return n > 0 && below(random, n) == 0;
}

std::string random_text(Random& random) {
  static const char* const kPieces[] = {"a", "b", "x", "é", "日本", "\n", " ", "0"};
  std::string text;
  const std::int64_t pieces = one_in(random, 20) ? below(random, 60) : below(random, 6);
  for (std::int64_t i = 0; i < pieces; ++i) text += kPieces[below(random, 8)];
  return text;
}

double random_double(Random& random) {
  switch (below(random, 8)) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return -0.0;
    case 2:
      return std::numeric_limits<double>::infinity();
    case 3:
      return std::bit_cast<double>(random());
    default:
      return static_cast<double>(below(random, 2000)) / 100;
  }
}

std::int64_t random_int(Random& random) {
  switch (below(random, 6)) {
    case 0:
      return std::numeric_limits<std::int64_t>::min();
    case 1:
      return std::numeric_limits<std::int64_t>::max();
    case 2:
      return static_cast<std::int64_t>(random());
    default:
      return below(random, 100);
  }
}

void append_random(Random& random, arrow::ArrayBuilder& builder, const DataType& type, std::int64_t null_every);

template <typename Builder>
Builder& as(arrow::ArrayBuilder& builder) {
  return static_cast<Builder&>(builder);
}

void append_random_nested(Random& random, arrow::ArrayBuilder& builder, const DataType& type) {
  const auto nulls_of = [](const Column& column) -> std::int64_t { return column.nullable ? 4 : 0; };
  if (type.id == TypeId::kStruct) {
    arrow_ok(as<arrow::StructBuilder>(builder).Append());
    for (std::size_t i = 0; i < type.children.size(); ++i) {
      append_random(random, *builder.child(static_cast<int>(i)), type.children[i].type, nulls_of(type.children[i]));
    }
    return;
  }
  const std::int64_t size = below(random, 4);
  if (type.id == TypeId::kList) {
    auto& list = as<arrow::ListBuilder>(builder);
    arrow_ok(list.Append());
    for (std::int64_t i = 0; i < size; ++i) {
      append_random(random, *list.value_builder(), type.children[0].type, nulls_of(type.children[0]));
    }
    return;
  }
  auto& map = as<arrow::MapBuilder>(builder);
  arrow_ok(map.Append());
  for (std::int64_t i = 0; i < size; ++i) {
    append_random(random, *map.key_builder(), type.children[0].type, 0);
    if (type.children.size() == 2) {
      append_random(random, *map.item_builder(), type.children[1].type, nulls_of(type.children[1]));
    } else {
      arrow_ok(map.item_builder()->AppendNull());
    }
  }
}

void append_random_decimal(Random& random, arrow::ArrayBuilder& builder, const DataType& type) {
  const std::int64_t value =
      below(random, type.precision < 9 ? 10 : 100'000'000) - (type.precision < 9 ? 5 : 50'000'000);
  if (type.precision <= 38) {
    arrow_ok(as<arrow::Decimal128Builder>(builder).Append(arrow::Decimal128(value)));
  } else {
    arrow_ok(as<arrow::Decimal256Builder>(builder).Append(arrow::Decimal256(value)));
  }
}

void append_random(Random& random, arrow::ArrayBuilder& builder, const DataType& type, std::int64_t null_every) {
  if (one_in(random, null_every)) return arrow_ok(builder.AppendNull());
  switch (type.id) {
    case TypeId::kBool:
      return arrow_ok(as<arrow::BooleanBuilder>(builder).Append(one_in(random, 2)));
    case TypeId::kInt32:
      return arrow_ok(as<arrow::Int32Builder>(builder).Append(static_cast<std::int32_t>(random_int(random))));
    case TypeId::kInt64:
      return arrow_ok(as<arrow::Int64Builder>(builder).Append(random_int(random)));
    case TypeId::kUInt64:
      return arrow_ok(as<arrow::UInt64Builder>(builder).Append(static_cast<std::uint64_t>(random_int(random))));
    case TypeId::kFloat32:
      return arrow_ok(as<arrow::FloatBuilder>(builder).Append(static_cast<float>(random_double(random))));
    case TypeId::kFloat64:
      return arrow_ok(as<arrow::DoubleBuilder>(builder).Append(random_double(random)));
    case TypeId::kTimestamp:
      return arrow_ok(as<arrow::TimestampBuilder>(builder).Append(random_int(random)));
    case TypeId::kUtf8:
      return arrow_ok(as<arrow::StringBuilder>(builder).Append(random_text(random)));
    case TypeId::kBinary:
      return arrow_ok(as<arrow::BinaryBuilder>(builder).Append(random_text(random) + "\xFF"));
    case TypeId::kFixedBinary: {
      std::string bytes(static_cast<std::size_t>(type.byte_width), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      return arrow_ok(as<arrow::FixedSizeBinaryBuilder>(builder).Append(bytes));
    }
    case TypeId::kDecimal:
      return append_random_decimal(random, builder, type);
    default:
      return append_random_nested(random, builder, type);
  }
}

DataType random_flat_type(Random& random) {
  static constexpr TypeId kIds[] = {TypeId::kBool,    TypeId::kInt32,       TypeId::kInt64,     TypeId::kUInt64,
                                    TypeId::kFloat32, TypeId::kFloat64,     TypeId::kFloat64,   TypeId::kUtf8,
                                    TypeId::kBinary,  TypeId::kFixedBinary, TypeId::kTimestamp, TypeId::kDecimal};
  DataType type{.id = kIds[below(random, std::size(kIds))]};
  if (type.id == TypeId::kFixedBinary) type.byte_width = static_cast<std::int32_t>(1 + below(random, 20));
  if (type.id == TypeId::kTimestamp) {
    type.unit = static_cast<TimeUnit>(1 + below(random, 3));
    if (one_in(random, 2)) type.timezone = one_in(random, 2) ? "UTC" : "Europe/Berlin";
  }
  if (type.id == TypeId::kDecimal) {
    type.precision = static_cast<std::int32_t>(1 + below(random, 60));
    type.scale = static_cast<std::int32_t>(below(random, type.precision + 1));
  }
  return type;
}

DataType random_type(Random& random, int depth) {
  if (depth == 0 || !one_in(random, 3)) return random_flat_type(random);
  const auto child = [&](const char* name, bool nullable) {
    return Column{.name = name, .type = random_type(random, depth - 1), .nullable = nullable};
  };
  DataType type;
  switch (below(random, 3)) {
    case 0:
      type.id = TypeId::kList;
      type.children = {child("element", one_in(random, 2))};
      break;
    case 1:
      type.id = TypeId::kStruct;
      type.children = {child("a", one_in(random, 2)), child("b", true)};
      break;
    default:
      type.id = TypeId::kMap;
      type.children = {Column{.name = "key", .type = {.id = TypeId::kUtf8}, .nullable = false}};
      if (!one_in(random, 3)) type.children.push_back(child("value", one_in(random, 2)));
      break;
  }
  return type;
}

/// Index values in no order, with repeats: they are sorted afterwards.
ArrayPtr random_index(Random& random, const DataType& type, std::int64_t rows, bool nullable) {
  arrow::TypedBufferBuilder<std::int64_t> values;
  const std::int64_t base = one_in(random, 3) ? -500 : 1'700'000'000'000;
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t value = base + below(random, 2 * rows + 1);
    if (one_in(random, 500)) value = random_int(random);
    arrow_ok(values.Append(value));
  }
  std::shared_ptr<arrow::Buffer> buffer = arrow_value(values.Finish());
  std::shared_ptr<arrow::Buffer> valid;
  std::int64_t null_count = 0;
  if (nullable) {
    valid = arrow_value(arrow::AllocateBitmap(rows));
    for (std::int64_t i = 0; i < rows; ++i) {
      const bool is_null = one_in(random, 11);
      null_count += is_null ? 1 : 0;
      arrow::bit_util::SetBitTo(valid->mutable_data(), i, !is_null);
    }
  }
  return arrow::MakeArray(arrow::ArrayData::Make(value_of(to_arrow_type(type)), rows, {valid, buffer}, null_count));
}

ArrayPtr random_tag(Random& random, const DataType& type, std::int64_t rows) {
  auto builder = arrow_value(arrow::MakeBuilder(value_of(to_arrow_type(type))));
  const std::int64_t distinct = 1 + below(random, 12);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t pick = below(random, distinct);
    switch (type.id) {
      case TypeId::kInt32:
        arrow_ok(as<arrow::Int32Builder>(*builder).Append(static_cast<std::int32_t>(pick - 3)));
        break;
      case TypeId::kInt64:
        arrow_ok(as<arrow::Int64Builder>(*builder).Append(pick - 3));
        break;
      case TypeId::kUInt64:
        arrow_ok(as<arrow::UInt64Builder>(*builder).Append(static_cast<std::uint64_t>(pick) << 60));
        break;
      default:
        arrow_ok(as<arrow::StringBuilder>(*builder).Append(std::string(static_cast<std::size_t>(pick), 'k') + "é"));
        break;
    }
  }
  return arrow_value(builder->Finish());
}

/// Sorted by the named columns; nulls of the index last.
std::shared_ptr<arrow::RecordBatch> sort_rows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                              const model::IndexSpec& index) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch->num_rows()));
  std::iota(order.begin(), order.end(), 0);
  std::vector<ArrayPtr> keys;
  keys.reserve(index.tags.size() + 1);
  for (const std::string& tag : index.tags) keys.push_back(batch->GetColumnByName(tag));
  keys.push_back(batch->GetColumnByName(index.column));
  const auto scalar_less = [](const arrow::Array& array, std::int64_t a, std::int64_t b) {
    if (array.IsNull(a) || array.IsNull(b)) return array.IsValid(a) && array.IsNull(b);
    switch (array.type_id()) {
      case arrow::Type::STRING: {
        const auto& strings = static_cast<const arrow::StringArray&>(array);
        return strings.GetView(a) < strings.GetView(b);
      }
      case arrow::Type::INT32: {
        const auto& numbers = static_cast<const arrow::Int32Array&>(array);
        return numbers.Value(a) < numbers.Value(b);
      }
      case arrow::Type::UINT64: {
        const auto& numbers = static_cast<const arrow::UInt64Array&>(array);
        return numbers.Value(a) < numbers.Value(b);
      }
      default: {
        const auto* raw = array.data()->GetValues<std::int64_t>(1);
        return raw[a] < raw[b];
      }
    }
  };
  std::ranges::stable_sort(order, [&](std::int64_t a, std::int64_t b) {
    for (const ArrayPtr& key : keys) {
      if (scalar_less(*key, a, b)) return true;
      if (scalar_less(*key, b, a)) return false;
    }
    return false;
  });
  arrow::Int64Builder builder;
  arrow_ok(builder.AppendValues(order));
  const arrow::Datum taken =
      arrow_value(arrow::compute::Take(arrow::Datum(batch), arrow::Datum(arrow_value(builder.Finish()))));
  return taken.record_batch();
}

/// Whether lower <= value < upper, exactly.
bool in_range(const IndexValue& value, const ReadRequest& request) {
  return (!request.from || value >= *request.from) && (!request.to || value < *request.to);
}

IndexValue index_value(const arrow::Array& array, std::int64_t row, const DataType& type) {
  const std::int64_t raw = array.data()->GetValues<std::int64_t>(1)[row];
  if (type.id == TypeId::kTimestamp) return Instant::from_units(raw, type.unit);
  if (type.id == TypeId::kUInt64) return static_cast<std::uint64_t>(raw);
  return raw;
}

std::string tag_text(const arrow::Array& array, std::int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT32:
      return fmt::format("{}", static_cast<const arrow::Int32Array&>(array).Value(row));
    case arrow::Type::INT64:
      return fmt::format("{}", static_cast<const arrow::Int64Array&>(array).Value(row));
    case arrow::Type::UINT64:
      return fmt::format("{}", static_cast<const arrow::UInt64Array&>(array).Value(row));
    default:
      return static_cast<const arrow::StringArray&>(array).GetString(row);
  }
}

IndexValue random_bound(Random& random, const Rows& rows) {
  const DataType& type = rows.schema.find(rows.index.column)->type;
  const auto column = rows.batch->GetColumnByName(rows.index.column);
  IndexValue value = index_value(*column, below(random, std::max<std::int64_t>(1, rows.batch->num_rows())), type);
  if (auto* instant = std::get_if<Instant>(&value)) {
    if (one_in(random, 10)) *instant = {.seconds = one_in(random, 2) ? INT64_MAX : INT64_MIN, .nanos = 0};
    if (one_in(random, 3)) instant->nanos = static_cast<std::uint32_t>(below(random, 1'000'000'000));
  }
  return value;
}

}  // namespace

std::shared_ptr<arrow::Array> random_array(Random& random, const model::DataType& type, std::int64_t rows,
                                           std::int64_t null_every) {
  auto builder = arrow_value(arrow::MakeBuilder(value_of(to_arrow_type(type))));
  for (std::int64_t i = 0; i < rows; ++i) append_random(random, *builder, type, null_every);
  return arrow_value(builder->Finish());
}

Rows random_rows(Random& random, std::int64_t rows, bool nested) {
  Rows result;
  DataType index_type{.id = TypeId::kTimestamp, .unit = static_cast<TimeUnit>(1 + below(random, 3))};
  result.index.column = "t";
  result.index.kind = model::TimestampIndex{};
  switch (below(random, 5)) {
    case 0:
      index_type = {.id = TypeId::kInt64};
      result.index.kind = model::Int64Index{};
      break;
    case 1:
      index_type = {.id = TypeId::kUInt64};
      result.index.kind = model::UInt64Index{};
      break;
    default:
      break;
  }
  const bool null_index = one_in(random, 3);
  std::vector<Column> columns{{.name = "t", .type = index_type, .nullable = null_index}};
  arrow::ArrayVector arrays{random_index(random, index_type, rows, null_index)};
  const std::int64_t tags = below(random, 3);
  for (std::int64_t i = 0; i < tags; ++i) {
    static constexpr TypeId kIds[] = {TypeId::kUtf8, TypeId::kUtf8, TypeId::kInt32, TypeId::kInt64, TypeId::kUInt64};
    const DataType type{.id = kIds[below(random, 5)]};
    result.index.tags.push_back(fmt::format("tag{}", i));
    columns.push_back({.name = result.index.tags.back(), .type = type, .nullable = one_in(random, 2)});
    arrays.push_back(random_tag(random, type, rows));
  }
  const std::int64_t fields = below(random, 7);
  for (std::int64_t i = 0; i < fields; ++i) {
    const DataType type = random_type(random, nested ? 2 : 0);
    const bool nullable = one_in(random, 2);
    columns.push_back({.name = fmt::format("f{}", i), .type = type, .nullable = nullable});
    arrays.push_back(random_array(random, type, rows, nullable && !one_in(random, 4) ? 1 + below(random, 20) : 0));
  }
  result.schema.columns = columns;
  result.batch = sort_rows(arrow::RecordBatch::Make(value_of(to_arrow(result.schema)), rows, arrays), result.index);
  return result;
}

Rows tick_rows(int series, std::int64_t rows_each) {
  Rows result;
  result.schema.columns = {{.name = "ts",
                            .type = {.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro, .timezone = "UTC"},
                            .nullable = false},
                           {.name = "symbol", .type = {.id = TypeId::kUtf8}, .nullable = false},
                           {.name = "price", .type = {.id = TypeId::kFloat64}, .nullable = true},
                           {.name = "volume", .type = {.id = TypeId::kInt64}, .nullable = false}};
  result.index = {
      .column = "ts",
      .tags = {"symbol"},
      .kind = model::TimestampIndex{.bucket = {.count = 1, .unit = BucketWidth::Unit::kSecond}, .timezone = {}}};
  const auto arrow_schema = value_of(to_arrow(result.schema));
  arrow::TimestampBuilder times(arrow_schema->field(0)->type(), arrow::default_memory_pool());
  arrow::StringBuilder symbols;
  arrow::DoubleBuilder prices;
  arrow::Int64Builder volumes;
  Random random(7);
  for (int s = 0; s < series; ++s) {
    for (std::int64_t i = 0; i < rows_each; ++i) {
      arrow_ok(times.Append((1'704'067'200 + i) * 1'000'000));
      arrow_ok(symbols.Append(fmt::format("S{:04}", s)));
      arrow_ok(prices.Append(static_cast<double>(below(random, 10'000)) / 100));
      arrow_ok(volumes.Append(below(random, 1'000'000)));
    }
  }
  result.batch = arrow::RecordBatch::Make(arrow_schema, series * rows_each,
                                          {arrow_value(times.Finish()), arrow_value(symbols.Finish()),
                                           arrow_value(prices.Finish()), arrow_value(volumes.Finish())});
  return result;
}

std::shared_ptr<io::ObjectStore> make_store() {
  return io::make_memory_store(system_clock());
}

std::string write_segment(io::ObjectStore& store, const std::string& key, const Rows& rows,
                          const ParquetWriterOptions& options, std::int64_t batch_rows) {
  auto writer = value_of(ParquetWriter::create(store, key, rows.schema, rows.index, options));
  for (std::int64_t offset = 0; offset < rows.batch->num_rows(); offset += batch_rows) {
    expect_ok(writer->write(*rows.batch->Slice(offset, batch_rows)));
  }
  const std::uint64_t size = value_of(writer->finish());
  std::string bytes = value_of(store.read(key)).bytes;
  EXPECT_EQ(bytes.size(), size);
  return bytes;
}

void write_foreign(io::ObjectStore& store, const std::string& key, const arrow::RecordBatch& batch,
                   const std::shared_ptr<parquet::WriterProperties>& properties, std::int64_t row_group_rows,
                   bool store_schema) {
  auto sink = arrow_value(arrow::io::BufferOutputStream::Create());
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (store_schema) arrow_properties.store_schema();
  const auto table = arrow_value(arrow::Table::FromRecordBatches(batch.schema(), {batch.Slice(0)}));
  arrow_ok(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, row_group_rows, properties,
                                      arrow_properties.build()));
  const auto buffer = arrow_value(sink->Finish());
  value_of(store.put(key, buffer->ToString()));
}

Result<std::shared_ptr<arrow::RecordBatch>> drain(RowStream& stream, const ReadRequest& request, const Rows& rows) {
  model::Schema selected;
  for (const std::string& name : request.columns) selected.columns.push_back(*rows.schema.find(name));
  selected.metadata = rows.schema.metadata;
  const auto arrow_schema = value_of(to_arrow(selected));
  arrow::RecordBatchVector batches;
  while (true) {
    MARIGRAM_ASSIGN(auto batch, stream.next());
    if (!batch) break;
    EXPECT_GT(batch->num_rows(), 0);
    EXPECT_LE(batch->num_rows(), static_cast<std::int64_t>(request.batch_rows));
    EXPECT_TRUE(batch->schema()->Equals(*arrow_schema, true)) << batch->schema()->ToString();
    const auto valid = batch->ValidateFull();
    EXPECT_TRUE(valid.ok()) << valid.ToString();
    batches.push_back(std::move(batch));
  }
  const auto table = arrow_value(arrow::Table::FromRecordBatches(arrow_schema, batches));
  return arrow_value(table->CombineChunksToBatch());
}

Result<std::shared_ptr<arrow::RecordBatch>> read_segment(io::ObjectStore& store, const std::string& key,
                                                         const Rows& rows, const ReadRequest& request,
                                                         ReadStatistics* statistics) {
  MARIGRAM_ASSIGN(const auto reader, ParquetReader::open(store, key));
  MARIGRAM_ASSIGN(const auto stream, reader->read(rows.schema, rows.index, request));
  auto batch = drain(*stream, request, rows);
  if (statistics != nullptr) *statistics = stream->statistics();
  return batch;
}

ReadRequest everything(const model::Schema& schema) {
  ReadRequest request;
  for (const Column& column : schema.columns) request.columns.push_back(column.name);
  return request;
}

std::shared_ptr<arrow::RecordBatch> read_naively(const Rows& rows, const ReadRequest& request) {
  const auto index = rows.batch->GetColumnByName(rows.index.column);
  const DataType& index_type = rows.schema.find(rows.index.column)->type;
  arrow::Int64Builder kept;
  for (std::int64_t row = 0; row < rows.batch->num_rows(); ++row) {
    if (index->IsNull(row) || !in_range(index_value(*index, row, index_type), request)) continue;
    const bool wanted = std::ranges::all_of(request.where, [&](const TagPredicate& predicate) {
      const auto tags = rows.batch->GetColumnByName(predicate.column);
      return tags->IsValid(row) && std::ranges::find(predicate.values, tag_text(*tags, row)) != predicate.values.end();
    });
    if (wanted) arrow_ok(kept.Append(row));
  }
  model::Schema selected;
  arrow::ArrayVector columns;
  const ArrayPtr take = arrow_value(kept.Finish());
  for (const std::string& name : request.columns) {
    selected.columns.push_back(*rows.schema.find(name));
    columns.push_back(arrow_value(arrow::compute::Take(*rows.batch->GetColumnByName(name), *take)));
  }
  return arrow::RecordBatch::Make(value_of(to_arrow(selected)), take->length(), columns);
}

ReadRequest random_request(Random& random, const Rows& rows) {
  ReadRequest request;
  for (const Column& column : rows.schema.columns) {
    if (!one_in(random, 3)) request.columns.push_back(column.name);
  }
  std::ranges::shuffle(request.columns, random);
  if (one_in(random, 2)) request.from = random_bound(random, rows);
  if (one_in(random, 2)) request.to = random_bound(random, rows);
  for (const std::string& tag : rows.index.tags) {
    if (!one_in(random, 2)) continue;
    TagPredicate predicate{.column = tag, .values = {}};
    for (std::int64_t i = below(random, 4); i > 0; --i) {
      const std::int64_t row = below(random, std::max<std::int64_t>(1, rows.batch->num_rows()));
      if (rows.batch->num_rows() > 0) predicate.values.push_back(tag_text(*rows.batch->GetColumnByName(tag), row));
    }
    if (one_in(random, 4)) predicate.values.emplace_back("007");
    request.where.push_back(std::move(predicate));
  }
  static constexpr std::size_t kBatchRows[] = {1, 7, 100, 1'000, 65'536};
  request.batch_rows = kBatchRows[below(random, 5)];
  return request;
}

::testing::AssertionResult same_rows(const arrow::RecordBatch& actual, const arrow::RecordBatch& expected) {
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
  if (actual.Equals(expected, false, options)) return ::testing::AssertionSuccess();
  if (actual.num_rows() != expected.num_rows()) {
    return ::testing::AssertionFailure() << actual.num_rows() << " rows, want " << expected.num_rows();
  }
  for (int i = 0; i < std::min(actual.num_columns(), expected.num_columns()); ++i) {
    if (actual.column(i)->Equals(expected.column(i), options)) continue;
    return ::testing::AssertionFailure() << "column " << actual.schema()->field(i)->ToString()
                                         << " differs: " << actual.column(i)->Slice(0, 20)->ToString() << "\nwant "
                                         << expected.column(i)->Slice(0, 20)->ToString();
  }
  return ::testing::AssertionFailure() << actual.schema()->ToString() << "\nwant " << expected.schema()->ToString();
}

}  // namespace marigram::segment::testing
