#include "db/jobs.h"

#include "base/try.h"

#include <map>
#include <utility>

namespace marigram::db {

Jobs::Jobs(std::shared_ptr<Storage> storage, Catalogue& catalogue, const Clock& clock, const JobOptions& options,
           bool background)
    : source_(catalogue, clock, options),
      scheduler_(
          source_, clock, options, read_job_records(*storage),
          [storage](const JobRecords& records) { return write_job_records(*storage, records); }, background) {
  if (!background) return;
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { scheduler_.work(); });
}

Jobs::~Jobs() {
  stop();
}

void Jobs::stop() {
  scheduler_.stop();
  threads_.clear();
}

Result<std::vector<JobInfo>> recorded_jobs(Storage& storage, const Catalogue& catalogue) {
  MARIGRAM_ASSIGN(const auto tables, tables_with_jobs(catalogue));
  const JobRecords records = read_job_records(storage);
  std::map<std::pair<table::TableName, JobKind>, JobInfo> by_job;
  for (const JobInfo& job : records.jobs) {
    by_job.insert_or_assign({table::TableName{.name_space = job.name_space, .name = job.table}, job.kind}, job);
  }
  std::vector<JobInfo> jobs;
  for (const table::TableName& table : tables) {
    for (const JobKind kind : kAllJobKinds) {
      if (!has_job(kind, table)) continue;
      const auto found = by_job.find({table, kind});
      JobInfo job = found == by_job.end() ? JobInfo{} : found->second;
      job.kind = kind;
      job.name_space = table.name_space;
      job.table = table.name;
      if (records.paused.at(static_cast<std::size_t>(kind))) job.state = JobState::kPaused;
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

}  // namespace marigram::db
