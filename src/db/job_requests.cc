// What users ask of the scheduler of jobs: which there are, to run, to pause, to leave a table alone, to stop.
#include "base/try.h"
#include "db/job_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace marigram::db {
namespace {

constexpr std::chrono::milliseconds kLookForCancel{50};  // by who waits for another's step

}  // namespace

void JobScheduler::stop() {
  Lock lock(mutex_);
  if (std::exchange(stopped_, true)) return;
  for (const auto& [name, table] : tables_) {
    for (const Job& job : table->jobs) {
      if (job.stepping) job.cancel.cancel();  // that of who asked for it too: there is nothing any more to do
    }
  }
  wake_all();
  changed_.wait(lock, [&] { return taken_ == 0; });
  for (const auto& [name, table] : tables_) {
    for (Job& job : table->jobs) {
      if (job.runs) cut_short(job);
    }
  }
  const bool keeps = unkept_;
  lock.unlock();
  if (keeps) [[maybe_unused]]
    const Status kept = keep();
}

JobInfo JobScheduler::info_of(const Job& job) const {
  JobInfo info = job.info;
  info.name_space = job.table->name.name_space;
  info.table = job.table->name.name;
  const bool paused = paused_.at(index(info.kind));
  info.state = job.runs ? JobState::kRunning : paused ? JobState::kPaused : JobState::kWaiting;
  if (job.place != Place::kNone && !paused) info.next = Instant::from_units(job.next.count(), TimeUnit::kMicro);
  if (!job.runs) return info;
  info.started = job.begun;
  info.progress = std::clamp(job.progress, 0.0, 1.0);
  return info;
}

Result<std::vector<JobInfo>> JobScheduler::jobs() {
  MARIGRAM_TRY(list());
  const Lock lock(mutex_);
  std::vector<JobInfo> jobs;
  for (const auto& [name, table] : tables_) {
    if (table->gone) continue;
    for (const Job& job : table->jobs) {
      if (job.table != nullptr) jobs.push_back(info_of(job));
    }
  }
  return jobs;
}

/// Threads leave a table alone that somebody waits for. `interrupt`: cancels what runs by itself. Null: the table is
/// gone, or nobody is to go on.
JobScheduler::Table* JobScheduler::wait_for(const table::TableName& name, const CancelToken& cancel, bool interrupt,
                                            Lock& lock) {
  const auto wanted = wanted_.insert(name);
  Table* table = nullptr;
  while (!stopped_ && !cancel.cancelled()) {
    table = find(name);
    if (table == nullptr || !table->taken) break;
    for (const Job& job : table->jobs) {
      if (interrupt && job.stepping && !job.asked) job.cancel.cancel();
    }
    changed_.wait_for(lock, kLookForCancel);
    table = nullptr;
  }
  wanted_.erase(wanted);
  wake_all();
  return table;
}

/// Adds what it did, if that is worth telling.
void JobScheduler::run_now(Table& table, JobKind kind, const CancelToken& cancel, Lock& lock,
                           std::vector<JobInfo>& done) {
  take(table);
  Job& job = table.jobs.at(index(kind));
  const std::uint64_t runs = job.info.runs;
  const auto failed = job.info.failures;
  job.asked = true;
  do step(job, cancel, lock);
  while (job.runs);
  job.asked = false;
  if (job.info.runs != runs || job.info.failures > failed) done.push_back(info_of(job));
  let_go(table);
}

Result<std::vector<JobInfo>> JobScheduler::run(std::optional<JobKind> kind, const CancelToken& cancel) {
  MARIGRAM_TRY(list());
  std::vector<JobInfo> done;
  Lock lock(mutex_);
  std::vector<table::TableName> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  for (const JobKind each : kAllJobKinds) {
    if (kind && *kind != each) continue;
    for (const table::TableName& name : names) {
      if (!source_.has(each, name)) continue;
      Table* const table = wait_for(name, cancel, false, lock);
      if (table != nullptr) run_now(*table, each, cancel, lock, done);
    }
  }
  const bool stopped = stopped_;
  const bool keeps = unkept_;
  lock.unlock();
  if (keeps && !stopped) [[maybe_unused]]
    const Status kept = keep();
  if (stopped) return fail(ErrorCode::kCancelled, "running of jobs was cut short: the database was closed");
  if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "running of jobs cancelled; what was done stays");
  return done;
}

std::shared_ptr<void> JobScheduler::hold(const table::TableName& name) {
  Lock lock(mutex_);
  Table* const table = wait_for(name, {}, true, lock);
  if (table == nullptr) return nullptr;
  take(*table);
  return {table, [this](void* held) {
            const Lock letting(mutex_);
            let_go(*static_cast<Table*>(held));
          }};
}

Status JobScheduler::pause(std::optional<JobKind> kind, bool paused) {
  {
    const Lock lock(mutex_);
    for (const JobKind each : kAllJobKinds) {
      if (!kind || *kind == each) paused_.at(index(each)) = paused;
    }
    for (const auto& [name, table] : tables_) {
      for (Job& job : table->jobs) {
        if (!job.runs || job.asked || !paused_.at(index(job.info.kind))) continue;
        if (job.stepping) {
          job.cancel.cancel();
        } else {
          cut_short(job);
        }
      }
    }
    unkept_ = true;
    wake_all();
  }
  const Status kept = keep();
  if (kept) return {};
  return fail(kept.error().code, fmt::format("jobs are {}, but only until the database is closed: {}",
                                             paused ? "paused" : "resumed", kept.error().message));
}

}  // namespace marigram::db
