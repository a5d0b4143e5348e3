// marigram export: a whole table in files that other programs read.
#include "base/civil_date.h"
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/json_view.h"
#include "cli/progress.h"
#include "cli/text_table.h"
#include "io/local_store.h"
#include "io/new_folder.h"
#include "segment/arrow_schema.h"
#include "segment/parquet_writer.h"
#include "segment/zola_writer.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string format;
  std::string output;
  std::vector<std::string> columns;
  std::string at;
};

struct Exported {
  std::uint64_t rows = 0;
  std::uint64_t days = 0;
  std::uint64_t lost_values = 0;
};

// Time and tags, and the fields that are wanted, in the table's order.
std::vector<std::string> columns_of(const TableInfo& info, const arrow::Schema& schema,
                                    const std::vector<std::string>& wanted) {
  if (wanted.empty()) return schema.field_names();
  std::set<std::string> chosen(wanted.begin(), wanted.end());
  chosen.insert(info.time_column);
  for (const ColumnInfo& tag : info.tags) chosen.insert(tag.name);
  std::vector<std::string> columns;
  for (const std::string& name : schema.field_names()) {
    if (chosen.erase(name) > 0) columns.push_back(name);
  }
  columns.insert(columns.end(), chosen.begin(), chosen.end());  // a scan says that they are not there
  return columns;
}

ScanRequest by_series(Context& context, std::vector<std::string> columns) {
  return {.columns = std::move(columns), .order = ScanOrder::kSeries, .cancel = context.cancel};
}

model::IndexSpec index_of(const TableInfo& info) {
  model::IndexSpec index{.column = info.time_column, .tags = names_of(info.tags), .kind = {}};
  if (info.index_type == "int64") index.kind = model::Int64Index{};
  if (info.index_type == "uint64") index.kind = model::UInt64Index{};
  return index;
}

Result<Exported> export_parquet(Context& context, const Options& options, const Table& table, Progress& progress) {
  MARIGRAM_ASSIGN(const auto schema, arrow_schema(table));
  MARIGRAM_ASSIGN(const auto rows,
                  open_scan(table, by_series(context, columns_of(table.info(), *schema, options.columns))));
  const std::filesystem::path file(options.output);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot write {}: folder {} does not exist", options.output, folder.string()));
  }
  if (std::filesystem::exists(file, ignored)) {
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("cannot write {}: it is there; want a file that does not exist", options.output));
  }
  MARIGRAM_ASSIGN(const auto store, io::make_local_store(folder));
  MARIGRAM_ASSIGN(const model::Schema columns, segment::from_arrow(*rows->schema()));
  MARIGRAM_ASSIGN(const auto writer,
                  segment::ParquetWriter::create(*store, file.filename().string(), columns, index_of(table.info())));
  Exported exported;
  while (true) {
    auto batch = rows->Next();
    if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
    if (*batch == nullptr) break;
    MARIGRAM_TRY(writer->write(**batch));
    exported.rows += static_cast<std::uint64_t>((*batch)->num_rows());
    progress.update(exported.rows, 0);
  }
  MARIGRAM_TRY(writer->finish());
  return exported;
}

// Days, counted from 1970-01-01, that may have rows.
std::set<std::int64_t> days_of(const Table& table) {
  std::set<std::int64_t> days;
  for (const SegmentInfo& segment : table.segments()) {
    const std::int64_t last = floor_div(std::get<Instant>(segment.max).seconds, kSecondsPerDay);
    std::int64_t day = floor_div(std::get<Instant>(segment.min).seconds, kSecondsPerDay);
    for (; day <= last; ++day) days.insert(day);
  }
  return days;
}

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> rows_of_day(const Table& table, ScanRequest request,
                                                                     std::int64_t day) {
  request.from = Instant{.seconds = day * kSecondsPerDay};
  request.to = Instant{.seconds = (day + 1) * kSecondsPerDay};
  MARIGRAM_ASSIGN(const auto reader, open_scan(table, request));
  auto rows = reader->ToRecordBatches();
  if (!rows.ok()) return std::unexpected(from_arrow(rows.status(), ""));
  return *std::move(rows);
}

Result<Exported> export_zola(Context& context, const Options& options, const Table& table, Progress& progress) {
  const TableInfo info = table.info();
  MARIGRAM_ASSIGN(const auto schema, arrow_schema(table));
  arrow::FieldVector fields;
  for (const std::string& name : columns_of(info, *schema, options.columns)) {
    const auto field = schema->GetFieldByName(name);
    if (field == nullptr) {
      return fail(ErrorCode::kNotFound, fmt::format("cannot export column {}: the table has no such column", name));
    }
    fields.push_back(field);
  }
  MARIGRAM_ASSIGN(io::NewFolder folder, io::NewFolder::create(options.output));
  MARIGRAM_ASSIGN(auto writer, segment::ZolaWriter::create(folder.store(), arrow::Schema(fields), info.time_column,
                                                           names_of(info.tags)));
  Exported exported;
  for (const std::int64_t day : days_of(table)) {
    MARIGRAM_ASSIGN(const auto rows, rows_of_day(table, by_series(context, writer.columns()), day));
    if (rows.empty()) continue;
    MARIGRAM_TRY(writer.write(day, rows));
    ++exported.days;
    for (const auto& batch : rows) exported.rows += static_cast<std::uint64_t>(batch->num_rows());
    progress.update(exported.rows, 0);
  }
  MARIGRAM_TRY(folder.publish());
  exported.lost_values = writer.lost_values();
  return exported;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(const auto schema, arrow_schema(table));
  if (schema == nullptr) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot export {}: it has no columns yet; append rows first", options.table));
  }
  const bool zola = options.format == "zola";
  Progress progress("export " + options.table, std::nullopt);
  MARIGRAM_ASSIGN(const Exported exported, zola ? export_zola(context, options, table, progress)
                                                : export_parquet(context, options, table, progress));
  progress.clear();
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", options.table},
                                {"format", options.format},
                                {"output", options.output},
                                {"rows", exported.rows},
                                {"lost_values", exported.lost_values}}));
    return kExitOk;
  }
  MARIGRAM_TRY(
      context.out.write(fmt::format("exported {} of {} to {}{}\n", count_of(exported.rows, "row"), options.table,
                                    options.output, zola ? ", " + count_of(exported.days, "day") : "")));
  if (exported.lost_values > 0) {
    note(fmt::format("marigram: {} that zola_db reads as nulls: NaN, or -2^63",
                     count_of(exported.lost_values, "value")));
  }
  return kExitOk;
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "export", "Write a whole table to a Parquet file or a zola folder, by series and time",
                  "marigram export weather --format parquet -o weather.parquet");
  add_table(command, options->table);
  command
      .choice("--format", options->format, {"parquet", "zola"},
              "A Parquet file that any engine prunes, or a folder as zola_db has them")
      .required();
  command
      .option("-o,--output", options->output, "PATH",
              "What to write, which must not exist; appears whole or not at all")
      .required();
  command.names("--columns", options->columns, "NAME,...", "Time, tags, and these fields (default: all)");
  add_at(command, options->at);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
