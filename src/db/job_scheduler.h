// When which job runs: there is one of each kind for each table. It knows nothing of tables, and of time what its clock
// says: threads are its caller's, who waits as long as a turn tells it to. So a test moves weeks in no time.
//
// A job is looked at each interval of its kind. What there is to do then is done in steps. Of what is due, the kind of
// highest priority comes first, then what has waited longest; that is decided anew after each step, so a long
// compaction holds up no refresh. Steps of one table are never taken at the same time.
#pragma once

#include "base/clock.h"
#include "db/job_records.h"
#include "table/live_table.h"

#include <marigram/error.h>
#include <marigram/jobs.h>
#include <marigram/scan.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::db {

/// How far a step came.
struct JobStep {
  bool more = false;    ///< another one is wanted
  double progress = 0;  ///< of the whole, 0 to 1, if that is known
};

/// A job from its begin to its end. Not thread-safe.
class JobWork {
 public:
  virtual ~JobWork() = default;
  /// The first one looks what there is to do, which costs little if that is nothing.
  virtual Result<JobStep> step(const CancelToken& cancel) = 0;
  /// What was done so far, for people; empty: nothing.
  virtual std::string result() const = 0;
};

/// What there is to be done. Thread-safe.
class JobSource {
 public:
  virtual ~JobSource() = default;
  /// That are there, ascending.
  virtual Result<std::vector<table::TableName>> tables() = 0;
  /// Whether there is a job of that kind.
  virtual bool has(JobKind /*kind*/, const table::TableName& /*table*/) const { return true; }
  /// kNotFound: the table is no more.
  virtual Result<std::unique_ptr<JobWork>> begin(JobKind kind, const table::TableName& table) = 0;
};

/// kInvalidInput, for what makes no sense.
Status check(const JobOptions& options);

/// Thread-safe.
class JobScheduler {
 public:
  using Time = std::chrono::microseconds;  // since 1970
  using Keep = std::function<Status(const JobRecords&)>;

  /// What a thread that works knows of itself.
  struct Worker {
    Time rest_until = {};     // because it has worked
    Time rest = {};           // that it owed then
    std::uint64_t woken = 0;  // how often all were, when it last looked
  };

  /// `source` and `clock` are borrowed. `before`: what was kept. `keep` is called by one thread at a time. Unless
  /// `automatic`, nothing becomes due by itself.
  JobScheduler(JobSource& source, const Clock& clock, const JobOptions& options, JobRecords before, Keep keep,
               bool automatic);
  ~JobScheduler();
  JobScheduler(const JobScheduler&) = delete;
  JobScheduler& operator=(const JobScheduler&) = delete;

  /// Takes one step of what is to be done first, if anything is due. Returns how long the thread is to wait then: until
  /// it has worked its share of the time only, and something is due.
  Time turn(Worker& worker);
  /// Takes turns until stop(), as a thread does.
  void work();
  /// Cancels what runs, waits for the end of its steps, and begins nothing any more. What was done is kept.
  void stop();

  /// By table, then kind.
  Result<std::vector<JobInfo>> jobs();
  /// See Database::run_jobs.
  Result<std::vector<JobInfo>> run(std::optional<JobKind> kind, const CancelToken& cancel);
  /// Cancels what runs of a table, and begins no other before the result is let go, which must not outlive this.
  std::shared_ptr<void> hold(const table::TableName& name);
  /// See Database::pause_jobs. What is said holds also after an error, which tells that it could not be kept.
  Status pause(std::optional<JobKind> kind, bool paused);

 private:
  struct Table;
  enum class Place { kNone, kWaiting, kDue };
  struct Job {
    Table* table = nullptr;    // null: there is no such job
    std::uint64_t number = 0;  // in order of appearance, to tell those apart that wait equally long
    JobInfo info = {};         // without state, next and name
    Place place = Place::kNone;
    Time next = {};  // when it becomes due; of one that is due: since when it is
    Time delay = {};
    bool runs = false;      // has begun, and not ended
    bool stepping = false;  // a step is being taken
    bool asked = false;     // it was asked for, so that no pause stops it
    Instant begun = {};
    double progress = 0;
    std::unique_ptr<JobWork> work = {};  // of who steps, while someone does
    CancelToken cancel = {};
  };
  struct Table {
    table::TableName name = {};
    bool taken = false;  // a thread is at it
    bool gone = false;
    std::array<Job, kJobKinds> jobs = {};
  };
  using Tables = std::map<table::TableName, std::unique_ptr<Table>>;
  using Key = std::tuple<Time, std::uint64_t, Job*>;
  using Lock = std::unique_lock<std::mutex>;

  static std::size_t index(JobKind kind) { return static_cast<std::size_t>(kind); }
  Time now() const;
  Time interval(JobKind kind) const;
  Time rest_after(Time worked) const;

  Status list();
  void list_if_due();
  void keep_if_due();
  Status keep();

  // All below with mutex_.
  JobRecords records() const;
  JobInfo info_of(const Job& job) const;
  void reconcile(const std::vector<table::TableName>& names);
  void add(const table::TableName& name);
  void remove(Table& table);
  void put(Job& job, Place place, Time next);
  void take_out(Job& job);
  void note_time(Time now);
  Job* first_due() const;
  Time until_listing(Time now) const;
  Time until_due(Time now) const;
  void take(Table& table);
  void let_go(Table& table);
  Table* wait_for(const table::TableName& name, const CancelToken& cancel, bool interrupt, Lock& lock);
  void step(Job& job, const CancelToken& cancel, Lock& lock);
  Result<JobStep> attempt(Job& job, const CancelToken& cancel);  // without it
  void settle(Job& job, const Result<JobStep>& done);
  void succeed(Job& job);
  void cut_short(Job& job);
  void end(Job& job, const Error* error);
  void run_now(Table& table, JobKind kind, const CancelToken& cancel, Lock& lock, std::vector<JobInfo>& done);
  void wake_all();
  Table* find(const table::TableName& name);

  JobSource& source_;
  const Clock& clock_;
  const JobOptions options_;
  const Keep keep_;
  const bool automatic_;
  const Time opened_;

  std::mutex list_mutex_;  // held while tables are listed, so that no older list comes after a newer one
  std::mutex keep_mutex_;  // likewise while records are kept

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::uint64_t woken_ = 0;
  bool stopped_ = false;
  std::uint64_t taken_ = 0;  // tables
  std::uint64_t numbers_ = 0;
  std::array<bool, kJobKinds> paused_ = {};
  std::map<std::pair<table::TableName, JobKind>, JobInfo> before_;  // of tables that were not listed yet
  Tables tables_;
  std::set<Key> waiting_;
  std::array<std::set<Key>, kJobKinds> due_;
  std::multiset<table::TableName> wanted_;  // that somebody waits for
  std::optional<Time> listed_;
  bool listing_ = false;
  bool unkept_ = false;  // something happened since records were kept,
  Time kept_ = {};       // the last time
  Time seen_ = {};       // what the clock said last
};

}  // namespace marigram::db
