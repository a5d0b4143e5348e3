// Test support: tables that the two reference implementations wrote (tests/data), read just far enough to test
// coverage.
#pragma once

#include "base/bucket_width.h"
#include "model/index.h"

#include <marigram/table.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace marigram::coverage::test {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

inline BucketWidth read_bucket(const nlohmann::json& bucket) {
  const std::map<std::string, BucketWidth::Unit> units = {{"Seconds", BucketWidth::Unit::kSecond},
                                                          {"Minutes", BucketWidth::Unit::kMinute},
                                                          {"Hours", BucketWidth::Unit::kHour},
                                                          {"Days", BucketWidth::Unit::kDay}};
  return {.count = bucket.front().get<std::uint32_t>(), .unit = units.at(bucket.items().begin().key())};
}

inline model::IndexKind read_kind(const nlohmann::json& kind) {
  const auto type = kind.at("type").get<std::string>();
  const nlohmann::json& step = kind.at("index_granularity");
  if (type == "int64") return model::Int64Index{step.get<std::uint64_t>()};
  if (type == "uint64") return model::UInt64Index{step.get<std::uint64_t>()};
  model::TimestampIndex index{.bucket = read_bucket(step), .timezone = {}};
  if (kind.contains("timezone")) index.timezone = kind["timezone"].get<std::string>();
  return index;
}

inline model::IndexSpec read_index(Dialect dialect, const nlohmann::json& spec) {
  const auto tags = spec.value("entity_columns", std::vector<std::string>());
  if (dialect == Dialect::kV7) return {spec.at("column").get<std::string>(), tags, read_kind(spec.at("kind"))};
  model::TimestampIndex index{.bucket = read_bucket(spec.at("bucket")), .timezone = {}};
  if (spec.contains("timezone")) index.timezone = spec["timezone"].get<std::string>();
  return {spec.at("timestamp_column").get<std::string>(), tags, index};
}

/// One table of tests/data.
struct Fixture {
  Dialect dialect = Dialect::kV1;
  std::string name;
  std::filesystem::path folder;
  nlohmann::json expected;
  model::IndexSpec index;
  std::string snapshot;                              // path of the table's coverage; empty if none
  std::map<std::string, std::string> live_coverage;  // live segment → path of its coverage

  std::vector<std::string> coverage_files() const {
    std::vector<std::string> files;
    if (!std::filesystem::exists(folder / "_coverage")) return files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "_coverage")) {
      if (entry.is_regular_file()) files.push_back(std::filesystem::relative(entry.path(), folder).generic_string());
    }
    std::ranges::sort(files);
    return files;
  }

  /// Files that the makers of the fixture damaged on purpose.
  bool is_damaged(const std::string& file) const {
    return (name == "snapshot_corrupt" || name == "snapshot_truncated") && file == snapshot;
  }
};

inline void apply(Fixture& fixture, const nlohmann::json& action) {
  if (action.contains("UpdateTableMeta")) {
    fixture.index = read_index(fixture.dialect, action["UpdateTableMeta"]["kind"]["TimeSeries"]);
  } else if (action.contains("AddSegment")) {
    const nlohmann::json& segment = action["AddSegment"];
    fixture.live_coverage[segment.at("path")] = segment.at("coverage_path");
  } else if (action.contains("RemoveSegment")) {
    fixture.live_coverage.erase(action["RemoveSegment"].at("path"));
  } else if (action.contains("UpdateTableCoverage")) {
    fixture.snapshot = action["UpdateTableCoverage"].at("coverage_path");
  }
}

inline Fixture read_fixture(Dialect dialect, const std::filesystem::path& folder) {
  Fixture fixture{.dialect = dialect,
                  .name = folder.filename().string(),
                  .folder = folder,
                  .expected = read_json(folder / "expected.json"),
                  .index = {},
                  .snapshot = {},
                  .live_coverage = {}};
  const int current = std::stoi(read_file(folder / "_timeseries_log" / "CURRENT"));
  for (int version = 1; version <= current; ++version) {
    std::string file = std::to_string(version) + ".json";
    file.insert(0, 15 - file.size(), '0');
    const nlohmann::json commit = read_json(folder / "_timeseries_log" / file);
    for (const nlohmann::json& action : commit["actions"]) apply(fixture, action);
  }
  return fixture;
}

inline std::vector<Fixture> read_fixtures() {
  const std::filesystem::path data = std::filesystem::path(MARIGRAM_SOURCE_DIR) / "tests" / "data";
  std::vector<Fixture> fixtures;
  for (const auto& [dialect, folder] : {std::pair{Dialect::kV1, "tstable-0.2.2"}, {Dialect::kV7, "tstable-0.9.0"}}) {
    for (const auto& entry : std::filesystem::directory_iterator(data / folder)) {
      if (entry.is_directory()) fixtures.push_back(read_fixture(dialect, entry.path()));
    }
  }
  return fixtures;
}

}  // namespace marigram::coverage::test
