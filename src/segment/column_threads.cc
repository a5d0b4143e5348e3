#include "segment/column_threads.h"

#include "base/thread_pool.h"

#include <arrow/util/functional.h>
#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

/// Our threads, as Arrow wants to see threads.
class ColumnThreads : public arrow::internal::Executor {
 public:
  int GetCapacity() override { return static_cast<int>(pool_.size()); }
  ThreadPool& pool() { return pool_; }

 protected:
  arrow::Status SpawnReal(arrow::internal::TaskHints /*hints*/, arrow::internal::FnOnce<void()> task,
                          arrow::StopToken /*stop*/, StopCallback&& /*stopped*/) override {
    pool_.submit([task = std::move(task)]() mutable { std::move(task)(); });
    return arrow::Status::OK();
  }

 private:
  ThreadPool pool_{std::max(1U, std::thread::hardware_concurrency())};
};

ColumnThreads& threads() {
  static auto& made = *new ColumnThreads;  // never destroyed: a stream may outlive what is static
  return made;
}

}  // namespace

arrow::internal::Executor* column_threads() {
  return &threads();
}

arrow::Status for_each_column(int count, bool parallel, const std::function<arrow::Status(int)>& task) {
  arrow::Status status;
  if (!parallel || count < 2) {
    for (int i = 0; i < count; ++i) status &= task(i);
    return status;
  }
  std::vector<std::future<arrow::Status>> tasks;
  tasks.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) tasks.push_back(threads().pool().submit([&task, i] { return task(i); }));
  for (auto& done : tasks) done.wait();
  for (auto& done : tasks) status &= done.get();
  return status;
}

}  // namespace marigram::segment
