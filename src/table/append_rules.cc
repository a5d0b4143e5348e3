#include "table/append_rules.h"

#include "base/try.h"
#include "table/append_commit.h"

#include <fmt/format.h>

#include <variant>

namespace marigram::table {

std::unexpected<Error> no_rows(const std::string& what) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot append {}: it holds no rows", what));
}

segment::CoverageBuilder::Duplicates duplicates_of(const log::TableState& state) {
  const bool one = state.dialect() == Dialect::kV7 && state.duplicates == Duplicates::kReject;
  return one ? segment::CoverageBuilder::Duplicates::kReject : segment::CoverageBuilder::Duplicates::kAllow;
}

std::unexpected<Error> several_series() {
  return fail(ErrorCode::kInvalidInput,
              "cannot append rows: a v1 table holds one series, and these rows belong to several; use dialect v7");
}

Result<std::optional<SeriesKey>> single_series(const log::TableState& state, const model::SegmentLayout& layout) {
  if (state.dialect() != Dialect::kV1 || state.meta->index->tags.empty()) return std::nullopt;
  if (const auto* series = std::get_if<SeriesKey>(&layout)) {
    MARIGRAM_TRY(check_pinned_series(state, *series));
    return *series;
  }
  return several_series();
}

bool lost_schema_race(const Result<AppendResult>& result, const Alignment& alignment) {
  return !result && result.error().code == ErrorCode::kSchemaMismatch && alignment.adopts();
}

}  // namespace marigram::table
