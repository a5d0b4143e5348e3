#include "segment/zola_writer.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace marigram::segment {
namespace {

constexpr int kSymbol = 0;  // among the columns
constexpr int kTime = 1;

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

Status put(io::ObjectStore& store, const std::string& key, std::span<const std::byte> head,
           std::span<const std::byte> rest) {
  MARIGRAM_ASSIGN(const auto object, store.create(key));
  MARIGRAM_TRY(object->write(head));
  MARIGRAM_TRY(object->write(rest));
  return object->finish();
}

std::unexpected<Error> refuse(const std::string& what) {
  return fail(ErrorCode::kInvalidInput, "cannot write a zola folder: " + what);
}

std::shared_ptr<arrow::DataType> stored_type(int column, ValueKind kind) {
  if (column == kTime) return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return kind == ValueKind::kFloat64 ? arrow::float64() : arrow::int64();
}

/// The symbols of rows that come by them.
std::vector<ZolaPart> parts_of(std::span<const std::uint64_t> symbols) {
  std::vector<ZolaPart> parts;
  for (std::uint64_t row = 0; row < symbols.size(); ++row) {
    const auto symbol = static_cast<std::int64_t>(symbols[row]);
    if (parts.empty() || parts.back().symbol != symbol) parts.push_back({.symbol = symbol, .begin = row, .end = row});
    ++parts.back().end;
  }
  return parts;
}

}  // namespace

Result<ZolaWriter> ZolaWriter::create(io::ObjectStore& store, const arrow::Schema& schema, const std::string& time,
                                      std::span<const std::string> tags) {
  if (tags.size() != 1) return refuse(fmt::format("it has one tag, the table has {}", tags.size()));
  ZolaWriter writer(store);
  writer.names_ = {tags.front(), time};
  writer.columns_ = {{kZolaSymbol, ValueKind::kInt64}, {kZolaTime, ValueKind::kInt64}};
  const auto tag = schema.GetFieldByName(tags.front());
  if (!arrow::is_integer(tag->type()->id())) {
    return refuse(fmt::format("its symbols are integers, tag {} is of type {}", tag->name(), tag->type()->ToString()));
  }
  if (schema.GetFieldByName(time)->type()->id() != arrow::Type::TIMESTAMP) {
    return refuse(fmt::format("its rows have times, column {} is of type {}", time,
                              schema.GetFieldByName(time)->type()->ToString()));
  }
  for (const auto& field : schema.fields()) {
    const auto type = field->type()->id();
    if (field->name() == time || field->name() == tag->name()) continue;
    if (!is_zola_name(field->name())) {
      return refuse(fmt::format("none of its columns can be called {}; leave it out", field->name()));
    }
    if (!arrow::is_integer(type) && type != arrow::Type::FLOAT && type != arrow::Type::DOUBLE) {
      return refuse(fmt::format("its columns are integers and floats, {} is of type {}; leave it out", field->name(),
                                field->type()->ToString()));
    }
    writer.names_.push_back(field->name());
    writer.columns_.push_back({field->name(), arrow::is_integer(type) ? ValueKind::kInt64 : ValueKind::kFloat64});
  }
  MARIGRAM_TRY(store.put(kZolaSchema, format_zola_schema(std::span(writer.columns_).subspan(2))));
  return writer;
}

Result<std::vector<std::uint64_t>> ZolaWriter::cells(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                                     int column) {
  const ValueKind kind = columns_[static_cast<std::size_t>(column)].kind;
  const std::string doing = "cannot write a zola folder: column " + names_[static_cast<std::size_t>(column)];
  arrow::compute::ExecContext context(memory_pool());
  std::vector<std::uint64_t> cells;
  for (const auto& batch : rows) {
    const auto cast = arrow::compute::Cast(*batch->column(column), stored_type(column, kind),
                                           arrow::compute::CastOptions::Safe(), &context);
    if (!cast.ok()) return std::unexpected(from_arrow_status(cast.status(), doing, false));
    const std::size_t begin = cells.size();
    const auto* const values = (*cast)->data()->GetValues<std::uint64_t>(1);
    cells.insert(cells.end(), values, values + (*cast)->length());
    for (std::size_t i = begin; i < cells.size(); ++i) {
      if ((*cast)->IsNull(static_cast<std::int64_t>(i - begin))) {
        cells[i] = zola_null(kind);
      } else if (column > kTime && is_zola_null(kind, cells[i])) {
        ++lost_values_;
      }
    }
  }
  return cells;
}

Status ZolaWriter::put_column(const std::string& folder, const ZolaColumn& column,
                              std::span<const std::uint64_t> cells) {
  const ZolaHeader header{.type = zola_type(column.kind), .rows = cells.size()};
  return put(*store_, folder + "/" + column.name + kZolaSuffix, bytes_of(header), std::as_bytes(cells));
}

Status ZolaWriter::write(std::int64_t day, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows) {
  const auto folder = zola_date(day);
  if (!folder) return refuse(fmt::format("day {} since 1970 is not in the years 0000 to 9999", day));
  std::vector<ZolaPart> parts;
  std::vector<std::uint64_t> first;  // of each symbol, with all columns
  std::vector<std::uint64_t> last;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    MARIGRAM_ASSIGN(const std::vector<std::uint64_t> own, cells(rows, static_cast<int>(column)));
    MARIGRAM_TRY(put_column(*folder, columns_[column], own));
    if (column == kSymbol) {
      parts = parts_of(own);
      first.resize(parts.size() * columns_.size());
      last.resize(parts.size() * columns_.size());
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      first[i * columns_.size() + column] = own[parts[i].begin];
      last[i * columns_.size() + column] = own[parts[i].end - 1];
    }
  }
  const ZolaSidecarHeader header{.symbols = static_cast<std::uint32_t>(parts.size()),
                                 .columns = static_cast<std::uint32_t>(columns_.size() - 2)};
  MARIGRAM_TRY(put(*store_, *folder + "/" + kZolaParted, {}, std::as_bytes(std::span(parts))));
  MARIGRAM_TRY(put(*store_, *folder + "/" + kZolaFirstValues, bytes_of(header), std::as_bytes(std::span(first))));
  return put(*store_, *folder + "/" + kZolaLastValues, bytes_of(header), std::as_bytes(std::span(last)));
}

}  // namespace marigram::segment
