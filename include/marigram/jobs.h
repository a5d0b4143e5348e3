// Background jobs of a database: what is done to its tables without being asked.
//
//   refresh   levels of rollups are brought up to the rows
//   expire    what is older than is kept is dropped
//   tier      what is old becomes cold
//   compact   small segments are merged, hidden and replaced rows given up
//   vacuum    files that no version has are deleted, and versions given up that nobody wants to go back to
#pragma once

#include <marigram/history.h>
#include <marigram/time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marigram {

/// In the order of their priority.
enum class JobKind { kRefresh, kExpire, kTier, kCompact, kVacuum };
inline constexpr std::array<std::string_view, 5> kJobNames = {"refresh", "expire", "tier", "compact", "vacuum"};

struct JobOptions {
  bool automatic = true;    ///< run by themselves, while the database is open to be written
  std::size_t threads = 1;  ///< that run jobs, each of them one at a time; of one table one job at a time
  double share = 0.5;       ///< of its time that a thread works: above 0, up to 1; the rest it waits, between steps
  std::chrono::seconds start_after{10};  ///< after opening, so that short visits are left alone
  std::chrono::seconds refresh_every{10};
  std::chrono::seconds expire_every{300};
  std::chrono::seconds tier_every{600};
  std::chrono::seconds compact_every{60};
  std::chrono::seconds vacuum_every{3'600};
  std::chrono::seconds vacuum_older_than{86'400};  ///< see Database::vacuum
  History history = {};                            ///< that vacuum keeps; default: all
  std::chrono::seconds backoff_max{3'600};         ///< a job that fails waits longer each time, up to this
};

enum class JobState { kWaiting, kRunning, kPaused };

/// A job of one table; or, without names, of the database: vacuum of tables that were dropped.
struct JobInfo {
  JobKind kind = JobKind::kRefresh;
  std::string name_space = {};
  std::string table = {};
  JobState state = JobState::kWaiting;
  std::optional<Instant> next = {};     ///< when it is looked at next; unset: only when asked
  std::optional<Instant> started = {};  ///< the last time that there was something to do, as the rest; unset: never
  std::optional<Instant> ended = {};
  double progress = 0;          ///< while it runs: of its work, 0 to 1
  std::string result = {};      ///< what it did, for people; empty: nothing
  std::uint64_t runs = 0;       ///< in which there was something to do
  std::uint64_t failures = 0;   ///< one after the other, up to now
  std::string last_error = {};  ///< of the last failure, even if it has gone well since
  std::optional<Instant> failed = {};
};

}  // namespace marigram
