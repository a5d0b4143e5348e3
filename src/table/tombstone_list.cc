#include "table/tombstone_list.h"

#include "base/try.h"
#include "table/coverage_files.h"
#include "table/engine.h"
#include "table/scan.h"

#include <utility>

namespace marigram::table {

bool may_hide(const model::Tombstone& tombstone, const model::SegmentMeta& segment, const model::IndexSpec& index) {
  return segment.rank.rank <= tombstone.rank &&
         segment_may_match(segment, index, tombstone.from, tombstone.to, tombstone.where);
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
    const RowSelection choice{.from = tombstone->from, .to = tombstone->to, .where = tombstone->where};
    MARIGRAM_ASSIGN(HiddenRows rows, HiddenRows::make(schema, list->index_, choice, std::move(points)));
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
