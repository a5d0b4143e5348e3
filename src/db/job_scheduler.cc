#include "db/job_scheduler.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <utility>

namespace marigram::db {
namespace {

using Time = JobScheduler::Time;
using std::chrono::seconds;

constexpr Time kIntervalMin = std::chrono::milliseconds(10);
constexpr seconds kDurationMax = std::chrono::hours(24 * 365 * 100);  // so that no sum overflows
constexpr seconds kListEveryMax{60};
constexpr seconds kKeepEvery{1};
constexpr seconds kRestMax{600};  // however long a step took, or the clock was set forward
constexpr seconds kWaitMax{5};    // by the machine's clock, which may be set while one waits

Time bounded(seconds duration) {
  return std::min(duration, kDurationMax);
}

/// What a call that may throw returns.
template <typename Call>
auto guarded(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kResourceExhausted, "out of memory");
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, error.what());
  } catch (...) {
    return fail(ErrorCode::kInternal, "something unknown was thrown");
  }
}

}  // namespace

Status check(const JobOptions& options) {
  constexpr std::size_t kThreadsMax = 64;
  const auto bad = [](std::string_view what) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot run jobs: {}", what));
  };
  if (options.threads < 1 || options.threads > kThreadsMax) {
    return bad(fmt::format("got {} threads, want 1 to {}", options.threads, kThreadsMax));
  }
  if (!(options.share > 0 && options.share <= 1)) {
    return bad(fmt::format("their share of the time is {}, want above 0, at most 1", options.share));
  }
  for (const seconds duration :
       {options.start_after, options.refresh_every, options.expire_every, options.tier_every, options.compact_every,
        options.vacuum_every, options.vacuum_older_than, options.backoff_max}) {
    if (duration.count() < 0) return bad(fmt::format("got a time of {} s, want 0 or more", duration.count()));
  }
  if (options.history.versions == 0 || options.history.seconds.value_or(0) < 0) {
    return bad("history is of 1 version or more, of 0 s or more");
  }
  return {};
}

JobScheduler::JobScheduler(JobSource& source, const Clock& clock, const JobOptions& options, JobRecords before,
                           Keep keep, bool automatic)
    : source_(source),
      clock_(clock),
      options_(options),
      keep_(std::move(keep)),
      automatic_(automatic),
      opened_(now()),
      paused_(before.paused),
      seen_(opened_) {
  for (JobInfo& info : before.jobs) {
    const std::pair key(table::TableName{.name_space = info.name_space, .name = info.table}, info.kind);
    before_.insert_or_assign(key, std::move(info));
  }
}

JobScheduler::~JobScheduler() = default;

// ---- time ----

