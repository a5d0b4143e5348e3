// A read request, resolved against a table's schema and a native segment.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "segment/index_bounds.h"
#include "segment/native_file.h"
#include "segment/reader.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::segment {

/// Where the values of a column come from.
struct NativeSource {
  std::shared_ptr<arrow::DataType> type;         // the table's
  std::shared_ptr<arrow::DataType> stored = {};  // the file's
  bool nullable = true;                          // in the table
  bool text_tag = false;                         // empty, not null, in a file that lacks it
  std::optional<std::size_t> tag = {};           // among the file's tags
  std::optional<std::size_t> block = {};         // among block_columns(); neither: the file lacks the column
};

struct NativePlan {
  static Result<NativePlan> make(const NativeFile& file, const model::Schema& schema, const model::IndexSpec& index,
                                 const ReadRequest& request);

  std::vector<NativeSource> columns;  // as requested
  std::shared_ptr<arrow::Schema> schema;
  IndexBounds bounds;
  std::vector<std::uint8_t> series;  // one a series: 1 if it is wanted
  bool none = false;                 // no row can match
};

/// The distinct values of a tag as an array of their type in the file.
Result<std::shared_ptr<arrow::Array>> tag_values(const NativeFile& file, std::size_t tag);

}  // namespace marigram::segment
