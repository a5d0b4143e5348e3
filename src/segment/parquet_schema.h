// What a Parquet file's schema says about its columns.
#pragma once

#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace arrow {
class DataType;
class Schema;
}  // namespace arrow
namespace parquet {
class ColumnDescriptor;
class FileMetaData;
}  // namespace parquet

namespace marigram::segment {

/// The logical schema as the reference implementation of the dialect derives it: in v7 from the Arrow schema that the
/// writer stored, if it did; else, and always in v1, from Parquet's types alone (no time zones; v1 has no uint64).
/// Columns whose type no table can hold come as kOther. May throw as Parquet does.
Result<model::Schema> schema_of(const parquet::FileMetaData& metadata, Dialect dialect, const std::string& doing);

/// The file's columns as Arrow's own reader returns them. May throw as Parquet does.
Result<std::shared_ptr<arrow::Schema>> arrow_schema_of(const parquet::FileMetaData& metadata, const std::string& doing);

/// The Arrow type of a leaf's values as they are stored; null for leaves that are nested, repeated or need a conversion
/// beyond renaming (decimals, int96).
std::shared_ptr<arrow::DataType> flat_type(const parquet::ColumnDescriptor& leaf);

}  // namespace marigram::segment
