// The background jobs of a database that is open to be written: a scheduler, what it schedules, and its threads.
#pragma once

#include "base/clock.h"
#include "db/catalogue.h"
#include "db/job_scheduler.h"
#include "db/storage.h"
#include "db/table_jobs.h"

#include <marigram/error.h>
#include <marigram/jobs.h>

#include <memory>
#include <thread>
#include <vector>

namespace marigram::db {

/// Thread-safe, but for stop().
class Jobs {
 public:
  /// What is borrowed outlives it. `background`: whether there are threads.
  Jobs(std::shared_ptr<Storage> storage, Catalogue& catalogue, const Clock& clock, const JobOptions& options,
       bool background);
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  JobScheduler& scheduler() { return scheduler_; }
  /// Cancels what runs, and waits for it.
  void stop();

 private:
  TableJobs source_;
  JobScheduler scheduler_;
  std::vector<std::jthread> threads_;
};

/// What a database that is written elsewhere says of its jobs.
Result<std::vector<JobInfo>> recorded_jobs(Storage& storage, const Catalogue& catalogue);

}  // namespace marigram::db
