#include "segment/writer_properties.h"

#include "model/index.h"
#include "model/schema.h"
#include "segment/arrow_status.h"
#include "segment/column_encoding.h"
#include "segment/column_threads.h"
#include "segment/memory_pool.h"
#include "segment/parquet_writer.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using Builder = parquet::WriterProperties::Builder;

constexpr std::int64_t kDictionaryBytesMax = 1 << 20;
constexpr std::int64_t kWriteBatchRows = 1'024;  // pages are cut at multiples of it
constexpr int kZstdLevel = 1;

std::optional<parquet::Compression::type> codec_named(std::string_view name, CodecChoice choice) {
  if (name == "auto") {
    if (choice == CodecChoice::kNone) return parquet::Compression::UNCOMPRESSED;
    return choice == CodecChoice::kDense ? parquet::Compression::ZSTD : parquet::Compression::LZ4;
  }
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "lz4") return parquet::Compression::LZ4;  // LZ4_RAW in the file
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "none") return parquet::Compression::UNCOMPRESSED;
  return std::nullopt;
}

void set_encoding(Builder& builder, const std::string& path, const ColumnEncoding& encoding,
                  const ParquetWriterOptions& options) {
  if (encoding.dictionary) {
    builder.enable_dictionary(path);
  } else {
    builder.disable_dictionary(path);
    builder.encoding(path, encoding.encoding);
  }
  const auto codec = *codec_named(options.compression, encoding.codec);
  builder.compression(path, codec);
  if (codec == parquet::Compression::ZSTD) builder.compression_level(path, kZstdLevel);
}

/// The leaves that rows are sorted by: tags, then the index.
std::vector<parquet::SortingColumn> sorting_columns(const parquet::SchemaDescriptor& leaves,
                                                    const model::IndexSpec& index) {
  std::vector<std::string> names(index.tags);
  names.push_back(index.column);
  std::vector<parquet::SortingColumn> result;
  for (const std::string& name : names) {
    const int field = leaves.group_node()->FieldIndex(name);
    if (field < 0) break;
    const int leaf = leaves.ColumnIndex(*leaves.group_node()->field(field));
    result.push_back({.column_idx = leaf, .descending = false, .nulls_first = false});
  }
  return result;
}

}  // namespace

Status check_options(const ParquetWriterOptions& options) {
  const auto wrong = [](std::string message) { return fail(ErrorCode::kInvalidInput, std::move(message)); };
  if (options.row_group_rows < 1) {
    return wrong(fmt::format("cannot write a segment: row_group_rows is {}, want at least 1", options.row_group_rows));
  }
  if (options.page_rows < 1) {
    return wrong(fmt::format("cannot write a segment: page_rows is {}, want at least 1", options.page_rows));
  }
  if (!codec_named(options.compression, CodecChoice::kQuick)) {
    return wrong(
        fmt::format("cannot write a segment: unknown compression; got `{}`, want auto, zstd, lz4, snappy or none",
                    options.compression));
  }
  return {};
}

std::shared_ptr<parquet::ArrowWriterProperties> arrow_writer_properties() {
  // The Arrow schema is stored so that readers get exact types back (time zones, maps without values).
  return parquet::ArrowWriterProperties::Builder()
      .store_schema()
      ->set_use_threads(true)
      ->set_executor(column_threads())
      ->build();
}

Result<std::shared_ptr<parquet::WriterProperties>> writer_properties(const model::Schema& schema,
                                                                     const arrow::Schema& arrow_schema,
                                                                     const model::IndexSpec& index,
                                                                     const std::vector<ColumnEncoding>& encodings,
                                                                     const ParquetWriterOptions& options) {
  Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->memory_pool(memory_pool())
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->created_by(std::string(kCreatedBy))
      ->enable_page_checksum()
      ->enable_statistics()
      ->enable_write_page_index()
      ->set_size_statistics_level(parquet::SizeStatisticsLevel::None)
      ->dictionary_pagesize_limit(kDictionaryBytesMax)
      ->write_batch_size(std::min(kWriteBatchRows, options.page_rows))
      ->max_rows_per_page(options.page_rows)
      ->max_row_group_length(options.row_group_rows);
  // What has no encoding of its own (the leaves of nested columns).
  builder.compression(*codec_named(options.compression, CodecChoice::kDense));
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    set_encoding(builder, schema.columns[i].name, encodings[i], options);
  }
  if (options.sorted) {
    std::shared_ptr<parquet::SchemaDescriptor> leaves;
    const auto status =
        parquet::arrow::ToParquetSchema(&arrow_schema, *builder.build(), *arrow_writer_properties(), &leaves);
    if (!status.ok()) return std::unexpected(from_arrow_status(status, "cannot write a segment", false));
    builder.set_sorting_columns(sorting_columns(*leaves, index));
  }
  return builder.build();
}

}  // namespace marigram::segment
