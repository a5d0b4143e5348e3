#include "rows.h"

#include <arrow/compute/cast.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <numeric>

namespace marigram::bad_input {

std::shared_ptr<arrow::Array> times(const std::vector<std::int64_t>& values, arrow::TimeUnit::type unit) {
  arrow::TimestampBuilder builder(arrow::timestamp(unit), arrow::default_memory_pool());
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Table> hours(std::int64_t first, std::int64_t count, const std::string& station) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(count));
  std::iota(at.begin(), at.end(), first);
  arrow::DoubleBuilder value;
  arrow::Int64Builder number;
  std::vector<std::int64_t> time;
  for (const std::int64_t hour : at) {
    time.push_back(hour * kHourUs);
    EXPECT_TRUE(value.Append(static_cast<double>(hour) / 2).ok() && number.Append(hour % 100).ok());
  }
  const auto schema = arrow::schema({arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO), false),
                                     arrow::field("station", arrow::utf8(), false),
                                     arrow::field("value", arrow::float64()), arrow::field("count", arrow::int64())});
  const auto stations = texts(std::vector<std::string>(static_cast<std::size_t>(count), station));
  return arrow::Table::Make(schema, {times(time), stations, *value.Finish(), *number.Finish()}, count);
}

std::shared_ptr<arrow::Table> with_column(const std::shared_ptr<arrow::Table>& rows, const std::string& name,
                                          const std::shared_ptr<arrow::Field>& field,
                                          const std::shared_ptr<arrow::Array>& values) {
  const auto column = std::make_shared<arrow::ChunkedArray>(values);
  return *rows->SetColumn(rows->schema()->GetFieldIndex(name), field, column);
}

std::shared_ptr<arrow::Array> as(const arrow::Table& rows, const std::string& name,
                                 const std::shared_ptr<arrow::DataType>& type) {
  return *arrow::compute::Cast(*rows.GetColumnByName(name)->chunk(0), type, arrow::compute::CastOptions::Safe());
}

void write_parquet(const std::filesystem::path& path, const arrow::Table& rows) {
  std::filesystem::create_directories(path.parent_path());
  const auto file = *arrow::io::FileOutputStream::Open(path.string());
  const auto stored = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto properties = parquet::WriterProperties::Builder().disable_dictionary()->build();
  const auto status = parquet::arrow::WriteTable(rows, arrow::default_memory_pool(), file, 1 << 20, properties, stored);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(file->Close().ok());
}

}  // namespace marigram::bad_input
