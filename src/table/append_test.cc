// Appends: what is accepted, what is refused, and that a refusal leaves no trace. Without these a table could take rows
// twice, lose some, or keep half of a failed append.
#include "table/append.h"

#include "segment/parquet_reader.h"
#include "table/coverage_report.h"
#include "table/evolve.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <functional>
#include <utility>
#include <variant>

namespace marigram::table::testing {
namespace {

std::vector<std::string> all_keys(io::ObjectStore& store) {
  std::vector<std::string> keys;
  const auto listed = store.list("").value();
  for (const auto& info : listed) keys.push_back(info.key);
  return keys;
}

std::shared_ptr<arrow::Array> seconds(const std::vector<std::int64_t>& values) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::SECOND), arrow::default_memory_pool());
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

/// The batch with other fields for its columns, in another order.
std::shared_ptr<arrow::RecordBatch> reshaped(const arrow::RecordBatch& batch, const arrow::FieldVector& fields) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : fields) {
    auto column = batch.GetColumnByName(field->name());
    if (!column) column = *arrow::MakeArrayOfNull(field->type(), batch.num_rows());
    if (!column->type()->Equals(field->type())) column = *arrow::compute::Cast(*column, field->type());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), batch.num_rows(), std::move(columns));
}

/// An append into an empty table that gets its first rows, with other fields, from another writer meanwhile.
Result<AppendResult> append_after_other(Fixture& fixture, Engine& engine, const std::vector<Row>& rows,
                                        const arrow::FieldVector& others, const std::vector<Row>& other_rows) {
  InterruptedRows interrupted(to_batch(rows), [&] {
    const auto other = *Engine::open(fixture.environment(), {});
    const auto batch = reshaped(*to_batch(other_rows), others);
    const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
    const auto appended = append(*other, *reader);
    EXPECT_TRUE(appended) << appended.error().message;
  });
  return append(engine, interrupted);
}

TEST(AppendTest, RowsComeBackInEitherOrder) {
  Fixture fixture;
  const auto engine = fixture.create();
  std::vector<Row> rows = minutes("b", -3, 10);
  std::ranges::move(minutes("a", 2, 5), std::back_inserter(rows));
  std::ranges::reverse(rows);
  const auto appended = append_rows(*engine, rows);
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->rows, rows.size());
  EXPECT_EQ(appended->version, 2U);
  EXPECT_EQ(appended->segments, 2U);  // the rows before and after 1970-01-01 lie in two partitions
  for (const ScanOrder order : {ScanOrder::kTime, ScanOrder::kSeries}) {
    const ScanRequest request{.order = order};
    EXPECT_EQ(scan_rows(*engine, request).value(), expected_rows(rows, request));
  }
}

/// Pieces of a large append are cut between times, however its batches are, so that scans need not merge them.
TEST(AppendTest, SegmentsOfRowsInOrderOfTimeDoNotOverlap) {
  constexpr std::int64_t kSeries = 1'000;
  constexpr std::int64_t kMinutes = 600;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::StringBuilder series;
  for (std::int64_t i = 0; i < kSeries * kMinutes; ++i) {
    ASSERT_TRUE(times.Append(i / kSeries * 60'000'000).ok());
    ASSERT_TRUE(series.Append("s" + std::to_string(i % kSeries)).ok());
  }
  const auto values = *arrow::MakeArrayOfNull(arrow::float64(), kSeries * kMinutes);
  const auto whole =
      arrow::RecordBatch::Make(row_schema(), values->length(), {*times.Finish(), *series.Finish(), values});
  for (const std::int64_t batch_rows : {whole->num_rows(), std::int64_t{70'001}}) {
    Fixture fixture;
    const auto engine = fixture.create();
    arrow::RecordBatchVector batches;
    for (std::int64_t at = 0; at < whole->num_rows(); at += batch_rows) batches.push_back(whole->Slice(at, batch_rows));
    const auto reader = *arrow::RecordBatchReader::Make(batches, whole->schema());
    const auto appended = append(*engine, *reader);
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(appended->rows, static_cast<std::uint64_t>(whole->num_rows()));
    EXPECT_GT(appended->segments, 1U);
    const auto segments = log::ordered_segments(*engine->state());
    for (std::size_t i = 1; i < segments.size(); ++i) EXPECT_LT(segments[i - 1]->max, segments[i]->min);
    for (const auto& segment : segments) EXPECT_GT(segment->row_count, 1'000U);
    EXPECT_EQ(scan_rows(*engine, {}).value().size(), static_cast<std::size_t>(whole->num_rows()));
  }
}

TEST(AppendTest, OverlapIsRefusedWithCountSeriesAndExample) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 10)));
  const auto keys = all_keys(*fixture.store);
  std::vector<Row> rows = minutes("a", 8, 4);
  std::ranges::move(minutes("b", 0, 3), std::back_inserter(rows));
  const auto refused = append_rows(*engine, rows);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverlap);
  const auto& info = std::get<OverlapInfo>(refused.error().detail);
  EXPECT_EQ(info.buckets, 2U);
  EXPECT_EQ(info.series, "series=a");
  EXPECT_EQ(info.example, "[1970-01-01T00:08:00Z, 1970-01-01T00:09:00Z)");
  EXPECT_EQ(all_keys(*fixture.store), keys);
  EXPECT_EQ(engine->state()->version, 2U);
}

