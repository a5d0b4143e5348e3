// Values of native segments as Arrow arrays.
#pragma once

#include "segment/native_block.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <string>

namespace marigram::segment {

/// `type`: one that is kept as values of that kind (native_types.h). Copies. `doing` begins messages.
Result<std::shared_ptr<arrow::Array>> make_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type,
                                                 std::size_t rows, const BlockValues& values, const std::string& doing);

}  // namespace marigram::segment
