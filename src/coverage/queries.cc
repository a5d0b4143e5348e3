#include "coverage/queries.h"

#include "coverage/bucket_set.h"
#include "coverage/run_cursor.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace marigram::coverage {
namespace {

/// Collects missing buckets, told in ascending pieces, into gaps: pieces with no present expected bucket between them
/// belong to one gap.
class GapCollector {
 public:
  GapCollector(RangeCoverage& out, std::uint64_t min_gap) : out_(out), min_gap_(min_gap) {}

  void missing(IdRange ids) {
    if (length_ == 0) first_ = ids.first;
    last_ = ids.last;
    length_ += ids.count();
  }

  void present(std::uint64_t buckets) {
    out_.covered += buckets;
    close();
  }

  void close() {
    if (length_ == 0) return;
    out_.max_gap = std::max(out_.max_gap, length_);
    if (length_ >= min_gap_) out_.gaps.push_back({.first = first_, .last = last_});
    length_ = 0;
  }

 private:
  RangeCoverage& out_;
  std::uint64_t min_gap_;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t length_ = 0;  // expected buckets in the open gap
};

/// Walks the expected runs of a range; without a set, the range is the one run.
class ExpectedRuns {
 public:
  ExpectedRuns(const BucketSet* expected, IdRange range, RunCursor::Direction direction) : whole_(range) {
    if (expected != nullptr) cursor_.emplace(*expected, range, direction);
  }

  std::optional<IdRange> next() {
    if (cursor_) return cursor_->next();
    const auto run = whole_;
    whole_.reset();
    return run;
  }

 private:
  std::optional<RunCursor> cursor_;
  std::optional<IdRange> whole_;
};

bool empty(IdRange range) {
  return range.first > range.last;
}

/// Counts present expected buckets downward until `length` of them stand together.
class WindowFinder {
 public:
  explicit WindowFinder(std::uint64_t length) : length_(length) {}

  /// A stretch of present expected buckets below all told before; the window once it is found.
  std::optional<IdRange> present(IdRange ids) {
    if (found_ == 0) last_ = ids.last;
    const std::uint64_t missing = length_ - found_;
    // Written without count(): the stretch may hold 2^64 buckets.
    if (ids.last - ids.first >= missing - 1) return IdRange{.first = ids.last - (missing - 1), .last = last_};
    found_ += ids.count();
    return std::nullopt;
  }

  void missing() { found_ = 0; }

 private:
  std::uint64_t length_;
  std::uint64_t found_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace

RangeCoverage cover_range(const BucketSet& present, IdRange range, const BucketSet* expected, std::uint64_t min_gap) {
  RangeCoverage result;
  result.expected = expected_in(range, expected);
  if (result.expected == 0) return result;
  GapCollector gaps(result, min_gap);
  ExpectedRuns expected_runs(expected, range, RunCursor::Direction::kUp);
  RunCursor present_runs(present, range, RunCursor::Direction::kUp);
  auto run = present_runs.next();
  while (const auto wanted = expected_runs.next()) {
    std::uint64_t next = wanted->first;  // the first bucket of `wanted` that is not yet told
    bool open = true;                    // whether there is such a bucket
    while (run && run->last < next) run = present_runs.next();
    while (open && run && run->first <= wanted->last) {
      if (run->first > next) gaps.missing({.first = next, .last = run->first - 1});
      const IdRange both{.first = std::max(run->first, next), .last = std::min(run->last, wanted->last)};
      gaps.present(both.count());
      open = both.last < wanted->last;
      next = both.last + 1;
      if (open) run = present_runs.next();
    }
    if (open) gaps.missing({.first = next, .last = wanted->last});
  }
  gaps.close();
  return result;
}

std::uint64_t expected_in(IdRange range, const BucketSet* expected) {
  if (empty(range)) return 0;
  return expected == nullptr ? range.count() : expected->size_in(range);
}

std::optional<IdRange> last_covered_window(const BucketSet& present, std::uint64_t last_id, std::uint64_t length,
                                           const BucketSet* expected) {
  if (length == 0) return std::nullopt;
  const IdRange range{.first = 0, .last = last_id};
  WindowFinder finder(length);
  ExpectedRuns expected_runs(expected, range, RunCursor::Direction::kDown);
  RunCursor present_runs(present, range, RunCursor::Direction::kDown);
  auto run = present_runs.next();
  while (const auto wanted = expected_runs.next()) {
    std::uint64_t next = wanted->last;  // the highest bucket of `wanted` that is not yet told
    bool open = true;
    while (run && run->first > next) run = present_runs.next();
    if (!run) return std::nullopt;
    while (open && run && run->last >= wanted->first) {
      if (run->last < next) finder.missing();
      const IdRange both{.first = std::max(run->first, wanted->first), .last = std::min(run->last, next)};
      if (const auto window = finder.present(both)) return window;
      open = both.first > wanted->first;
      next = both.first - 1;
      if (open) run = present_runs.next();
    }
    if (open) finder.missing();
  }
  return std::nullopt;
}

}  // namespace marigram::coverage