TEST(AppendTest, DuplicateBucketsInsideOneAppendAreRefused) {
  Fixture fixture;
  const auto engine = fixture.create();
  const auto keys = all_keys(*fixture.store);
  const auto refused = append_rows(*engine, {{0, "a", 1.0}, {kMinuteUs / 2, "a", 2.0}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverlap);
  EXPECT_EQ(all_keys(*fixture.store), keys);
}

TEST(AppendTest, EmptyAppendIsRefused) {
  Fixture fixture;
  const auto engine = fixture.create();
  const auto refused = append_rows(*engine, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
}

TEST(AppendTest, WrongColumnsAreRefusedByName) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 1)));
  const auto keys = all_keys(*fixture.store);
  const auto attempt = [&](std::vector<std::shared_ptr<arrow::Field>> fields) {
    const auto schema = arrow::schema(fields);
    const auto batch = *arrow::RecordBatch::MakeEmpty(schema);
    const auto reader = *arrow::RecordBatchReader::Make({batch}, schema);
    const auto result = append(*engine, *reader);
    EXPECT_FALSE(result);
    EXPECT_EQ(all_keys(*fixture.store), keys);
    return result ? Error{} : result.error();
  };
  const auto time = row_schema()->field(0);
  const auto series = row_schema()->field(1);
  const auto value = row_schema()->field(2);
  EXPECT_EQ(attempt({series, value}).code, ErrorCode::kSchemaMismatch);
  EXPECT_EQ(attempt({time, value}).code, ErrorCode::kSchemaMismatch);
  EXPECT_EQ(attempt({time, series, value, value}).code, ErrorCode::kSchemaMismatch);
  const Error extra = attempt({time, series, value, arrow::field("zz", arrow::int64())});
  EXPECT_EQ(extra.code, ErrorCode::kSchemaMismatch);
  EXPECT_NE(extra.message.find("zz"), std::string::npos);
  EXPECT_EQ(attempt({time, series, arrow::field("value", arrow::utf8())}).code, ErrorCode::kSchemaMismatch);
  EXPECT_EQ(attempt({arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MILLI)), series, value}).code,
            ErrorCode::kSchemaMismatch);
}

TEST(AppendTest, NullabilityOfKeysIsTakenAsItComes) {
  for (const bool nullable : {false, true}) {
    Fixture fixture;
    const auto engine = fixture.create();
    arrow::FieldVector fields = row_schema()->fields();
    for (auto& field : fields) field = field->WithNullable(nullable);
    const auto batch = reshaped(*to_batch(minutes("a", 0, 2)), fields);
    const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
    ASSERT_TRUE(append(*engine, *reader));
    const StatePtr state = engine->state();
    for (const auto& column : state->meta->schema->columns) EXPECT_EQ(column.nullable, nullable);
    ASSERT_TRUE(append_rows(*engine, minutes("a", 2, 2)));  // whose keys are not nullable
  }
}

TEST(AppendTest, NullTimeOrTagIsRefusedThoughTheColumnIsNullable) {
  TableOptions declared = Fixture::options();
  declared.fields = {{.name = "value", .type = "float64"}};
  for (const TableOptions& options : {Fixture::options(), declared}) {
    Fixture fixture;
    const auto engine = fixture.create(options);
    const auto keys = all_keys(*fixture.store);
    for (const int column : {0, 1}) {
      auto batch = to_batch(minutes("a", 0, 2));
      const auto nulls = *arrow::MakeArrayOfNull(batch->column(column)->type(), 2);
      batch = *batch->SetColumn(column, batch->schema()->field(column)->WithNullable(true), nulls);
      const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
      const auto refused = append(*engine, *reader);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput) << refused.error().message;
      EXPECT_EQ(all_keys(*fixture.store), keys);
    }
  }
}

