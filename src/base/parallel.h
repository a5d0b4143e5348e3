// A loop on the threads of a pool.
#pragma once

#include "base/thread_pool.h"

#include <marigram/error.h>

#include <cstddef>
#include <functional>

namespace marigram {

/// Calls task(0) to task(count - 1), in any order, on this thread and on those of the pool that have nothing else to
/// do, and returns when all are done: the error of the first by number, if some fail. After an error or an exception,
/// which is passed on, what has not begun is left out. May be called on a thread of the pool.
Status for_each_part(ThreadPool& pool, std::size_t count, const std::function<Status(std::size_t)>& task);

}  // namespace marigram
