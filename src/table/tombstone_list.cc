#include "table/tombstone_list.h"

#include "base/try.h"
#include "model/series_set.h"
#include "table/coverage_files.h"
#include "table/engine.h"
#include "table/scan.h"

#include <algorithm>
#include <string>
#include <utility>

namespace marigram::table {

bool may_have_tombstones(const log::TableState& state) {
  const auto is_ours = [](const std::string& feature) { return feature.starts_with("marigram_"); };
  return state.dialect() == Dialect::kV7 && std::ranges::any_of(state.meta->reader_features, is_ours);
}

bool may_hide(const model::Tombstone& tombstone, const model::SegmentMeta& segment, const model::IndexSpec& index) {
  if (segment.rank.rank > tombstone.rank) return false;
  if (!segment_may_match(segment, index, tombstone.from, tombstone.to, tombstone.where)) return false;
  const auto* const series = std::get_if<SeriesKey>(&segment.layout);
  return series == nullptr || tombstone.series().has(*series, index);
}

Result<std::shared_ptr<const TombstoneList>> TombstoneList::load(const io::ObjectStore& store,
                                                                 const log::TableState& state) {
  auto list = std::make_shared<TombstoneList>();
  if (state.tombstones.empty()) return list;
  MARIGRAM_ASSIGN(list->index_, require_index(state));
  MARIGRAM_ASSIGN(const model::Schema schema, require_schema(state));
  for (const auto& [name, tombstone] : state.tombstones) {
    std::shared_ptr<const coverage::CoverageMap> points;
    if (tombstone->points_path) {
      MARIGRAM_ASSIGN(auto map,
                      read_coverage_file(store, state, coverage::FileRole::kSegment, *tombstone->points_path));
      points = std::make_shared<const coverage::CoverageMap>(std::move(map));
    }
    MARIGRAM_ASSIGN(HiddenRows rows, HiddenRows::make(schema, list->index_, tombstone->from, tombstone->to,
                                                      tombstone->series(), std::move(points)));
    list->loaded_.push_back({tombstone, std::move(rows)});
  }
  return list;
}

std::shared_ptr<const HiddenRows> TombstoneList::of(const model::SegmentMeta& segment) const {
  std::shared_ptr<HiddenRows> hidden;
  for (const Loaded& loaded : loaded_) {
    if (!may_hide(*loaded.tombstone, segment, index_)) continue;
    if (!hidden) {
      hidden = std::make_shared<HiddenRows>(loaded.rows);
    } else {
      hidden->add(loaded.rows);
    }
  }
  return hidden;
}

}  // namespace marigram::table
