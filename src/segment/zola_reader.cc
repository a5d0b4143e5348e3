#include "segment/zola_reader.h"

#include "base/try.h"
#include "segment/native_structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

NativeStructure structure_of(const ZolaDay& day) {
  NativeStructure structure;
  const auto add = [&](const std::string& name, const char* type, NativeRole role, ValueKind kind) {
    structure.columns.push_back(
        {.name = name, .type = type, .role = role, .kind = kind, .nullable = role == NativeRole::kField});
  };
  add(kZolaSymbol, "int64", NativeRole::kTag, ValueKind::kInt64);
  add(kZolaTime, kZolaTimeType, NativeRole::kTime, ValueKind::kInt64);
  for (const ZolaDay::Column& column : day.values) {
    add(column.name, column.kind == ValueKind::kFloat64 ? "float64" : "int64", NativeRole::kField, column.kind);
  }
  NativeTag& symbols = structure.tags.emplace_back();
  symbols.of_series.resize(day.parts.size());
  std::iota(symbols.of_series.begin(), symbols.of_series.end(), 0U);
  for (const ZolaPart& part : day.parts) {
    symbols.values.cells.push_back(static_cast<std::uint64_t>(part.symbol));
    structure.series_ends.push_back(part.end);
  }
  for (std::uint64_t row = 0; row < day.rows;) {
    row = std::min<std::uint64_t>(row + kPageRowsMax, day.rows);
    structure.page_ends.push_back(row);
  }
  return structure;
}

model::Schema schema_of(const NativeStructure& structure) {
  model::Schema schema;
  for (const NativeColumn& column : structure.columns) {
    schema.columns.push_back(
        {.name = column.name, .type = *model::parse_type(column.type), .nullable = column.nullable});
  }
  return schema;
}

Status check_symbols(const ZolaDay& day) {
  for (const ZolaPart& part : day.parts) {
    for (std::uint64_t row = part.begin; row < part.end; ++row) {
      const auto symbol = static_cast<std::int64_t>(day.symbols.cells[row]);
      if (symbol == part.symbol) continue;
      return fail(ErrorCode::kCorruption, fmt::format("cannot read {}: row {} is of symbol {}, {} says {}",
                                                      day.symbols.key, row, symbol, kZolaParted, part.symbol));
    }
  }
  return {};
}

/// The values that a sidecar says of each symbol. The order of its columns is that of whoever wrote it.
Status check_values(const ZolaDay& day, const ZolaDay::Sidecar& sidecar, bool first) {
  const std::size_t columns = day.values.size();
  std::vector<std::uint64_t> said(columns);
  std::vector<std::uint64_t> stored(columns);
  for (std::size_t i = 0; i < day.parts.size(); ++i) {
    const std::uint64_t row = first ? day.parts[i].begin : day.parts[i].end - 1;
    for (std::size_t column = 0; column < columns; ++column) {
      said[column] = sidecar.at(i, 2 + column, columns);
      stored[column] = day.values[column].cells[row];
    }
    std::ranges::sort(said);
    std::ranges::sort(stored);
    if (said == stored) continue;
    return fail(ErrorCode::kCorruption, fmt::format("cannot read {}: its values of symbol {} are not those of row {}",
                                                    sidecar.key, day.parts[i].symbol, row));
  }
  return {};
}

}  // namespace

ZolaFile::ZolaFile(ZolaDay day) : day_(std::move(day)) {
  key_ = day_.times.key;
  doing_ = "cannot read " + key_;
  structure_ = structure_of(day_);
  schema_ = schema_of(structure_);
  looked_at_ = std::make_unique<std::atomic<bool>[]>((1 + day_.values.size()) * structure_.pages());
}

std::span<const std::uint64_t> ZolaFile::cells(std::size_t column, std::size_t page) const {
  return {column_at(column).cells + page_begin(page), page_rows(page)};
}

std::atomic<bool>& ZolaFile::looked_at(std::size_t column, std::size_t page) const {
  return looked_at_[column * structure_.pages() + page];
}

