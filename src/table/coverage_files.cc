#include "table/coverage_files.h"

#include "base/try.h"
#include "table/engine.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace marigram::table {
namespace {

/// Takes away the tags that a table got after it wrote the file of that hash; false if no such file is there.
bool make_index_of_file(model::IndexSpec& index, const log::TableState& state, coverage::FileRole role,
                        const std::string& hash, std::string_view bytes) {
  while (hash != coverage::file_hash(state.dialect(), index, role, bytes)) {
    if (!state.meta->grows() || index.tags.empty()) return false;
    index.tags.pop_back();
  }
  return true;
}

}  // namespace

Result<coverage::CoverageMap> read_coverage_file(const io::ObjectStore& store, const log::TableState& state,
                                                 coverage::FileRole role, const std::string& path) {
  MARIGRAM_ASSIGN(model::IndexSpec index, require_index(state));
  const std::size_t tags = index.tags.size();
  MARIGRAM_ASSIGN(const io::ObjectContent content, store.read(path));
  const auto named = coverage::hash_in_path(path);
  if (named && !make_index_of_file(index, state, role, *named, content.bytes)) {
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot use coverage file {}: its content does not match the hash in its name; the file is "
                            "damaged or belongs to another table; run `marigram verify --repair`",
                            path));
  }
  auto map = coverage::decode(state.dialect(), index, content.bytes);
  if (map && state.meta->grows()) coverage::fill_absent_tags(*map, tags);
  if (map) return map;
  return fail(map.error().code, fmt::format("cannot use coverage file {}: {}", path, map.error().message));
}

std::optional<std::string> bytes_of_coverage_file(const log::TableState& state, coverage::FileRole role,
                                                  const std::string& path, const coverage::CoverageMap& map) {
  const auto named = coverage::hash_in_path(path);
  model::IndexSpec index = *state.meta->index;
  coverage::CoverageMap said = map;
  while (true) {
    std::string bytes = coverage::encode(state.dialect(), index, said);
    if (!named || *named == coverage::file_hash(state.dialect(), index, role, bytes)) return bytes;
    if (!state.meta->grows() || index.tags.empty() || !coverage::drop_absent_tag(said)) return std::nullopt;
    index.tags.pop_back();
  }
}

Result<coverage::CoverageMap> union_of_sidecars(const io::ObjectStore& store, const log::TableState& state) {
  const auto read = [&](const std::optional<std::string>& path,
                        const std::string& of) -> Result<coverage::CoverageMap> {
    auto map = path ? read_coverage_file(store, state, coverage::FileRole::kSegment, *path)
                    : fail(ErrorCode::kNotFound, "the segment has no coverage file");
    if (map) return map;
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot recover the coverage of table {} from its segments: {}: {}; run `marigram verify "
                            "--repair` to compute it from the data",
                            store.name(), of, map.error().message));
  };
  // What a tombstone emptied is empty of the segments up to its rank.
  std::multimap<std::uint64_t, const model::SegmentMeta*> segments;
  for (const auto& [key, segment] : state.segments) segments.emplace(segment->rank.rank, segment.get());
  std::multimap<std::uint64_t, const model::Tombstone*> tombstones;
  for (const auto& [name, tombstone] : state.tombstones) tombstones.emplace(tombstone->rank, tombstone.get());
  coverage::CoverageMap all;
  auto next = segments.begin();
  const auto unite_up_to = [&](std::uint64_t rank) -> Status {
    for (; next != segments.end() && next->first <= rank; ++next) {
      MARIGRAM_ASSIGN(const auto map, read(next->second->coverage_path, "segment " + next->second->path));
      coverage::unite(all, map);
    }
    return {};
  };
  for (const auto& [rank, tombstone] : tombstones) {
    MARIGRAM_TRY(unite_up_to(rank));
    if (!tombstone->emptied_path) continue;
    MARIGRAM_ASSIGN(const auto map, read(tombstone->emptied_path, "a tombstone"));
    coverage::subtract(all, map);
  }
  MARIGRAM_TRY(unite_up_to(UINT64_MAX));
  return all;
}

Result<coverage::CoverageMap> load_table_coverage(const io::ObjectStore& store, const log::TableState& state) {
  if (state.coverage) {
    auto map = read_coverage_file(store, state, coverage::FileRole::kTable, state.coverage->path);
    if (map) return map;
    const ErrorCode code = map.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kCorruption) return map;
  }
  return union_of_sidecars(store, state);
}

CoverageFile make_segment_coverage(const log::TableState& state, const coverage::CoverageMap& map,
                                   const std::string& attempt) {
  const Dialect dialect = state.dialect();
  const model::IndexSpec& index = *state.meta->index;
  std::string bytes = coverage::encode(dialect, index, map);
  const std::string hash = coverage::file_hash(dialect, index, coverage::FileRole::kSegment, bytes);
  return {coverage::segment_file_path(dialect, hash, attempt), std::move(bytes)};
}

CoverageFile make_table_coverage(const log::TableState& state, const coverage::CoverageMap& map, std::uint64_t version,
                                 const std::string& attempt) {
  const Dialect dialect = state.dialect();
  const model::IndexSpec& index = *state.meta->index;
  std::string bytes = coverage::encode(dialect, index, map);
  const std::string hash = coverage::file_hash(dialect, index, coverage::FileRole::kTable, bytes);
  return {coverage::table_file_path(dialect, version, hash, attempt), std::move(bytes)};
}

Status put_coverage_file(io::ObjectStore& store, const CoverageFile& file) {
  auto put = store.put(file.path, file.bytes, io::PutCondition::if_absent());
  if (put || put.error().code == ErrorCode::kAlreadyExists) return {};
  return std::unexpected(std::move(put).error());
}

}  // namespace marigram::table
