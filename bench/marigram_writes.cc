// Ours under the load of the write benches, through the public API as an embedding program would: the points of a round
// are made once, and get their times and values for each batch.
#include "bench_support.h"
#include "load_points.h"

#include <marigram/database.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::bench {
namespace {

Durability durability_of(WriteDurability durability) {
  switch (durability) {
    case WriteDurability::kNone:
      return Durability::kNone;
    case WriteDurability::kInterval:
      return Durability::kInterval;
    case WriteDurability::kSync:
      return Durability::kSync;
  }
  return Durability::kSync;
}

class MarigramWriter : public Writer {
 public:
  explicit MarigramWriter(Database database) : database_(std::move(database)) {}

  void write(std::span<const Sample> batch) override {
    if (batch.size() == 1) {
      const Sample& sample = batch.front();
      need(database_.insert(kTenant, kTable, sample.time_ns, sample.value, points_[sample.series].tags));
      return;
    }
    for (const Sample& sample : batch) {
      Point& point = points_[sample.series];
      point.time_ns = sample.time_ns;
      point.value = sample.value;
    }
    need(database_.insert_batch(kTenant, kTable, points_));
  }

 private:
  Database database_;
  std::vector<Point> points_ = points_from(0);
};

class MarigramStore : public Store {
 public:
  explicit MarigramStore(const Load& load)
      : durability_(load.durability),
        database_(need(Database::open((load.folder / "database").string(),
                                      {.durability = durability_of(durability_), .sync_interval = kSyncInterval}))) {}

  std::string setting() const override {
    switch (durability_) {
      case WriteDurability::kNone:
        return "none";
      case WriteDurability::kInterval:
        return "interval of 100 ms";
      case WriteDurability::kSync:
        return "sync";
    }
    return "";
  }
  std::unique_ptr<Writer> writer() override { return std::make_unique<MarigramWriter>(database_); }
  Totals totals() override {
    return {.points = static_cast<std::uint64_t>(std::get<std::int64_t>(aggregate("count"))),
            .sum = std::get<double>(aggregate("sum"))};
  }

 private:
  Value aggregate(const std::string& kind) const {
    BatchStream rows = need(database_.query(kTenant, kTable, {.aggregate = kind}));
    const auto batch = need(rows.next());
    if (!batch) stop("cannot read the " + kind + ": no rows");
    for (std::size_t column = 0; column < batch->columns(); ++column) {
      if (batch->column_name(column) == "value") return batch->at(0, column);
    }
    stop("cannot read the " + kind + ": no such column");
  }

  WriteDurability durability_;
  Database database_;
};

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run_write_load(argc, argv, [](const marigram::bench::Load& load) {
    return std::make_unique<marigram::bench::MarigramStore>(load);
  });
}
