// Rows for the table of the tests, as Arrow and as Parquet files of any shape.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace marigram::bad_input {

inline constexpr std::int64_t kHourUs = 3'600'000'000;

/// `count` rows of one station, one an hour from hour `first` on: ts timestamp[us] and station, which may not be null;
/// value float64 and count int64, which may.
std::shared_ptr<arrow::Table> hours(std::int64_t first, std::int64_t count, const std::string& station = "A");

/// The table with another column in the place of column `name`.
std::shared_ptr<arrow::Table> with_column(const std::shared_ptr<arrow::Table>& rows, const std::string& name,
                                          const std::shared_ptr<arrow::Field>& field,
                                          const std::shared_ptr<arrow::Array>& values);
/// The same values as another type.
std::shared_ptr<arrow::Array> as(const arrow::Table& rows, const std::string& name,
                                 const std::shared_ptr<arrow::DataType>& type);

std::shared_ptr<arrow::Array> times(const std::vector<std::int64_t>& values,
                                    arrow::TimeUnit::type unit = arrow::TimeUnit::MICRO);
std::shared_ptr<arrow::Array> texts(const std::vector<std::string>& values);

/// Without our checksums, as anybody's program would write it; Arrow's own types are kept (int8 stays int8).
void write_parquet(const std::filesystem::path& path, const arrow::Table& rows);

}  // namespace marigram::bad_input
