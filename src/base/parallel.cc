#include "base/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

namespace marigram {
namespace {

/// Outlives the call for helpers that begin when all is done.
class Loop {
 public:
  Loop(std::size_t count, const std::function<Status(std::size_t)>& task) : count_(count), task_(task) {}

  /// Does parts until none is left.
  void work() {
    std::unique_lock lock(mutex_);
    while (next_ < count_) {
      const std::size_t part = next_++;
      ++running_;
      lock.unlock();
      Status status;
      std::exception_ptr thrown;
      try {
        status = task_(part);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      if (--running_ == 0) idle_.notify_all();
      if (!status || thrown) fail(part, std::move(status), std::move(thrown));
    }
  }

  Status wait() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    if (thrown_) std::rethrow_exception(thrown_);
    return status_;
  }

 private:
  void fail(std::size_t part, Status status, std::exception_ptr thrown) {
    next_ = count_;
    if (part > failed_) return;
    failed_ = part;
    status_ = std::move(status);
    thrown_ = std::move(thrown);
  }

  const std::size_t count_;
  const std::function<Status(std::size_t)>& task_;  // not touched once all parts have begun
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t next_ = 0;  // guarded by mutex_, as all below
  std::size_t running_ = 0;
  std::size_t failed_ = SIZE_MAX;  // of the parts that failed, the first
  Status status_;
  std::exception_ptr thrown_;
};

}  // namespace

Status for_each_part(ThreadPool& pool, std::size_t count, const std::function<Status(std::size_t)>& task) {
  const auto loop = std::make_shared<Loop>(count, task);
  const std::size_t helpers = std::min(pool.size(), count) - (count > 0 ? 1 : 0);
  for (std::size_t i = 0; i < helpers; ++i) {
    (void)pool.submit([loop] { loop->work(); });
  }
  loop->work();
  return loop->wait();
}

}  // namespace marigram