TEST(AppendTest, RowsAreWrittenAnewWhenAnotherWriterGaveTheTableItsSchema) {
  const auto time = row_schema()->field(0);
  const auto series = row_schema()->field(1);
  const auto value = row_schema()->field(2);
  const std::vector<arrow::FieldVector> schemas = {
      {time->WithNullable(true), series->WithNullable(true), value},
      {value, series, time},
      {time, series, value, arrow::field("more", arrow::int64())},  // null in ours, and there
      {arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")), series, value}};
  for (const arrow::FieldVector& others : schemas) {
    Fixture fixture;
    const auto engine = fixture.create();
    const auto appended = append_after_other(fixture, *engine, minutes("a", -3, 8), others, minutes("b", 0, 4));
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(appended->rows, 8U);
    EXPECT_EQ(appended->version, 3U);
    std::vector<Row> rows = minutes("a", -3, 8);
    std::ranges::move(minutes("b", 0, 4), std::back_inserter(rows));
    EXPECT_EQ(scan_rows(*engine).value(), expected_rows(rows, {}));
    const StatePtr state = engine->state();
    const model::Schema& schema = *state->meta->schema;
    ASSERT_EQ(schema.columns.size(), others.size());
    for (const auto& [path, segment] : state->segments) {
      const auto reader = segment::ParquetReader::open(*fixture.store, segment->path).value();
      EXPECT_TRUE(reader->schema(Dialect::kV7) == schema) << path;
    }
    std::size_t files = 0;
    for (const std::string& key : all_keys(*fixture.store)) files += key.ends_with(".parquet") ? 1 : 0;
    EXPECT_EQ(files, state->segments.size()) << "those of the first attempt are gone";
  }
}

TEST(AppendTest, RowsThatDoNotFitTheSchemaOfAnotherWriterAreRefused) {
  const auto time = row_schema()->field(0);
  const auto series = row_schema()->field(1);
  const std::vector<arrow::FieldVector> schemas = {{time, series},
                                                   {time, series, arrow::field("value", arrow::utf8())},
                                                   {time, series, arrow::field("value", arrow::float64(), false)}};
  for (const arrow::FieldVector& others : schemas) {
    Fixture fixture;
    const auto engine = fixture.create();
    std::vector<Row> rows = minutes("a", 0, 4);
    rows.back().value.reset();
    const auto refused = append_after_other(fixture, *engine, rows, others, minutes("b", 0, 4));
    ASSERT_FALSE(refused);
    EXPECT_EQ(engine->state()->version, 2U);
    std::size_t files = 0;
    for (const std::string& key : all_keys(*fixture.store)) files += key.ends_with(".parquet") ? 1 : 0;
    EXPECT_EQ(files, 1U) << "the other's";
  }
}

TEST(AppendTest, MissingNullableColumnReadsNull) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 1)));
  const auto batch = *to_batch(minutes("a", 1, 1))->RemoveColumn(2);
  const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
  ASSERT_TRUE(append(*engine, *reader));
  EXPECT_EQ(scan_rows(*engine).value(), (std::vector<Row>{{0, "a", 0.0}, {kMinuteUs, "a", std::nullopt}}));
}

TEST(AppendTest, DeclaredTypesBindTheFirstAppend) {
  Fixture fixture;
  const auto engine = fixture.create();
  auto batch = to_batch(minutes("a", 0, 2));
  batch = *batch->SetColumn(0, arrow::field("ts", arrow::timestamp(arrow::TimeUnit::SECOND)), seconds({0, 60}));
  const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
  ASSERT_TRUE(append(*engine, *reader));
  EXPECT_EQ(scan_rows(*engine).value(), minutes("a", 0, 2));
}

/// A Parquet file of two rows with the column x in the table's store.
void put_file(Fixture& fixture, const std::string& key, const std::shared_ptr<arrow::Array>& x) {
  auto batch = to_batch(minutes("a", 0, 2));
  batch = *batch->SetColumn(2, arrow::field("x", x->type()), x);
  const auto table = *arrow::Table::FromRecordBatches({batch});
  const auto sink = *arrow::io::BufferOutputStream::Create();
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 100,
                                         parquet::default_writer_properties(), properties)
                  .ok());
  ASSERT_TRUE(fixture.store->put(key, (*sink->Finish())->ToString()));
}

