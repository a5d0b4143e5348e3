// A table as a map of rows: slow, and so simple that it is right. Databases are compared with it.
#pragma once

#include <marigram/database.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {

using Fields = std::vector<std::pair<std::string, Value>>;  // sorted, without nulls

struct NaiveRow {
  std::int64_t time_ns = 0;
  Tags tags = {};  // sorted, none empty
  Fields fields = {};

  friend bool operator==(const NaiveRow&, const NaiveRow&) = default;
  friend auto operator<=>(const NaiveRow&, const NaiveRow&) = default;
};
using NaiveRows = std::vector<NaiveRow>;
void PrintTo(const NaiveRow& row, std::ostream* out);

NaiveRows naive_rows(std::span<const Row> rows);
/// As it is, integers in digits, floats as short as they can be, nulls and absent tags as nothing.
std::string text_of(const Value& value);
/// Of the columns of a table: tags have names of one letter.
bool is_tag(const std::string& column);
bool matches(const std::vector<TagMatcher>& where, const Tags& tags);

/// Cells as text, in the order of the columns: the tags of `by`, the start of the bucket if there are some, the fields.
using Cells = std::vector<std::string>;

class NaiveTable {
 public:
  explicit NaiveTable(Duplicates policy) : policy_(policy) {}
  /// The rows of another.
  NaiveTable(Duplicates policy, NaiveTable rows) : policy_(policy), series_(std::move(rows.series_)) {}

  /// Whether the table takes these rows together.
  bool takes(std::span<const NaiveRow> rows) const;
  void insert(std::span<const NaiveRow> rows);
  /// Returns how many rows were there.
  std::uint64_t remove(const Selection& selection);
  std::size_t size() const;

  /// What a query must return that asks for rows. `tags`: the order in which the table has them.
  NaiveRows rows(const QueryRequest& request, const std::vector<std::string>& tags) const;
  /// What one must return that names count, sum, min, max, first or last; the latter two with `by_series` only.
  std::vector<Cells> aggregates(const QueryRequest& request, const std::vector<std::string>& tags) const;

  friend bool operator==(const NaiveTable& a, const NaiveTable& b) { return a.series_ == b.series_; }

 private:
  using Times = std::map<std::int64_t, std::vector<Fields>>;  // of equal times in order of arrival

  Duplicates policy_;
  std::map<Tags, Times> series_;  // none without rows
};

/// What is wrong with `got`; empty: nothing.
std::string difference(const NaiveTable& want, const NaiveTable& got);

}  // namespace marigram::db::testing
