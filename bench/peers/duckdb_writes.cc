// DuckDB's appender under the load of the write benches, row by row. `none` is a database in memory, and the appender
// hands rows over when it likes to (about every 200,000); `interval` is a transaction every 100 ms; in `sync` each
// batch is one, and DuckDB syncs its log at every commit.
#include "measure.h"
#include "write_load.h"

#include "duckdb_c.h"

#include <memory>
#include <string>
#include <vector>

namespace marigram::bench {
namespace {

void need(duckdb_state state, const char* what) {
  if (state != DuckDBSuccess) stop(std::string("cannot ") + what);
}

class DuckWriter : public Writer {
 public:
  DuckWriter(duckdb_database database, WriteDurability durability) : durability_(durability) {
    need(duckdb_connect(database, &connection_), "connect");
    need(duckdb_appender_create(connection_, nullptr, "points", &appender_), "make an appender");
    if (durability_ == WriteDurability::kInterval) execute("begin");
    for (std::size_t series = 0; series < kSeries; ++series) {
      hosts_.push_back(host_name(series));
      cpus_.push_back(cpu_name(series));
    }
  }
  ~DuckWriter() override {
    duckdb_appender_destroy(&appender_);
    duckdb_disconnect(&connection_);
  }

  void write(std::span<const Sample> batch) override {
    for (const Sample& sample : batch) append(sample);
    if (durability_ == WriteDurability::kSync) flush();
    if (durability_ == WriteDurability::kInterval && since_commit_.elapsed().wall_s * 1'000 > kSyncInterval.count()) {
      commit();
      execute("begin");
    }
  }
  void finish() override {
    if (durability_ == WriteDurability::kInterval) {
      commit();
    } else {
      flush();
    }
  }

 private:
  void append(const Sample& sample) const {
    const std::string& host = hosts_[sample.series];
    const std::string& cpu = cpus_[sample.series];
    duckdb_append_int64(appender_, sample.time_ns);
    duckdb_append_varchar_length(appender_, host.data(), host.size());
    duckdb_append_varchar_length(appender_, cpu.data(), cpu.size());
    duckdb_append_double(appender_, sample.value);
    need(duckdb_appender_end_row(appender_), "append a row");
  }
  void flush() const { need(duckdb_appender_flush(appender_), "flush the appender"); }
  void commit() {
    flush();
    execute("commit");
    since_commit_ = Stopwatch();
  }
  void execute(const char* sql) const { need(duckdb_query(connection_, sql, nullptr), sql); }

  WriteDurability durability_;
  duckdb_connection connection_ = nullptr;
  duckdb_appender appender_ = nullptr;
  Stopwatch since_commit_;
  std::vector<std::string> hosts_;
  std::vector<std::string> cpus_;
};

class DuckStore : public Store {
 public:
  explicit DuckStore(const Load& load) : durability_(load.durability) {
    const std::string path = (load.folder / "points.duckdb").string();
    need(duckdb_open(durability_ == WriteDurability::kNone ? nullptr : path.c_str(), &database_), "open a database");
    need(duckdb_connect(database_, &connection_), "connect");
    const char* const sql = "create table points (time bigint, host varchar, cpu varchar, value double)";
    need(duckdb_query(connection_, sql, nullptr), sql);
  }
  ~DuckStore() override {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }

  std::string setting() const override {
    switch (durability_) {
      case WriteDurability::kNone:
        return "in memory";
      case WriteDurability::kInterval:
        return "a transaction every 100 ms";
      case WriteDurability::kSync:
        return "a transaction a batch";
    }
    return "";
  }
  std::unique_ptr<Writer> writer() override { return std::make_unique<DuckWriter>(database_, durability_); }
  Totals totals() override {
    duckdb_result result{};
    need(duckdb_query(connection_, "select count(*), coalesce(sum(value), 0) from points", &result), "count");
    const Totals totals{.points = static_cast<std::uint64_t>(duckdb_value_int64(&result, 0, 0)),
                        .sum = duckdb_value_double(&result, 1, 0)};
    duckdb_destroy_result(&result);
    return totals;
  }

 private:
  WriteDurability durability_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run_write_load(
      argc, argv, [](const marigram::bench::Load& load) { return std::make_unique<marigram::bench::DuckStore>(load); });
}
