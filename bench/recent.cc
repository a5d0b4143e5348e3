#include "recent.h"

#include "bench_support.h"
#include "load_points.h"

#include <marigram/database.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

constexpr std::uint64_t kRoundsAnHour = 360;
constexpr std::int64_t kHourNs = 3'600'000'000'000;
constexpr std::int64_t kMinuteNs = kHourNs / 60;
constexpr std::size_t kAsked = 100;  // series

/// The load, round by round.
class Rounds {
 public:
  explicit Rounds(Database database) : database_(std::move(database)) {}

  void write() {
    set_samples(points_, kSeries * written_++);
    need(database_.insert_batch(kTenant, kTable, points_));
    last_ns_ = points_.front().time_ns;
  }

  std::int64_t last_ns() const { return last_ns_; }

  /// A round every so often, until it is to stop; the points written a second. One that is late is not waited for.
  double write_at(std::uint64_t per_second, const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    const std::chrono::duration<double> pace(static_cast<double>(kSeries) / static_cast<double>(per_second));
    const Clock::time_point begin = Clock::now();
    std::uint64_t count = 0;
    while (!stop.stop_requested()) {
      write();
      ++count;
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(pace * count));
    }
    const std::chrono::duration<double> taken = Clock::now() - begin;
    return static_cast<double>(count * kSeries) / taken.count();
  }

 private:
  Database database_;
  std::vector<Point> points_ = points_from(0);
  std::uint64_t written_ = 0;
  std::atomic<std::int64_t> last_ns_ = 0;
};

/// Seconds of a query for the hour that ends now.
double ask(const Database& database, const Rounds& rounds) {
  const std::int64_t now = rounds.last_ns();
  QueryRequest request{.from_ns = now - kHourNs + 1,
                       .to_ns = now,
                       .where = {{.name = "host", .op = MatchOp::kRegex, .value = "host[0-9]"}},
                       .aggregate = "avg",
                       .by_series = true};
  request.every.fixed = kMinuteNs;
  const Stopwatch watch;
  BatchStream stream = need(database.query(kTenant, kTable, request));
  std::size_t rows = 0;
  while (const auto batch = need(stream.next())) rows += batch->rows();
  const double seconds = watch.elapsed().wall_s;
  if (rows < kAsked * 60) stop("found " + std::to_string(rows) + " minutes of the last hour");
  return seconds;
}

Json ask_for(const Database& database, const Rounds& rounds, double seconds) {
  std::vector<double> times;
  const Stopwatch watch;
  while (watch.elapsed().wall_s < seconds) times.push_back(ask(database, rounds));
  std::ranges::sort(times);
  return {{"queries", times.size()},
          {"median_s", times[times.size() / 2]},
          {"p99_s", times[times.size() * 99 / 100]},
          {"most_s", times.back()}};
}

}  // namespace

Json measure_recent(const Recent& recent) {
  const Database database = need(Database::open(recent.folder, {.segments = SegmentFormat::kNative}));
  Rounds rounds(database);
  for (std::uint64_t i = 0; i < 2 * kRoundsAnHour; ++i) rounds.write();
  Json result{{"quiet", ask_for(database, rounds, recent.seconds)}};
  double per_second = 0;
  {
    std::jthread writer([&](const std::stop_token& stop) { per_second = rounds.write_at(recent.per_second, stop); });
    result["writing"] = ask_for(database, rounds, recent.seconds);
  }
  result["per_second"] = per_second;
  result["flushes"] = database.metrics().flushes;
  return result;
}

}  // namespace marigram::bench
