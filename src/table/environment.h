// What a table runs on, handed in from above: storage, time, threads.
#pragma once

#include "base/clock.h"
#include "base/thread_pool.h"
#include "io/object_store.h"
#include "io/split_store.h"
#include "log/log.h"
#include "table/segment_cache.h"

#include <memory>

namespace marigram::table {

struct Environment {
  std::shared_ptr<io::ObjectStore> store;  // rooted at the table's folder
  const Clock* clock = nullptr;            // borrowed, never null
  ThreadPool* pool = nullptr;              // borrowed, never null
  log::LogOptions log = {};
  std::shared_ptr<io::SplitStore> cold = {};  // `store` itself, if cold segments may lie elsewhere
  std::shared_ptr<SegmentCache> segments = std::make_shared<SegmentCache>();  // of this table; never null
};

}  // namespace marigram::table
