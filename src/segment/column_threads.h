// Threads that work on the columns of one row group side by side.
#pragma once

#include <arrow/status.h>

#include <functional>

namespace arrow::internal {
class Executor;
}

namespace marigram::segment {

/// One thread a processor, for the whole process. Their tasks wait for nothing, so that every thread may wait for them;
/// Arrow's own would not do, as a caller may be one of those.
arrow::internal::Executor* column_threads();

/// Calls task(0) to task(count - 1), if `parallel` on those threads, else here. The first error, once all are done.
arrow::Status for_each_column(int count, bool parallel, const std::function<arrow::Status(int)>& task);

}  // namespace marigram::segment
