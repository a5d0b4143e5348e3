// The flights of 2013 as ticks: four threads write them while a fifth queries. May be killed at any moment and run
// again: it goes on where the database ends, after a check that nothing is missing of what had been acknowledged.
//
// usage: flights DATABASE flights.csv ACKNOWLEDGED, a file that tells how far the inserts have come that returned
#include <marigram/database.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kBatch = 100;
constexpr std::array<const char*, 2> kTables = {"departures", "cancelled"};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kYear = 1'356'998'400 * kSecond;        // 2013-01-01
constexpr std::int64_t kQuarter = 366 * 86'400 * kSecond / 4;  // the last flights of the year leave after midnight UTC

using Counts = std::array<std::array<std::uint64_t, kTables.size()>, kThreads>;
using Flights = std::array<std::array<std::vector<marigram::Point>, kTables.size()>, kThreads>;

template <typename T>
T check(marigram::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

void check(const marigram::Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

/// By the quarter of the year, which is a thread's, and by table; in order of scheduled departure. The value is the
/// delay in minutes; of a cancelled flight, the distance in miles that it did not go.
Flights read_flights(const char* path) {
  Flights flights;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell == "NA" ? "" : cell);
    if (cells.size() != 19) continue;
    const auto hour = check(marigram::parse_rfc3339(cells[18]));
    const std::int64_t time = (hour.seconds + std::stoi(cells[17]) * 60) * kSecond;
    const bool cancelled = cells[5].empty();
    flights.at(static_cast<std::size_t>((time - kYear) / kQuarter))
        .at(cancelled ? 1 : 0)
        .push_back({.time_ns = time,
                    .value = std::stod(cells[cancelled ? 15 : 5]),
                    .tags = {{"carrier", cells[9]}, {"origin", cells[12]}, {"tail", cells[11]}}});
  }
  for (auto& quarter : flights) {
    for (auto& points : quarter) std::ranges::stable_sort(points, {}, &marigram::Point::time_ns);
  }
  return flights;
}

/// Ticks: equal times are different flights, and all are kept.
void declare_tables(marigram::Database& db) {
  for (const char* table : kTables) {
    const auto made = db.create_table("nyc", table,
                                      {.time_column = "time",
                                       .unit = marigram::TimeUnit::kNano,
                                       .fields = {{"value", "float64"}},
                                       .bucket = "1m",
                                       .partition = "30d",
                                       .duplicates = marigram::Duplicates::kAll,
                                       .growing = true});
    if (!made && made.error().code != marigram::ErrorCode::kAlreadyExists) check(made);
  }
}

std::uint64_t count_rows(const marigram::Database& db, const char* table, std::int64_t from, std::int64_t to) {
  auto rows = check(db.query("nyc", table, {.from_ns = from, .to_ns = to, .aggregate = "count"}));
  const auto batch = check(rows.next());
  if (!batch || batch->rows() == 0) return 0;
  const marigram::Value count = batch->at(0, batch->columns() - 1);
  if (const auto* number = std::get_if<std::int64_t>(&count)) return static_cast<std::uint64_t>(*number);
  return std::get<std::uint64_t>(count);
}

/// How many rows of each thread and table the database has.
Counts count_all(const marigram::Database& db) {
  Counts counts{};
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    const std::int64_t from = kYear + static_cast<std::int64_t>(thread) * kQuarter;
    for (std::size_t table = 0; table < kTables.size(); ++table) {
      counts[thread][table] = count_rows(db, kTables[table], from, from + kQuarter - 1);
    }
  }
  return counts;
}

