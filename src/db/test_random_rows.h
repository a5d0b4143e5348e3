// Rows, conditions and queries as nobody would think of them, but close enough together to meet.
#pragma once

#include <marigram/database.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace marigram::db::testing {

/// Not thread-safe.
class RandomRows {
 public:
  /// `sparse`: times so far apart that tables which reject duplicates have room for some.
  RandomRows(std::uint64_t seed, bool sparse) : random_(seed), sparse_(sparse) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

  std::string table() { return "t" + std::to_string(below(3)); }
  /// Of few series; most of the last minutes, some days late, or from before 1970.
  Row row();
  std::vector<Row> rows();
  std::vector<TagMatcher> where();
  Selection selection();
  /// For rows.
  QueryRequest rows_request(const std::set<std::string>& fields);
  /// For aggregates of one of these fields, or of two.
  QueryRequest aggregates_request(const std::set<std::string>& fields);
  Durability durability();

 private:
  std::int64_t time();
  Tags tags();
  std::vector<std::string> some_of(const std::set<std::string>& names, std::uint64_t most);
  void set_range(std::int64_t& from, std::int64_t& to);

  std::mt19937_64 random_;
  const bool sparse_;
};

/// Fields are of the type that their first letter says.
Value value_of(const std::string& field, std::uint64_t number);

}  // namespace marigram::db::testing
