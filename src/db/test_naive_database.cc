// See test_naive_database.h.
#include "db/test_naive_database.h"

#include <algorithm>
#include <utility>

namespace marigram::db::testing {
namespace {

std::uint64_t apply(const Change& change, NaiveTable& table) {
  if (const auto* selection = std::get_if<Selection>(&change.what)) return table.remove(*selection);
  table.insert(std::get<NaiveRows>(change.what));
  return 0;
}

/// Of the first table that differs.
std::string difference(const Tables& want, const Tables& got) {
  for (const auto& [name, table] : want) {
    if (table != got.at(name)) return name + ": " + difference(table, got.at(name));
  }
  return "";
}

}  // namespace

void NaiveDatabase::inserted(const std::string& table, NaiveRows rows, Durability durability) {
  since_.push_back({.table = table, .what = std::move(rows), .logged = durability != Durability::kNone});
  apply(since_.back(), this->table(table));
  if (durability != Durability::kSync) return;
  for (Change& change : since_) change.lasting |= change.logged;
}

/// The table was flushed for it, which syncs the log unless there was nothing to flush.
std::uint64_t NaiveDatabase::removed(const std::string& table, const Selection& selection) {
  const auto in_memory = [&](const Change& change) { return change.table == table && !change.lasting; };
  const bool flushed = std::ranges::any_of(since_, in_memory);
  for (Change& change : since_) change.lasting |= change.table == table || (flushed && change.logged);
  since_.push_back({.table = table, .what = selection, .lasting = true});
  return apply(since_.back(), this->table(table));
}

void NaiveDatabase::flushed() {
  since_.clear();
  flushed_ = now_;
}

template <typename Happened>
Tables NaiveDatabase::tables_after(const std::vector<Change>& changes, Happened happened) const {
  Tables tables = flushed_;
  for (const Change& change : changes) {
    if (happened(change)) apply(change, table_of(tables, change.table));
  }
  return tables;
}

/// What lasts of a table is older than what may not, so the rest of the log comes after it.
bool NaiveDatabase::is_beginning_of_log(const std::vector<Change>& changes, Tables lasting, const Tables& found) const {
  if (lasting == found) return true;
  for (const Change& change : changes) {
    if (change.lasting || !change.logged) continue;
    apply(change, table_of(lasting, change.table));
    if (lasting == found) return true;
  }
  return false;
}

/// A flush syncs the whole log before, and makes segments of all that a table has in memory, or of nothing.
bool NaiveDatabase::is_amidst_flush(const std::vector<Change>& changes, const Change* under_way,
                                    const Tables& found) const {
  const auto in_log = [](const Change& change) { return change.lasting || change.logged; };
  const auto done = [&](const Change& change) { return &change != under_way; };
  const std::vector<Tables> outcomes = {
      tables_after(changes, in_log),
      tables_after(changes, [&](const Change& change) { return in_log(change) && done(change); }),
      tables_after(changes, done),
      tables_after(changes, [](const Change&) { return true; }),
  };
  return std::ranges::all_of(found, [&](const auto& entry) {
    return std::ranges::any_of(outcomes,
                               [&](const Tables& outcome) { return outcome.at(entry.first) == entry.second; });
  });
}

std::string NaiveDatabase::settle(Tables found, const UnderWay& under_way) {
  std::vector<Change> changes = std::exchange(since_, {});
  if (under_way.change) changes.push_back(*under_way.change);
  for (const auto& [name, table] : found) table_of(flushed_, name);
  const Tables lasting = tables_after(changes, [](const Change& change) { return change.lasting; });
  const Change* const last = under_way.change ? &changes.back() : nullptr;
  const bool explained =
      is_beginning_of_log(changes, lasting, found) || (under_way.flush && is_amidst_flush(changes, last, found));
  std::string wrong = explained ? "" : difference(lasting, found);
  flushed_.clear();
  for (auto& [name, table] : found) flushed_.emplace(name, NaiveTable(policy_, std::move(table)));
  now_ = flushed_;
  return wrong;
}

}  // namespace marigram::db::testing
