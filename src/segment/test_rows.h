// Random tables, segments of them, and the slow way to read them: what the tests of this room compare with.
#pragma once

#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_writer.h"

#include <marigram/error.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace arrow {
class Array;
class DataType;
class RecordBatch;
class Table;
}  // namespace arrow
namespace parquet {
class WriterProperties;
}

namespace marigram::segment::testing {

/// The value, or a failed test with the error's message and an exception.
template <typename T>
T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << error_code_name(result.error().code) << ": " << result.error().message;
    throw std::runtime_error(result.error().message);
  }
  return *std::move(result);
}

inline void expect_ok(const Status& status) {
  if (!status) ADD_FAILURE() << error_code_name(status.error().code) << ": " << status.error().message;
}

struct Rows {
  model::Schema schema;
  model::IndexSpec index;
  std::shared_ptr<arrow::RecordBatch> batch;
};

using Random = std::mt19937_64;

/// Random values of any type that a table can hold; about one in `null_every` is null (0: none).
std::shared_ptr<arrow::Array> random_array(Random& random, const model::DataType& type, std::int64_t rows,
                                           std::int64_t null_every);

/// A schema with an index of a random kind and unit, up to two tags and up to six fields of random types (`nested`
/// too), and rows of it sorted by (tags, time).
Rows random_rows(Random& random, std::int64_t rows, bool nested);

/// One series a symbol, one row a second from 2024-01-01 on; columns ts (us, UTC), symbol, price, volume.
Rows tick_rows(int series, std::int64_t rows_each);

std::shared_ptr<io::ObjectStore> make_store();

/// Writes all rows in batches of up to `batch_rows`; returns the bytes of the file.
std::string write_segment(io::ObjectStore& store, const std::string& key, const Rows& rows,
                          const ParquetWriterOptions& options = {}, std::int64_t batch_rows = 1 << 20);
/// Writes as another program might.
void write_foreign(io::ObjectStore& store, const std::string& key, const arrow::RecordBatch& batch,
                   const std::shared_ptr<parquet::WriterProperties>& properties, std::int64_t row_group_rows,
                   bool store_schema = true);

/// All batches of a stream as one; unset columns never occur. `batch_rows_max` is what the request allowed.
Result<std::shared_ptr<arrow::RecordBatch>> drain(RowStream& stream, const ReadRequest& request, const Rows& rows);
/// Opens, reads and drains.
Result<std::shared_ptr<arrow::RecordBatch>> read_segment(io::ObjectStore& store, const std::string& key,
                                                         const Rows& rows, const ReadRequest& request,
                                                         ReadStatistics* statistics = nullptr);

ReadRequest everything(const model::Schema& schema);
/// What the request selects from `batch` (columns of the table's types), row by row.
std::shared_ptr<arrow::RecordBatch> read_naively(const Rows& rows, const ReadRequest& request);

/// A request with random columns, range, predicates and batch size, aimed at the values in the rows.
ReadRequest random_request(Random& random, const Rows& rows);

/// Same columns, same values (types too).
::testing::AssertionResult same_rows(const arrow::RecordBatch& actual, const arrow::RecordBatch& expected);

}  // namespace marigram::segment::testing
