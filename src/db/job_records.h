// What lasts of background jobs: which kinds are paused, and what was done last. The object jobs.json beside
// marigram.json, which is put as a whole. It is for people: nothing of the tables depends on it.
#pragma once

#include "db/storage.h"

#include <marigram/error.h>
#include <marigram/jobs.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::db {

inline constexpr std::size_t kJobKinds = kJobNames.size();
inline constexpr std::array<JobKind, kJobKinds> kAllJobKinds = {JobKind::kRefresh, JobKind::kExpire, JobKind::kTier,
                                                                JobKind::kCompact, JobKind::kVacuum};

struct JobRecords {
  std::array<bool, kJobKinds> paused = {};  ///< by kind
  std::vector<JobInfo> jobs = {};           ///< that have ever done something, or failed; without state, next, progress
};

std::string format_job_records(const JobRecords& records);
/// kCorruption.
Result<JobRecords> parse_job_records(std::string_view text);

/// None if they are missing, or damaged: jobs begin anew then.
JobRecords read_job_records(Storage& storage);
Status write_job_records(Storage& storage, const JobRecords& records);

}  // namespace marigram::db