codec::Bytes ZolaFile::block(std::size_t column, std::size_t page) const {
  const auto values = cells(column, page);
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

/// Times ascend within a series, so that only the ends of series in the page are looked at.
PageTimes ZolaFile::page_times(std::size_t page) const {
  const std::uint64_t begin = page_begin(page);
  const std::uint64_t end = structure_.page_ends[page];
  PageTimes times{.first = day_.times.cells[begin], .last = day_.times.cells[end - 1]};
  std::int64_t least = INT64_MAX;
  std::int64_t largest = INT64_MIN;
  for (std::size_t series = series_of(begin); series < day_.parts.size() && day_.parts[series].begin < end; ++series) {
    least = std::min(least, day_.time(std::max(begin, day_.parts[series].begin)));
    largest = std::max(largest, day_.time(std::min(end, day_.parts[series].end) - 1));
  }
  times.least = static_cast<std::uint64_t>(least);
  times.largest = static_cast<std::uint64_t>(largest);
  return times;
}

bool ZolaFile::has_nulls(std::size_t column, std::size_t page) const {
  if (column == 0 || looked_at(column, page).load(std::memory_order_relaxed)) return false;
  const ValueKind kind = column_at(column).kind;
  std::size_t nulls = 0;
  for (const std::uint64_t cell : cells(column, page)) nulls += is_zola_null(kind, cell) ? 1 : 0;
  if (nulls == 0) looked_at(column, page).store(true, std::memory_order_relaxed);
  return nulls > 0;
}

Status ZolaFile::check_times(std::size_t page) const {
  if (looked_at(0, page).load(std::memory_order_relaxed)) return {};
  const std::uint64_t end = structure_.page_ends[page];
  std::size_t series = series_of(page_begin(page));
  for (std::uint64_t row = page_begin(page); row < end; ++series) {
    const ZolaPart& part = day_.parts[series];
    const std::uint64_t until = std::min(end, part.end);
    std::int64_t before = day_.time(row > part.begin ? row - 1 : row);
    bool ascend = before >= day_.time(part.begin) && day_.time(until - 1) <= day_.time(part.end - 1);
    for (; row < until; ++row) {
      ascend = ascend && before <= day_.time(row);
      before = day_.time(row);
    }
    if (ascend) continue;
    return fail(ErrorCode::kCorruption, fmt::format("{}: times of symbol {} do not ascend among the rows before row {}",
                                                    doing_, part.symbol, until));
  }
  looked_at(0, page).store(true, std::memory_order_relaxed);
  return {};
}

Result<BlockValues> ZolaFile::read(std::size_t column, std::size_t page) const {
  if (column == 0) MARIGRAM_TRY(check_times(page));
  const auto stored = cells(column, page);
  BlockValues values;
  values.cells.assign(stored.begin(), stored.end());
  if (!has_nulls(column, page)) return values;
  const ValueKind kind = column_at(column).kind;
  values.valid.resize(stored.size());
  for (std::size_t row = 0; row < stored.size(); ++row) {
    const bool null = is_zola_null(kind, stored[row]);
    values.valid[row] = null ? 0 : 1;
    if (null) values.cells[row] = 0;
  }
  return values;
}

Result<BlockView> ZolaFile::view(std::size_t column, std::size_t page) const {
  BlockView view;
  if (has_nulls(column, page)) {
    MARIGRAM_ASSIGN(view.decoded, read(column, page));
    view.cells = view.decoded.cells.data();
  } else {
    if (column == 0) MARIGRAM_TRY(check_times(page));
    view.cells = cells(column, page).data();
  }
  return view;
}

ZolaReader::ZolaReader(std::shared_ptr<const ZolaFile> file) : NativeReader(std::move(file)) {}

Result<std::shared_ptr<ZolaReader>> ZolaReader::open(const io::ObjectStore& store, const std::string& key) {
  MARIGRAM_ASSIGN(ZolaDay day, open_zola_day(store, key.substr(0, key.find('/'))));
  return std::shared_ptr<ZolaReader>(new ZolaReader(std::make_shared<const ZolaFile>(std::move(day))));
}

std::string ZolaReader::key_of(const std::string& folder) {
  return folder + "/" + kZolaTime + kZolaSuffix;
}

Status ZolaReader::check_claims(std::string_view /*sidecar*/) const {
  const ZolaDay& day = static_cast<const ZolaFile&>(*file()).day();
  MARIGRAM_TRY(check_symbols(day));
  if (day.first) MARIGRAM_TRY(check_values(day, *day.first, true));
  if (day.last) MARIGRAM_TRY(check_values(day, *day.last, false));
  return file()->check_whole();
}

}  // namespace marigram::segment