/// A file of numbers, overwritten in place, so that it is right whenever the process is killed. Thread-safe.
class Acknowledged {
 public:
  explicit Acknowledged(const char* path) {
    std::ifstream in(path);
    for (auto& thread : counts) {
      for (auto& count : thread) in >> count;
    }
    std::ofstream(path, std::ios::app).flush();
    file_.open(path, std::ios::in | std::ios::out);
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      for (std::size_t table = 0; table < kTables.size(); ++table) set(thread, table, counts[thread][table]);
    }
  }
  void set(std::size_t thread, std::size_t table, std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%14llu\n", static_cast<unsigned long long>(count));
    file_.seekp(static_cast<std::streamoff>((thread * kTables.size() + table) * 15));
    file_.write(text.data(), 15).flush();
  }

  Counts counts{};  // as the file had them

 private:
  std::mutex mutex_;
  std::fstream file_;
};

std::uint64_t sum(const Counts& counts) {
  std::uint64_t all = 0;
  for (const auto& thread : counts) {
    for (const std::uint64_t count : thread) all += count;
  }
  return all;
}

/// A batch is there as a whole or not at all, so at most one a thread and table is there without having been
/// acknowledged.
void check_nothing_is_missing(const Counts& there, const Counts& acknowledged) {
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    for (std::size_t table = 0; table < kTables.size(); ++table) {
      const std::uint64_t found = there[thread][table];
      const std::uint64_t promised = acknowledged[thread][table];
      if (found >= promised && found <= promised + kBatch) continue;
      std::fprintf(stderr, "%s of thread %zu: %llu rows are there, %llu were acknowledged\n", kTables[table], thread,
                   static_cast<unsigned long long>(found), static_cast<unsigned long long>(promised));
      std::exit(1);
    }
  }
}

void write_rest(marigram::Database& db, const Flights& flights, const Counts& there, Acknowledged& acknowledged,
                std::size_t thread) {
  for (std::size_t table = 0; table < kTables.size(); ++table) {
    const auto& points = flights[thread][table];
    std::size_t at = there[thread][table];
    acknowledged.set(thread, table, at);
    while (at < points.size()) {
      const std::size_t count = std::min(kBatch, points.size() - at);
      check(db.insert_batch("nyc", kTables[table], std::span(points).subspan(at, count)));
      at += count;
      acknowledged.set(thread, table, at);
    }
  }
}

/// Queries until told to stop; what was seen once never goes away.
std::uint64_t query_until(const marigram::Database& db, const std::atomic<bool>& done) {
  std::uint64_t queries = 0;
  for (std::uint64_t seen = 0; !done; ++queries) {
    const std::uint64_t rows = count_rows(db, kTables[0], kYear, kYear + kThreads * kQuarter);
    if (rows < seen) {
      std::fprintf(stderr, "rows vanished: %llu were there, %llu are\n", static_cast<unsigned long long>(seen),
                   static_cast<unsigned long long>(rows));
      std::exit(1);
    }
    seen = rows;
  }
  return queries;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: flights DATABASE flights.csv ACKNOWLEDGED\n", stderr), 2;
  const Flights flights = read_flights(argv[2]);
  Acknowledged acknowledged(argv[3]);
  marigram::Database db = check(marigram::Database::open(argv[1]));
  declare_tables(db);
  const Counts there = count_all(db);
  check_nothing_is_missing(there, acknowledged.counts);
  std::printf("replayed %llu rows in %.2f s; %llu were acknowledged, %llu are there, none is missing\n",
              static_cast<unsigned long long>(db.recovery().points), db.recovery().seconds,
              static_cast<unsigned long long>(sum(acknowledged.counts)), static_cast<unsigned long long>(sum(there)));
  std::fflush(stdout);

  std::atomic<bool> done = false;
  std::uint64_t queries = 0;
  std::thread reader([&] { queries = query_until(db, done); });
  {
    std::vector<std::jthread> writers;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      writers.emplace_back([&, thread] { write_rest(db, flights, there, acknowledged, thread); });
    }
  }
  done = true;
  reader.join();
  std::printf("%llu flights are in, written by %zu threads beside %llu queries\n",
              static_cast<unsigned long long>(sum(count_all(db))), kThreads, static_cast<unsigned long long>(queries));
  check(db.close());
}
