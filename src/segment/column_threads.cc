#include "segment/column_threads.h"

#include <arrow/result.h>
#include <arrow/util/parallel.h>
#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <memory>
#include <thread>

namespace marigram::segment {

arrow::internal::Executor* column_threads() {
  static const std::shared_ptr<arrow::internal::ThreadPool> kThreads =
      arrow::internal::ThreadPool::MakeEternal(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())))
          .ValueOrDie();  // refuses nothing but a count below 1
  return kThreads.get();
}

arrow::Status for_each_column(int count, bool parallel, const std::function<arrow::Status(int)>& task) {
  return arrow::internal::OptionalParallelFor(parallel && count > 1, count, task, column_threads());
}

}  // namespace marigram::segment
