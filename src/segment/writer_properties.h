// How our Parquet files are laid out.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "segment/column_encoding.h"
#include "segment/parquet_writer.h"

#include <marigram/error.h>

#include <memory>
#include <string>
#include <vector>

namespace arrow {
class Schema;
}
namespace parquet {
class ArrowWriterProperties;
class WriterProperties;
}  // namespace parquet

namespace marigram::segment {

/// kInvalidInput names the option that is wrong.
Status check_options(const ParquetWriterOptions& options);

std::shared_ptr<parquet::ArrowWriterProperties> arrow_writer_properties();

/// `encodings` has one entry a column of `schema`; `arrow_schema` is its Arrow form. May throw as Parquet does.
Result<std::shared_ptr<parquet::WriterProperties>> writer_properties(const model::Schema& schema,
                                                                     const arrow::Schema& arrow_schema,
                                                                     const model::IndexSpec& index,
                                                                     const std::vector<ColumnEncoding>& encodings,
                                                                     const ParquetWriterOptions& options);

}  // namespace marigram::segment
