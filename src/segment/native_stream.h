// The rows of a native segment that a request asks for.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "segment/native_file.h"
#include "segment/reader.h"

#include <marigram/error.h>

#include <memory>

namespace marigram::segment {

/// As SegmentReader::read. Pages without a wanted series or time are not read; of those that are, only the wanted rows
/// come: series and times are sorted, so which these are is known exactly.
Result<std::unique_ptr<RowStream>> read_native(std::shared_ptr<const NativeFile> file, const model::Schema& schema,
                                               const model::IndexSpec& index, ReadRequest request);

}  // namespace marigram::segment
