// SQLite under the load of the write benches: one table in a file with a write-ahead log, a prepared insert, a
// transaction a batch. Only one connection can write at a time, so threads take turns by a mutex: its own way, to sleep
// and try again, is slower.
#include "measure.h"
#include "write_load.h"

#include <sqlite3.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace marigram::bench {
namespace {

class Connection {
 public:
  Connection(const std::string& path, const std::string& synchronous) {
    check(sqlite3_open(path.c_str(), &database_));
    execute("pragma journal_mode = wal");
    execute("pragma synchronous = " + synchronous);
  }
  ~Connection() { sqlite3_close_v2(database_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const std::string& sql) const { check(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr));
    return statement;
  }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) stop(sqlite3_errmsg(database_));
  }

 private:
  sqlite3* database_ = nullptr;
};

class Statement {
 public:
  Statement(const Connection& connection, const std::string& sql)
      : connection_(&connection), statement_(connection.prepare(sql)) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  sqlite3_stmt* get() const { return statement_; }
  void step() const { connection_->check(sqlite3_step(statement_)); }
  void run() const {
    step();
    connection_->check(sqlite3_reset(statement_));
  }

 private:
  const Connection* connection_;
  sqlite3_stmt* statement_;
};

std::string synchronous(WriteDurability durability) {
  switch (durability) {
    case WriteDurability::kNone:
      return "off";
    case WriteDurability::kInterval:
      return "normal";  // synced when the log is copied to the database, every 1,000 pages
    case WriteDurability::kSync:
      return "full";
  }
  return "";
}

class SqliteWriter : public Writer {
 public:
  SqliteWriter(const std::string& path, WriteDurability durability, std::mutex& turn)
      : turn_(&turn), connection_(path, synchronous(durability)) {
    for (std::size_t series = 0; series < kSeries; ++series) {
      hosts_.push_back(host_name(series));
      cpus_.push_back(cpu_name(series));
    }
  }

  void write(std::span<const Sample> batch) override {
    const std::lock_guard lock(*turn_);
    begin_.run();
    for (const Sample& sample : batch) {
      sqlite3_stmt* const insert = insert_.get();
      sqlite3_bind_int64(insert, 1, sample.time_ns);
      bind_text(insert, 2, hosts_[sample.series]);
      bind_text(insert, 3, cpus_[sample.series]);
      sqlite3_bind_double(insert, 4, sample.value);
      insert_.run();
    }
    commit_.run();
  }

 private:
  static void bind_text(sqlite3_stmt* statement, int position, const std::string& text) {
    sqlite3_bind_text(statement, position, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }

  std::mutex* turn_;
  Connection connection_;
  Statement begin_{connection_, "begin immediate"};
  Statement insert_{connection_, "insert into points values (?, ?, ?, ?)"};
  Statement commit_{connection_, "commit"};
  std::vector<std::string> hosts_;
  std::vector<std::string> cpus_;
};

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const Load& load)
      : path_((load.folder / "points.sqlite").string()), durability_(load.durability), connection_(path_, "full") {
    connection_.execute("create table points (time integer, host text, cpu text, value real)");
  }

  std::string setting() const override { return "WAL, synchronous = " + synchronous(durability_); }
  std::unique_ptr<Writer> writer() override { return std::make_unique<SqliteWriter>(path_, durability_, turn_); }
  Totals totals() override {
    const Statement query(connection_, "select count(*), sum(value) from points");
    query.step();
    return {.points = static_cast<std::uint64_t>(sqlite3_column_int64(query.get(), 0)),
            .sum = sqlite3_column_double(query.get(), 1)};
  }

 private:
  std::string path_;
  WriteDurability durability_;
  Connection connection_;
  std::mutex turn_;
};

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run_write_load(argc, argv, [](const marigram::bench::Load& load) {
    return std::make_unique<marigram::bench::SqliteStore>(load);
  });
}