Time JobScheduler::now() const {
  const Instant instant = clock_.now();
  constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40U;
  return seconds(std::clamp(instant.seconds, -kSecondsMax, kSecondsMax)) + Time(instant.nanos / 1'000);
}

Time JobScheduler::interval(JobKind kind) const {
  const std::array<seconds, kJobKinds> every = {options_.refresh_every, options_.expire_every, options_.tier_every,
                                                options_.compact_every, options_.vacuum_every};
  return std::max<Time>(bounded(every.at(index(kind))), kIntervalMin);
}

Time JobScheduler::rest_after(Time worked) const {
  const double rest = static_cast<double>(worked.count()) * (1 - options_.share) / options_.share;
  return Time(std::llround(std::clamp(rest, 0.0, static_cast<double>(Time(kRestMax).count()))));
}

/// Jobs of a clock that was set back would wait until it is where it was.
void JobScheduler::note_time(Time now) {
  if (now < seen_) {
    for (const auto& [next, number, job] : std::exchange(waiting_, {})) {
      job->next = std::min(next, now + job->delay);
      waiting_.emplace(job->next, number, job);
    }
    if (listed_) listed_ = std::min(*listed_, now);
    kept_ = std::min(kept_, now);
  }
  seen_ = now;
  while (!waiting_.empty() && std::get<Time>(*waiting_.begin()) <= now) {
    Job& job = *std::get<Job*>(*waiting_.begin());
    put(job, Place::kDue, job.next);
  }
}

// ---- which jobs there are ----

JobScheduler::Table* JobScheduler::find(const table::TableName& name) {
  const auto found = tables_.find(name);
  return found == tables_.end() || found->second->gone ? nullptr : found->second.get();
}

void JobScheduler::put(Job& job, Place place, Time next) {
  take_out(job);
  if (!automatic_ || job.table->gone) return;
  job.place = place;
  job.next = next;
  auto& keys = place == Place::kWaiting ? waiting_ : due_.at(index(job.info.kind));
  keys.emplace(next, job.number, &job);
}

void JobScheduler::take_out(Job& job) {
  const Key key(job.next, job.number, &job);
  if (job.place == Place::kWaiting) waiting_.erase(key);
  if (job.place == Place::kDue) due_.at(index(job.info.kind)).erase(key);
  job.place = Place::kNone;
}

void JobScheduler::add(const table::TableName& name) {
  auto& table = tables_[name];
  table = std::make_unique<Table>();
  table->name = name;
  const Time at = now();
  const Time first = std::max(at, opened_ + bounded(options_.start_after));
  for (const JobKind kind : kAllJobKinds) {
    if (!source_.has(kind, name)) continue;
    Job& job = table->jobs.at(index(kind));
    job.table = table.get();
    job.number = numbers_++;
    const auto record = before_.find({name, kind});
    if (record != before_.end()) job.info = record->second;
    job.info.kind = kind;
    job.delay = first - at;
    put(job, Place::kWaiting, first);
  }
}

void JobScheduler::remove(Table& table) {
  for (Job& job : table.jobs) take_out(job);
  table.gone = true;
  if (!table.taken) tables_.erase(table::TableName(table.name));
}

void JobScheduler::reconcile(const std::vector<table::TableName>& names) {
  const std::set<table::TableName> there(names.begin(), names.end());
  std::vector<Table*> gone;
  for (const auto& [name, table] : tables_) {
    if (!table->gone && !there.contains(name)) gone.push_back(table.get());
  }
  for (Table* table : gone) remove(*table);
  for (const table::TableName& name : names) {
    if (!tables_.contains(name)) add(name);
  }
  before_.clear();
  listed_ = now();
}

Status JobScheduler::list() {
  const std::lock_guard listing(list_mutex_);
  MARIGRAM_ASSIGN(const auto names, guarded([&] { return source_.tables(); }));
  const Lock lock(mutex_);
  reconcile(names);
  return {};
}

/// Tables that come are found by the time that one of their jobs could be due.
void JobScheduler::list_if_due() {
  {
    const Lock lock(mutex_);
    note_time(now());
    if (stopped_ || listing_ || until_listing(seen_) > Time(0)) return;
    listing_ = true;
    listed_ = seen_;  // tried again only then, also if it fails
  }
  [[maybe_unused]] const Status listed = list();
  const Lock lock(mutex_);
  listing_ = false;
}

Time JobScheduler::until_listing(Time now) const {
  if (!listed_) return opened_ + bounded(options_.start_after) - now;
  Time every = kListEveryMax;
  for (const JobKind kind : kAllJobKinds) every = std::min(every, interval(kind));
  return *listed_ + std::max<Time>(every, seconds(1)) - now;
}

// ---- what lasts ----

JobRecords JobScheduler::records() const {
  JobRecords records{.paused = paused_};
  for (const auto& [key, info] : before_) records.jobs.push_back(info);
  for (const auto& [name, table] : tables_) {
    for (const Job& job : table->jobs) {
      if (!job.info.ended || table->gone) continue;
      records.jobs.push_back(job.info);
      records.jobs.back().name_space = name.name_space;
      records.jobs.back().table = name.name;
    }
  }
  return records;
}

Status JobScheduler::keep() {
  const std::lock_guard keeping(keep_mutex_);
  JobRecords records;
  {
    const Lock lock(mutex_);
    records = this->records();
    unkept_ = false;
    kept_ = now();
  }
  Status kept = guarded([&] { return keep_(records); });
  if (!kept) {
    const Lock lock(mutex_);
    unkept_ = true;
  }
  return kept;
}

/// Not more often than each second, however many tables there are.
void JobScheduler::keep_if_due() {
  {
    const Lock lock(mutex_);
    if (!unkept_ || now() < kept_ + kKeepEvery) return;
  }
  [[maybe_unused]] const Status kept = keep();  // tried again a second later
}

// ---- turns ----

JobScheduler::Job* JobScheduler::first_due() const {
  for (const JobKind kind : kAllJobKinds) {
    if (paused_.at(index(kind))) continue;
    for (const auto& [since, number, job] : due_.at(index(kind))) {
      if (!job->table->taken && !wanted_.contains(job->table->name)) return job;
    }
  }
  return nullptr;
}

Time JobScheduler::until_due(Time now) const {
  if (first_due() != nullptr) return Time(0);
  Time wait = until_listing(now);
  if (!waiting_.empty()) wait = std::min(wait, std::get<Time>(*waiting_.begin()) - now);
  if (unkept_) wait = std::min(wait, kept_ + kKeepEvery - now);
  return std::max(wait, Time(0));
}

Time JobScheduler::turn(Worker& worker) {
  const Time begin = now();
  {
    const Lock lock(mutex_);
    worker.woken = woken_;
    if (stopped_) return kWaitMax;
    worker.rest_until = std::min(worker.rest_until, begin + worker.rest);
    if (worker.rest_until > begin) return worker.rest_until - begin;
  }
  list_if_due();
  Lock lock(mutex_);
  note_time(now());
  Job* const job = stopped_ ? nullptr : first_due();
  if (job != nullptr) {
    Table& table = *job->table;
    take(table);
    step(*job, {}, lock);
    let_go(table);
  }
  lock.unlock();
  keep_if_due();
  lock.lock();
  const Time end = now();
  note_time(end);
  worker.woken = woken_;
  worker.rest = job == nullptr ? Time(0) : rest_after(end - begin);
  worker.rest_until = end + worker.rest;
  return std::max(worker.rest, until_due(end));
}

void JobScheduler::work() {
  Worker worker;
  while (true) {
    const Time wait = std::min<Time>(turn(worker), kWaitMax);
    Lock lock(mutex_);
    if (stopped_) return;
    changed_.wait_for(lock, wait, [&] { return stopped_ || woken_ != worker.woken; });
  }
}

void JobScheduler::wake_all() {
  ++woken_;
  changed_.notify_all();
}

void JobScheduler::take(Table& table) {
  table.taken = true;
  ++taken_;
}

void JobScheduler::let_go(Table& table) {
  table.taken = false;
  --taken_;
  if (table.gone) tables_.erase(table::TableName(table.name));
  wake_all();
}

void JobScheduler::step(Job& job, const CancelToken& cancel, Lock& lock) {
  take_out(job);
  if (!job.runs) {
    job.runs = true;
    job.begun = clock_.now();
    job.progress = 0;
  }
  job.stepping = true;
  job.cancel = cancel;
  lock.unlock();
  const Result<JobStep> done = attempt(job, cancel);
  lock.lock();
  job.stepping = false;
  settle(job, done);
}

Result<JobStep> JobScheduler::attempt(Job& job, const CancelToken& cancel) {
  return guarded([&]() -> Result<JobStep> {
    if (!job.work) {
      MARIGRAM_ASSIGN(job.work, source_.begin(job.info.kind, job.table->name));
    }
    return job.work->step(cancel);
  });
}

void JobScheduler::settle(Job& job, const Result<JobStep>& done) {
  if (!done && done.error().code == ErrorCode::kNotFound && !job.work) {
    job.runs = false;
    return remove(*job.table);
  }
  const bool cancelled = !done && done.error().code == ErrorCode::kCancelled && job.cancel.cancelled();
  if (!done && !cancelled) return end(job, &done.error());
  if (done && !done->more) return succeed(job);
  const bool paused = paused_.at(index(job.info.kind)) && !job.asked;
  if (job.cancel.cancelled() || stopped_ || paused) return cut_short(job);
  job.progress = done->progress;
  if (!job.asked) put(job, Place::kDue, now());
}

void JobScheduler::succeed(Job& job) {
  end(job, nullptr);
  if (job.info.failures == 0) return;
  job.info.failures = 0;
  unkept_ = true;
}

/// It has not done all that it was to do, and goes on when it may.
void JobScheduler::cut_short(Job& job) {
  end(job, nullptr);
  put(job, Place::kDue, now());
}

void JobScheduler::end(Job& job, const Error* error) {
  const std::string result = job.work ? job.work->result() : std::string();
  job.work.reset();
  job.runs = false;
  JobInfo& info = job.info;
  if (!result.empty() || error != nullptr) {
    info.started = job.begun;
    info.ended = clock_.now();
    info.result = result;
    info.runs += result.empty() ? 0 : 1;
    unkept_ = true;
  }
  job.delay = interval(info.kind);
  if (error != nullptr) {
    constexpr std::uint64_t kDoublings = 32;
    const seconds backoff{std::int64_t{1} << std::min(++info.failures, kDoublings)};
    job.delay = std::max(job.delay, std::min(Time(backoff), bounded(options_.backoff_max)));
    info.failed = info.ended;
    info.last_error = error->message;
  }
  put(job, Place::kWaiting, now() + job.delay);
}

}  // namespace marigram::db
