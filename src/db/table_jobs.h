// What background jobs do to tables.
#pragma once

#include "db/catalogue.h"
#include "db/job_scheduler.h"
#include "table/live_table.h"

#include <marigram/error.h>
#include <marigram/jobs.h>
#include <marigram/time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::db {

/// What is done for no table in particular is of this one, which is none: vacuum of tables that were dropped.
inline const table::TableName kWholeDatabase = {};

/// That there are jobs of, ascending.
Result<std::vector<table::TableName>> tables_with_jobs(const Catalogue& catalogue);
bool has_job(JobKind kind, const table::TableName& table);

/// Where a job of a table found nothing left to do: as long as the table is at that version, there is nothing. Of
/// vacuum: when it was done last. Thread-safe.
class JobMarks {
 public:
  struct Mark {
    std::uint64_t version = 0;
    Instant at = {};
  };
  std::optional<Mark> find(JobKind kind, const table::TableName& table) const;
  void set(JobKind kind, const table::TableName& table, const Mark& mark);
  /// Forgets all but these tables.
  void keep(const std::vector<table::TableName>& tables);

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<table::TableName, JobKind>, Mark> marks_;
};

class TableJobs final : public JobSource {
 public:
  /// What is borrowed outlives it.
  TableJobs(Catalogue& catalogue, const Clock& clock, const JobOptions& options)
      : catalogue_(catalogue), clock_(clock), options_(options) {}

  Result<std::vector<table::TableName>> tables() override;
  bool has(JobKind kind, const table::TableName& table) const override { return has_job(kind, table); }
  /// Opens the table if it is not open.
  Result<std::unique_ptr<JobWork>> begin(JobKind kind, const table::TableName& table) override;

 private:
  Catalogue& catalogue_;
  const Clock& clock_;
  const JobOptions options_;
  JobMarks marks_;
};

}  // namespace marigram::db
