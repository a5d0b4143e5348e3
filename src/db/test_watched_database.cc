// See test_watched_database.h.
#include "db/test_watched_database.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <variant>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;

NaiveRow row_of(const Batch& batch, const std::vector<std::string>& names, std::size_t row) {
  NaiveRow naive;
  for (std::size_t column = 0; column < names.size(); ++column) {
    Value value = batch.at(row, column);
    if (const auto* time = std::get_if<Instant>(&value)) {
      naive.time_ns = time->seconds * 1'000'000'000 + time->nanos;
    } else if (is_tag(names[column])) {
      if (auto text = text_of(value); !text.empty()) naive.tags.push_back({.name = names[column], .value = text});
    } else if (!std::holds_alternative<std::monostate>(value)) {
      naive.fields.emplace_back(names[column], std::move(value));
    }
  }
  std::ranges::sort(naive.tags);
  std::ranges::sort(naive.fields);
  return naive;
}

Cells cells_of(const Batch& batch, std::size_t row) {
  Cells cells;
  cells.reserve(batch.columns());
  for (std::size_t column = 0; column < batch.columns(); ++column) cells.push_back(text_of(batch.at(row, column)));
  return cells;
}

/// Calls `take` with each batch of the answer.
template <typename Take>
Status ask(const Database& database, const std::string& table, const QueryRequest& request, Take take) {
  auto stream = database.query(kTenant, table, request);
  if (!stream) return std::unexpected(stream.error());
  for (;;) {
    const auto batch = stream->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) return {};
    take(**batch);
  }
}

}  // namespace

Result<NaiveRows> ask_for_rows(const Database& database, const std::string& table, const QueryRequest& request) {
  NaiveRows rows;
  const Status asked = ask(database, table, request, [&](const Batch& batch) {
    std::vector<std::string> names;
    names.reserve(batch.columns());
    for (std::size_t column = 0; column < batch.columns(); ++column) names.push_back(batch.column_name(column));
    for (std::size_t row = 0; row < batch.rows(); ++row) rows.push_back(row_of(batch, names, row));
  });
  if (!asked) return std::unexpected(asked.error());
  return rows;
}

Result<std::vector<Cells>> ask_for_cells(const Database& database, const std::string& table,
                                         const QueryRequest& request) {
  std::vector<Cells> cells;
  const Status asked = ask(database, table, request, [&](const Batch& batch) {
    for (std::size_t row = 0; row < batch.rows(); ++row) cells.push_back(cells_of(batch, row));
  });
  if (!asked) return std::unexpected(asked.error());
  return cells;
}

Result<Tables> contents_of(const Database& database) {
  Tables tables;
  for (const std::string& name : kTables) {
    NaiveTable& table = tables.try_emplace(name, Duplicates::kAll).first->second;
    const auto rows = ask_for_rows(database, name, {.order = ScanOrder::kSeries});
    if (!rows && rows.error().code != ErrorCode::kNotFound) return std::unexpected(rows.error());
    if (rows) table.insert(*rows);
  }
  return tables;
}

Status WatchedDatabase::note(const Status& status, UnderWay under_way, const std::function<void()>& done) {
  if (status) {
    done();
  } else {
    EXPECT_TRUE(is_struck()) << status.error().message;
    under_way_ = std::move(under_way);
  }
  return status;
}

Status WatchedDatabase::create(const std::string& table) {
  const TableOptions options{.time_column = "time",
                             .unit = TimeUnit::kNano,
                             .bucket = "1m",
                             .segments = options_.segments,
                             .duplicates = options_.duplicates,
                             .growing = true};
  return note(database_->create_table(kTenant, table, options), {}, [] {});
}

Status WatchedDatabase::insert(const std::string& table, std::span<const Row> rows, Durability durability) {
  const Status inserted = database_->insert_rows(kTenant, table, rows, durability);
  NaiveRows naive = naive_rows(rows);
  if (!inserted && inserted.error().code == ErrorCode::kOverlap && !model(table).takes(naive)) return inserted;
  if (!inserted && inserted.error().code == ErrorCode::kResourceExhausted && is_full()) return inserted;
  EXPECT_TRUE(!inserted || model(table).takes(naive)) << "rows were taken that should have been rejected";
  Change change{.table = table, .what = naive, .logged = durability != Durability::kNone};
  return note(inserted, {.change = std::move(change)}, [&] { model_.inserted(table, std::move(naive), durability); });
}

Status WatchedDatabase::remove(const std::string& table, const Selection& selection) {
  const auto removed = database_->remove(kTenant, table, selection);
  if (!removed && removed.error().code == ErrorCode::kNotFound && model(table).size() == 0) return {};
  const Status status = removed ? Status() : std::unexpected(removed.error());
  return note(status, {.change = Change{.table = table, .what = selection}, .flush = true},
              [&] { EXPECT_EQ(*removed, model_.removed(table, selection)); });
}

Status WatchedDatabase::flush() {
  return note(database_->flush(), {.flush = true}, [&] { model_.flushed(); });
}

Status WatchedDatabase::compact() {
  const auto compacted = database_->compact();
  return note(compacted ? Status() : std::unexpected(compacted.error()), {.flush = true}, [&] { model_.flushed(); });
}

Status WatchedDatabase::reopen() {
  const Status closed = note(database_->close(), {.flush = true}, [&] { model_.flushed(); });
  if (!closed) return closed;
  database_.reset();
  Status opened = note(open(), {}, [] {});
  EXPECT_TRUE(!opened || database_->recovery().points == 0);
  return opened;
}

/// The old one is closed on the old disk, and what becomes of that does not matter.
Status WatchedDatabase::move() {
  if (const Status flushed = flush(); !flushed) return flushed;
  const Status moved = note(disk_.move(), {}, [&] { armed_ = false; });
  return moved ? note(open(), {}, [] {}) : moved;
}

Status WatchedDatabase::open() {
  auto opened = disk_.open(options_);
  if (!opened) return std::unexpected(opened.error());
  database_ = std::move(*opened);
  return {};
}

/// A database that is let go is flushed, if the disk lets it.
void WatchedDatabase::put_down() {
  if (mode_ != Mode::kPowerCut && mode_ != Mode::kKill) under_way_.flush = true;
  database_.reset();
  if (mode_ == Mode::kPowerCut) disk_.restart();
  disk_.disk().disarm();
  armed_ = false;
}

std::string WatchedDatabase::settle() {
  auto found = contents_of(*database_);
  return found ? model_.settle(std::move(*found), std::exchange(under_way_, {})) : found.error().message;
}

void WatchedDatabase::recover(std::uint64_t shaken, std::uint64_t seed) {
  constexpr std::uint64_t kStepsOfOpening = 60;
  std::mt19937_64 random(seed);
  put_down();
  for (std::uint64_t i = 0; i < shaken; ++i) {
    arm(Mode::kPowerCut, random() % kStepsOfOpening, random());
    const Status opened = open();
    EXPECT_TRUE(opened || is_struck()) << opened.error().message;
    if (opened && !is_struck()) under_way_.flush = true;  // it is closed again
    put_down();
  }
  const Status opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(settle(), "");
}

void WatchedDatabase::expect_equal() {
  const auto contents = contents_of(*database_);
  ASSERT_TRUE(contents) << contents.error().message;
  for (const auto& [name, found] : *contents) EXPECT_EQ(difference(model(name), found), "") << name;
}

void WatchedDatabase::arm(Mode mode, std::uint64_t point, std::uint64_t seed) {
  armed_ = true;
  mode_ = mode;
  disk_.disk().arm(mode, point, seed);
}

}  // namespace marigram::db::testing
