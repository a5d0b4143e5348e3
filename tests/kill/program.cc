// The process that is killed, and the one that looks afterwards what is left:
//
//   kill_program write DB ORACLE SEED POLICY     opens DB and inserts until it is killed; '.' on standard output: about
//                                                to open it; '!': open; '/': flushed
//   kill_program look DB ORACLE SEED POLICY      opens it, compares, notes the fates of batches that were under way,
//                                                and ends without closing: all of the log is replayed again next time
//   kill_program check DB ORACLE SEED POLICY     the same, but flushes, compares again and closes
//
// MARIGRAM_KILL_PLANTED=1 plants a defect: what is in memory only is noted as acknowledged.
#include "checker.h"
#include "oracle.h"
#include "workload.h"

#include <marigram/database.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace marigram::kill {
namespace {

constexpr std::uint64_t kBatchesAFlush = 20;
constexpr std::uint64_t kBatchesACompaction = 200;

struct Arguments {
  std::string command;
  std::string database;
  std::string oracle;
  std::uint64_t seed = 0;
  Duplicates policy = Duplicates::kAll;
};

/// Flushes happen all the time, and the thread that makes them looks often. Files of the log are so small that one is
/// full, cut and recycled every few batches.
DatabaseOptions options(const Arguments& arguments) {
  DatabaseOptions options;
  options.durability = Durability::kSync;
  options.sync_interval = std::chrono::milliseconds(5);
  options.flush_bytes = std::uint64_t{96} << 10;
  options.log_file_bytes = std::uint64_t{16} << 10;
  options.duplicates = arguments.policy;
  options.segments = arguments.seed % 2 == 0 ? SegmentFormat::kNative : SegmentFormat::kParquet;
  return options;
}

[[noreturn]] void give_up(std::string_view what, const Error& error) {
  std::cerr << what << ": " << error.message << std::endl;
  ::_exit(1);
}

template <typename Outcome>
void expect_done(std::string_view what, const Outcome& status) {
  if (!status) give_up(what, status.error());
}

Database open(const Arguments& arguments) {
  auto database = Database::open(arguments.database, options(arguments));
  if (!database) give_up("cannot open", database.error());
  return std::move(*database);
}

/// One of the writers also flushes and compacts, so that the process is killed in the middle of that too.
void insert_for_ever(Database database, const Arguments& arguments, const Oracle& oracle, std::uint32_t writer,
                     std::uint64_t number) {
  std::optional<Durability> durability;
  if (std::getenv("MARIGRAM_KILL_PLANTED") != nullptr) durability = Durability::kNone;
  for (;; ++number) {
    expect_done("cannot insert", insert(database, make_batch(arguments.seed, writer, number), durability));
    oracle.ack(writer, number);
    if (writer == 0 && number % kBatchesAFlush == 0) {
      expect_done("cannot flush", database.flush());
      std::cout << '/' << std::flush;
    }
    if (writer == 0 && number % kBatchesACompaction == 0) expect_done("cannot compact", database.compact());
  }
}

int write(const Arguments& arguments, const Database& database, const Records& records, const Oracle& oracle) {
  std::vector<std::jthread> writers;
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] { insert_for_ever(database, arguments, oracle, writer, records[writer].next); });
  }
  return 0;
}

Fates compare(const Database& database, const Arguments& arguments, const Records& records, std::string_view when) {
  const auto verdict = check(database, arguments.seed, arguments.policy, records);
  if (!verdict) give_up("cannot check", verdict.error());
  if (!verdict->wrong.empty()) {
    std::cerr << when << ": " << verdict->wrong << std::flush;
    ::_exit(2);
  }
  const RecoveryReport& recovery = database.recovery();
  std::cout << when << ": " << verdict->rows << " rows; replayed " << recovery.batches << " batches, cut "
            << recovery.cut_bytes << " bytes\n";
  return verdict->kept;
}

int look(const Arguments& arguments, Database& database, const Records& records, const Oracle& oracle) {
  const Fates kept = compare(database, arguments, records, "after recovery");
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    if (kept.at(writer)) {
      oracle.kept(writer, records.at(writer).next);
    } else {
      oracle.gone(writer, records.at(writer).next);
    }
  }
  if (arguments.command == "look") {
    std::cout << std::flush;
    ::_exit(0);
  }
  expect_done("cannot flush", database.flush());
  compare(database, arguments, read_oracle(arguments.oracle), "after a flush");
  expect_done("cannot close", database.close());
  return 0;
}

int run(const Arguments& arguments) {
  const Records records = read_oracle(arguments.oracle);
  std::cout << '.' << std::flush;
  Database database = open(arguments);
  std::cout << '!' << std::flush;
  const Oracle oracle(arguments.oracle);
  return arguments.command == "write" ? write(arguments, database, records, oracle)
                                      : look(arguments, database, records, oracle);
}

}  // namespace
}  // namespace marigram::kill

int main(int count, char** words) {
  using marigram::Duplicates;
  const std::vector<std::string> arguments(words, words + count);
  if (arguments.size() != 6) {
    std::cerr << "want: kill_program write|check DB ORACLE SEED all|last\n";
    return 64;
  }
  const marigram::kill::Arguments parsed{.command = arguments[1],
                                         .database = arguments[2],
                                         .oracle = arguments[3],
                                         .seed = std::stoull(arguments[4]),
                                         .policy = arguments[5] == "all" ? Duplicates::kAll : Duplicates::kLast};
  return marigram::kill::run(parsed);
}
