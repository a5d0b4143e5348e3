// For tests: a database on disk that writes only when asked to, and all that it holds, to be compared.
#pragma once

#include "db/core.h"
#include "db/open.h"
#include "io/temporary_folder.h"

#include <marigram/database.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::db {

inline constexpr std::uint64_t kSmallLog = std::uint64_t{1} << 20;

template <typename Outcome>
void fine(const Outcome& outcome) {
  EXPECT_TRUE(outcome) << outcome.error().message;
}

/// A folder of its own; flushes and syncs are those of the test. Its files are compared: see kSmallLog.
class TestFolder {
 public:
  std::filesystem::path path() const { return folder_.path() / "db"; }
  Surroundings surroundings() const {
    Surroundings surroundings = surroundings_of(path().string()).value();
    surroundings.background = false;
    return surroundings;
  }

 private:
  io::TemporaryFolder folder_;
};

/// Bytes by path.
inline std::map<std::string, std::string> files_below(const std::filesystem::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string& bytes = files[std::filesystem::relative(entry.path(), root).string()];
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

struct TableContents {
  std::vector<std::string> columns;
  std::vector<std::string> tags;
  std::vector<Tags> series;
  std::vector<std::vector<Value>> rows;

  friend bool operator==(const TableContents&, const TableContents&) = default;
};

inline TableContents contents_of(const Database& db, const std::string& name_space, const std::string& table) {
  TableContents contents{.tags = db.list_tags(name_space, table).value(),
                         .series = db.list_tag_sets(name_space, table).value()};
  ArrowArrayStream stream;
  fine(db.query(name_space, table, {.order = ScanOrder::kSeries}, &stream));
  ArrowSchema schema;
  EXPECT_EQ(stream.get_schema(&stream, &schema), 0);
  for (std::int64_t i = 0; i < schema.n_children; ++i) contents.columns.emplace_back(schema.children[i]->name);
  schema.release(&schema);
  stream.release(&stream);
  auto rows = db.query(name_space, table, {.order = ScanOrder::kSeries});
  fine(rows);
  while (auto batch = rows->next().value()) {
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      std::vector<Value>& cells = contents.rows.emplace_back();
      for (std::size_t column = 0; column < batch->columns(); ++column) cells.push_back(batch->at(row, column));
    }
  }
  return contents;
}

/// All that can be asked of a database, and the bytes of its folder.
struct Contents {
  std::map<std::string, TableContents> tables;  // namespace.table
  std::map<std::string, std::string> files;
  std::uint64_t points_inserted = 0;
  std::uint64_t series = 0;

  friend bool operator==(const Contents&, const Contents&) = default;
  friend void PrintTo(const Contents& contents, std::ostream* out) {
    for (const auto& [name, table] : contents.tables) {
      *out << "\n"
           << name << ": " << table.series.size() << " series, " << table.rows.size() << " rows, tags "
           << ::testing::PrintToString(table.tags) << ", columns " << ::testing::PrintToString(table.columns);
    }
    *out << "\n" << contents.series << " series, " << contents.points_inserted << " points";
    for (const auto& [path, bytes] : contents.files) {
      *out << "\n" << path << " " << bytes.size() << " bytes, " << std::hash<std::string>()(bytes);
    }
  }
};

inline Contents contents_of(const Database& db, const std::filesystem::path& root) {
  Contents contents;
  const std::vector<std::string> name_spaces = db.list_namespaces().value();
  for (const std::string& name_space : name_spaces) {
    const std::vector<std::string> tables = db.list_series(name_space).value();
    for (const std::string& table : tables) {
      contents.tables[name_space + "." + table] = contents_of(db, name_space, table);
    }
  }
  contents.files = files_below(root);
  const DatabaseMetrics metrics = db.metrics();
  contents.points_inserted = metrics.points_inserted;
  contents.series = metrics.series;
  return contents;
}

}  // namespace marigram::db
