#include "table/rewrite.h"

#include "base/try.h"
#include "table/field_conditions.h"
#include "table/hidden_rows.h"
#include "table/segment_rewrite.h"

#include <arrow/api.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace marigram::table {
namespace {

/// Segments that must be rewritten together: in a table that rejects duplicates none concerns another.
std::vector<Cluster> inseparable_segments(const Engine& engine, const StatePtr& state) {
  const auto list = engine.segments(state);
  if (state->duplicates != Duplicates::kReject) return cut_where_none_overlaps(list->all());
  std::vector<Cluster> alone;
  alone.reserve(list->all().size());
  for (const SegmentPtr& segment : list->all()) alone.push_back({segment});
  return alone;
}

/// Whether one of the rows chosen is there.
Result<bool> has_rows(const SegmentRewrite& rewrite, const Cluster& cluster, const model::IndexSpec& index,
                      const RowSelection& choice) {
  const bool may = std::ranges::any_of(cluster, [&](const SegmentPtr& segment) {
    return segment_may_match(*segment, index, choice.from, choice.to, choice.where);
  });
  if (!may) return false;
  ScanRequest request{.from = choice.from, .to = choice.to, .columns = fields_of(choice.fields), .where = choice.where};
  request.columns.push_back(index.column);
  request.order = ScanOrder::kAny;
  if (choice.fields.empty()) request.limit = 1;
  MARIGRAM_ASSIGN(const ScanStream stream, rewrite.rows_of(cluster, request));
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return false;
    const std::vector<std::uint8_t> fulfils = fulfilling_rows(*batch, choice.fields);
    if (std::ranges::find(fulfils, 1) != fulfils.end()) return true;
  }
}

KeyColumns key_columns(const model::Schema& schema, const model::IndexSpec& index) {
  const auto position = [&](const std::string& name) {
    const auto found = std::ranges::find(schema.columns, name, &model::Column::name);
    return static_cast<int>(found - schema.columns.begin());
  };
  KeyColumns keys{.index = position(index.column), .tags = {}};
  for (const std::string& tag : index.tags) keys.tags.push_back(position(tag));
  return keys;
}

}  // namespace

Result<std::uint64_t> rewrite_without(Engine& engine, const RowSelection& choice) {
  while (true) {
    MARIGRAM_TRY(engine.refresh());
    const StatePtr state = engine.state();
    MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
    MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state));
    MARIGRAM_ASSIGN(HiddenRows chosen, HiddenRows::make(schema, index, choice.from, choice.to, {choice.where, {}}));
    const HiddenFilter filter(std::make_shared<const HiddenRows>(std::move(chosen)), key_columns(schema, index),
                              choice.fields);
    std::uint64_t removed = 0;
    const RowFilter without_chosen = [&](std::unique_ptr<BatchSource> rows) {
      return without_hidden(std::move(rows), filter, removed);
    };
    SegmentRewrite rewrite(engine, state);
    for (const Cluster& segments : inseparable_segments(engine, state)) {
      MARIGRAM_ASSIGN(const bool concerned, has_rows(rewrite, segments, index, choice));
      if (concerned) MARIGRAM_TRY(rewrite.replace(segments, is_cold(segments), {}, without_chosen));
    }
    if (rewrite.empty()) return 0;
    MARIGRAM_ASSIGN(const bool committed, rewrite.commit("remove_rows", true));
    if (committed) return removed;
  }
}

}  // namespace marigram::table