TEST(AppendTest, AFileAdoptedByAV1TableHasParquetsTypesUnlessThatChangesValues) {
  const auto zoned = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const std::pair<std::shared_ptr<arrow::DataType>, std::string> cases[] = {
      {arrow::int8(), "int32"},
      {arrow::int16(), "int32"},
      {zoned, "timestamp[us]"},
      {arrow::uint32(), ""},
      {arrow::uint64(), ""},
      {arrow::date32(), ""},
      {arrow::null(), ""},
      {arrow::float16(), ""},
      {arrow::large_utf8(), "string"},
      {arrow::list(zoned), "list<timestamp[us]>"}};
  TableOptions options = Fixture::options();
  options.dialect = Dialect::kV1;
  for (const auto& [type, taken] : cases) {
    Fixture fixture;
    const auto engine = fixture.create(options);
    put_file(fixture, "data/a.parquet", *arrow::MakeArrayOfNull(type, 2));
    const auto adopted = adopt_parquet(*engine, "data/a.parquet");
    ASSERT_EQ(adopted.has_value(), !taken.empty()) << type->ToString();
    if (adopted) {
      EXPECT_EQ(model::format_type(engine->state()->meta->schema->find("x")->type), taken);
      EXPECT_TRUE(verify(fixture.environment(), false)->problems.empty()) << type->ToString();
    } else {
      EXPECT_EQ(adopted.error().code, ErrorCode::kSchemaMismatch) << adopted.error().message;
      EXPECT_NE(adopted.error().message.find("column x"), std::string::npos) << adopted.error().message;
    }
  }
}

TEST(AppendTest, AV1TableRecordsNoZonesHoweverDeep) {
  TableOptions options = Fixture::options();
  options.dialect = Dialect::kV1;
  Fixture fixture;
  const auto engine = fixture.create(options);
  const auto type = arrow::list(arrow::struct_({arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))}));
  auto batch = to_batch(minutes("a", 0, 2));
  batch = *batch->SetColumn(2, arrow::field("x", type), *arrow::MakeArrayOfNull(type, 2));
  const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
  const auto appended = append(*engine, *reader);
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(model::format_type(engine->state()->meta->schema->find("x")->type), "list<struct<at: timestamp[us]>>");
}

TEST(AppendTest, DamagedSnapshotIsRecoveredAndOneWithoutSidecarsIsAnError) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 3)));
  ASSERT_TRUE(fixture.store->put(engine->state()->coverage->path, "garbage"));
  const auto second = *Engine::open(fixture.environment(), {});
  EXPECT_EQ(report_coverage(*second, *second->state(), {}).value().covered_buckets, 3U);
  ASSERT_TRUE(append_rows(*second, minutes("a", 3, 3)));
  EXPECT_FALSE(append_rows(*second, minutes("a", 0, 1)));

  ASSERT_TRUE(fixture.store->put(second->state()->coverage->path, "garbage"));
  ASSERT_TRUE(fixture.store->remove(*second->state()->segments.begin()->second->coverage_path));
  const auto third = *Engine::open(fixture.environment(), {});
  const auto refused = append_rows(*third, minutes("b", 0, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorruption);
}

TEST(AppendTest, TimeTravelHandlesReadTheirVersionAndRefuseWrites) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 3)));
  ASSERT_TRUE(append_rows(*engine, minutes("a", 3, 3)));
  const auto old = *Engine::open(fixture.environment(), {.at = std::uint64_t{2}});
  EXPECT_EQ(scan_rows(*old).value().size(), 3U);
  EXPECT_EQ(append_rows(*old, minutes("a", 9, 1)).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(old->refresh().error().code, ErrorCode::kInvalidInput);
}

TEST(AppendTest, RemovedSegmentsFreeTheirBuckets) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 3)));
  ASSERT_TRUE(append_rows(*engine, minutes("a", 3, 3)));
  const std::string path = list_segments(*engine->state()).front().path;
  ASSERT_EQ(remove_segments(*engine, std::vector{path}).value(), 4U);
  EXPECT_EQ(scan_rows(*engine).value(), minutes("a", 3, 3));
  EXPECT_EQ(report_coverage(*engine, *engine->state(), {}).value().covered_buckets, 3U);
  EXPECT_TRUE(append_rows(*engine, minutes("a", 0, 3)));
  EXPECT_EQ(remove_segments(*engine, std::vector<std::string>{"nope"}).error().code, ErrorCode::kNotFound);
}

TEST(AppendTest, AddedColumnsReadNullInEarlierRows) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 2)));
  ASSERT_EQ(add_columns(*engine, std::vector<ColumnInfo>{{.name = "extra", .type = "int64"}}).value(), 3U);
  auto stream = scan(*engine, {.columns = {"extra"}});
  ASSERT_TRUE(stream);
  EXPECT_EQ((*stream->rows->next())->column(0)->null_count(), 2);
  EXPECT_EQ(add_columns(*engine, std::vector<ColumnInfo>{{.name = "extra", .type = "int64"}}).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(
      add_columns(*engine, std::vector<ColumnInfo>{{.name = "x", .type = "int64", .nullable = false}}).error().code,
      ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace marigram::table::testing
