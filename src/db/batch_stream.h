// Arrow C streams as batches of ours.
#pragma once

#include <marigram/arrow_abi.h>
#include <marigram/batch.h>
#include <marigram/error.h>

namespace marigram::db {

/// Takes ownership of the stream.
Result<BatchStream> batches_of(ArrowArrayStream* stream);

}  // namespace marigram::db
