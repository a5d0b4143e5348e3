// Coverage files of both dialects and calendars: whatever the bytes, an error or a value that is fit for use.
//
// The first byte says what the rest is: a v1 bitmap, a v7 treemap, a v7 file of one or two tags, or a calendar.
#include "base/bucket_width.h"
#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "coverage/calendar.h"
#include "coverage/coverage_map.h"
#include "coverage/queries.h"
#include "model/index.h"

#include <marigram/table.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using marigram::Dialect;
using marigram::Instant;
using marigram::coverage::BucketGrid;
using marigram::coverage::BucketSet;
using marigram::coverage::Calendar;
using marigram::coverage::IdRange;

void require(bool holds) {
  if (!holds) std::abort();
}

marigram::model::IndexSpec index_with(std::vector<std::string> tags) {
  return {.column = "ts",
          .tags = std::move(tags),
          .kind = marigram::model::TimestampIndex{.bucket = marigram::BucketWidth{}, .timezone = {}}};
}

/// A set that was read must answer without contradicting itself. Its size bounds the work.
void ask(const BucketSet& set) {
  const IdRange all{.first = 0, .last = UINT64_MAX};
  std::uint64_t ids = 0;
  for (const IdRange& run : set.runs_in(all)) {
    require(run.first <= run.last && set.contains(run.first) && set.contains(run.last));
    ids += run.count();
  }
  require(ids == set.size() && ids == set.size_in(all) && set.empty() == (ids == 0));
  const auto cover = marigram::coverage::cover_range(set, all, nullptr, 1);
  require(cover.covered == ids && cover.gaps == set.gaps_in(all));
  const auto window = marigram::coverage::last_covered_window(set, UINT64_MAX, 1, nullptr);
  require(window.has_value() == !set.empty() && (!window || window->last == set.max()));
}

void fuzz_file(Dialect dialect, const marigram::model::IndexSpec& index, std::string_view bytes) {
  const auto map = marigram::coverage::decode(dialect, index, bytes);
  if (!map) return;
  for (const auto& [series, set] : *map) ask(set);
  const std::string again = marigram::coverage::encode(dialect, index, *map);
  const auto second = marigram::coverage::decode(dialect, index, again);
  require(second && *second == *map && marigram::coverage::encode(dialect, index, *second) == again);
}

void fuzz_calendar(std::string_view json) {
  const auto calendar = Calendar::parse(json);
  if (!calendar) return;
  const Instant from{.seconds = 1'700'000'000};
  const Instant to{.seconds = 1'720'000'000};
  const auto sessions = calendar->sessions(from, to);
  require(sessions.has_value());
  for (std::size_t i = 0; i < sessions->size(); ++i) {
    const auto& session = (*sessions)[i];
    require(from <= session.open && session.open < session.close && session.close <= to);
    require(i == 0 || (*sessions)[i - 1].close < session.open);
  }
  const BucketGrid grid(Dialect::kV7, index_with({}).kind);
  const IdRange range{.first = grid.id_of(from).value(), .last = grid.id_of(to).value()};
  const auto expected = calendar->expected(grid, range);
  require(expected && expected->size() == expected->size_in(range));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      fuzz_file(Dialect::kV1, index_with({}), bytes);
      break;
    case 1:
      fuzz_file(Dialect::kV7, index_with({}), bytes);
      break;
    case 2:
      fuzz_file(Dialect::kV7, index_with({"a"}), bytes);
      break;
    case 3:
      fuzz_file(Dialect::kV7, index_with({"a", "b"}), bytes);
      break;
    default:
      fuzz_calendar(bytes);
      break;
  }
  return 0;
}
