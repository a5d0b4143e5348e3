#include "table/zola_folder.h"

#include "base/parallel.h"
#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "segment/zola_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

using segment::ZolaColumn;
using segment::ZolaDay;

/// What a table keeps of a day that is not open.
struct Day {
  std::string folder = {};
  std::shared_ptr<model::SegmentMeta> segment = {};  // null: it has no rows
  std::vector<ZolaColumn> columns = {};
  std::vector<std::int64_t> symbols = {};
};

const model::IndexSpec& zola_index() {
  static const model::IndexSpec index{
      .column = segment::kZolaTime,
      .tags = {segment::kZolaSymbol},
      .kind = model::TimestampIndex{.bucket = {1, BucketWidth::Unit::kDay}, .timezone = std::nullopt}};
  return index;
}

/// Folders of days, one a day: the day's own or, where that is missing, its ".old".
Result<std::vector<Day>> find_days(const io::ObjectStore& store) {
  constexpr std::string_view kOld = ".old";
  constexpr std::size_t kDateBytes = 10;
  MARIGRAM_ASSIGN(const auto objects, store.list(""));
  std::map<std::string, Day> days;  // by date
  for (const io::ObjectInfo& object : objects) {
    if (!object.key.contains('/')) continue;
    const std::string folder = object.key.substr(0, object.key.find('/'));
    const std::string date = folder.substr(0, kDateBytes);
    const std::string_view rest = std::string_view(folder).substr(date.size());
    if (!segment::looks_like_zola_date(date) || (!rest.empty() && rest != kOld)) continue;
    Day& day = days[date];
    if (rest.empty() || day.folder.empty()) day.folder = folder;
  }
  std::vector<Day> found;
  found.reserve(days.size());
  for (auto& [date, day] : days) found.push_back(std::move(day));
  return found;
}

std::shared_ptr<model::SegmentMeta> describe(const ZolaDay& day) {
  if (day.rows == 0) return nullptr;
  auto meta = std::make_shared<model::SegmentMeta>();
  meta->id = day.version;
  meta->path = segment::ZolaReader::key_of(day.folder);
  meta->format = SegmentFormat::kZola;
  meta->layout = model::MixedSeries();
  if (day.parts.size() == 1) meta->layout = SeriesKey{day.parts.front().symbol};
  std::int64_t min = INT64_MAX;
  std::int64_t max = INT64_MIN;
  for (const segment::ZolaPart& part : day.parts) {
    min = std::min(min, day.time(part.begin));
    max = std::max(max, day.time(part.end - 1));
  }
  meta->min = Instant::from_units(min, TimeUnit::kMicro);
  meta->max = Instant::from_units(max, TimeUnit::kMicro);
  meta->row_count = day.rows;
  meta->file_size = day.bytes;
  return meta;
}

Status load(const io::ObjectStore& store, Day& day) {
  MARIGRAM_ASSIGN(const ZolaDay opened, segment::open_zola_day(store, day.folder));
  day.segment = describe(opened);
  for (const ZolaDay::Column& column : opened.values) day.columns.push_back({column.name, column.kind});
  for (const segment::ZolaPart& part : opened.parts) day.symbols.push_back(part.symbol);
  return {};
}

/// Adds the columns that days have besides, by name.
Status add_columns(const std::vector<Day>& days, std::vector<ZolaColumn>& columns) {
  std::map<std::string, std::pair<segment::ValueKind, std::string>> known;  // and who says so
  for (const ZolaColumn& column : columns) known[column.name] = {column.kind, segment::kZolaSchema};
  const std::size_t own = columns.size();
  for (const Day& day : days) {
    for (const ZolaColumn& column : day.columns) {
      const auto& [kind, where] = known.try_emplace(column.name, column.kind, day.folder).first->second;
      if (kind != column.kind) {
        return fail(ErrorCode::kCorruption,
                    fmt::format("cannot read {}/{}{}: its type is {}, that of {} in {} is {}", day.folder, column.name,
                                segment::kZolaSuffix, segment::zola_type(column.kind), column.name, where,
                                segment::zola_type(kind)));
      }
      if (where == day.folder) columns.push_back(column);
    }
  }
  std::ranges::sort(columns.begin() + static_cast<std::ptrdiff_t>(own), columns.end(), {}, &ZolaColumn::name);
  return {};
}

model::Schema schema_of(const std::vector<ZolaColumn>& columns) {
  model::Schema schema;
  schema.columns.push_back(
      {.name = segment::kZolaTime, .type = *model::parse_type(segment::kZolaTimeType), .nullable = false});
  schema.columns.push_back({.name = segment::kZolaSymbol, .type = {.id = model::TypeId::kInt64}, .nullable = false});
  for (const ZolaColumn& column : columns) {
    const bool is_float = column.kind == segment::ValueKind::kFloat64;
    schema.columns.push_back(
        {.name = column.name, .type = {.id = is_float ? model::TypeId::kFloat64 : model::TypeId::kInt64}});
  }
  return schema;
}

/// A row of a series anywhere in a day covers its bucket.
Result<coverage::CoverageMap> coverage_of(const std::vector<Day>& days) {
  const coverage::BucketGrid grid(Dialect::kV7, zola_index().kind);
  coverage::CoverageMap map;
  for (const Day& day : days) {
    if (!day.segment) continue;
    MARIGRAM_ASSIGN(const std::uint64_t id, grid.id_of(day.segment->min));
    for (const std::int64_t symbol : day.symbols) map[{symbol}].add(id);
  }
  return map;
}

}  // namespace

Result<bool> is_zola_folder(const io::ObjectStore& store) {
  const auto found = store.head(segment::kZolaSchema);
  if (found || found.error().code == ErrorCode::kNotFound) return found.has_value();
  return std::unexpected(found.error());
}

Result<ZolaFolder> load_zola_folder(const Environment& environment) {
  const io::ObjectStore& store = *environment.store;
  MARIGRAM_ASSIGN(const io::ObjectContent schema, store.read(segment::kZolaSchema));
  MARIGRAM_ASSIGN(auto columns,
                  segment::parse_zola_schema(schema.bytes, fmt::format("cannot read {}", segment::kZolaSchema)));
  MARIGRAM_ASSIGN(std::vector<Day> days, find_days(store));
  MARIGRAM_TRY(for_each_part(*environment.pool, days.size(), [&](std::size_t i) { return load(store, days[i]); }));
  MARIGRAM_TRY(add_columns(days, columns));
  ZolaFolder folder;
  MARIGRAM_ASSIGN(coverage::CoverageMap coverage, coverage_of(days));
  folder.coverage = std::make_shared<const coverage::CoverageMap>(std::move(coverage));
  log::TableState& state = folder.state;
  state.timestamp = schema.info.modified;
  state.meta = model::TableMeta{.index = zola_index(), .schema = schema_of(columns), .created_at = state.timestamp};
  state.coverage = log::CoveragePointer{.path = ZolaFolder::kCoverage};
  state.duplicates = Duplicates::kAll;
  state.segment_format = SegmentFormat::kZola;
  for (const Day& day : days) {
    if (day.segment) state.segments[day.segment->path] = day.segment;
  }
  return folder;
}

std::unexpected<Error> refuse_to_write_zola(const io::ObjectStore& store) {
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("cannot write to {}: it is a zola folder, which is only read; to make a table of it: marigram "
                  "import TABLE {} --create --time {} --tag {}:int64 --duplicates all",
                  store.name(), store.name(), segment::kZolaTime, segment::kZolaSymbol));
}

}  // namespace marigram::table
