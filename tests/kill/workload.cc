#include "workload.h"

#include <cstddef>
#include <random>
#include <utility>
#include <variant>

namespace marigram::kill {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kHourSeconds = 3'600;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kNow = 1'780'000'000;  // seconds; the newest hour ends here
constexpr std::uint64_t kRowsMax = 50;

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint32_t writer, std::uint64_t number) {
    std::seed_seq seeds{seed, seed >> 32, std::uint64_t{writer}, number};
    random_.seed(seeds);
  }
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

Row make_row(Dice& dice, std::uint32_t writer) {
  Row row{.time_ns = (kNow - dice.below(kHourSeconds)) * kSecondNs};
  if (dice.one_in(8)) row.time_ns -= dice.below(2 * kDaySeconds) * kSecondNs;
  row.tags = {{.name = std::string(kWriterTag), .value = std::to_string(writer)},
              {.name = "host", .value = "h" + std::to_string(dice.below(4))}};
  if (dice.one_in(2)) row.tags.push_back({.name = "core", .value = std::to_string(dice.below(2))});
  return row;
}

/// The fields say which row it is.
void add_fields(Dice& dice, std::uint64_t number, std::size_t position, Row& row) {
  row.fields.emplace_back("batch", static_cast<std::int64_t>(number));
  row.fields.emplace_back("row", static_cast<std::uint64_t>(position));
  row.fields.emplace_back("even", position % 2 == 0);
  if (!dice.one_in(4)) row.fields.emplace_back("note", "batch " + std::to_string(number));
  row.fields.emplace_back("extra" + std::to_string(number % 5), 0.5 * static_cast<double>(position));
}

}  // namespace

Batch make_batch(std::uint64_t seed, std::uint32_t writer, std::uint64_t number) {
  Dice dice(seed, writer, number);
  Batch batch{.table = dice.one_in(2) ? kManies : kSingles, .rows = {}};
  const auto rows = static_cast<std::size_t>(dice.one_in(3) ? 1 : 1 + dice.below(kRowsMax));
  batch.rows.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    Row row = make_row(dice, writer);
    if (batch.table == kManies) {
      add_fields(dice, number, i, row);
    } else {
      row.fields.emplace_back("value", static_cast<double>(number * (kRowsMax + 1) + i));
    }
    batch.rows.push_back(std::move(row));
  }
  return batch;
}

Status insert(Database& database, const Batch& batch, std::optional<Durability> durability) {
  if (batch.table == kManies) return database.insert_rows(kTenant, batch.table, batch.rows, durability);
  if (batch.rows.size() == 1) {
    const Row& row = batch.rows.front();
    const double value = std::get<double>(row.fields.front().second);
    return database.insert(kTenant, batch.table, row.time_ns, value, row.tags, durability);
  }
  std::vector<Point> points;
  points.reserve(batch.rows.size());
  for (const Row& row : batch.rows) {
    points.push_back({.time_ns = row.time_ns, .value = row.fields.front().second, .tags = row.tags});
  }
  return database.insert_batch(kTenant, batch.table, points, durability);
}

}  // namespace marigram::kill
