// marigram import: a file of rows, appended as one commit.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/column_plan.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/create_options.h"
#include "cli/exit_code.h"
#include "cli/import_rows.h"
#include "cli/interrupt.h"
#include "cli/json_view.h"
#include "cli/new_table.h"
#include "cli/progress.h"
#include "cli/row_source.h"
#include "cli/text_table.h"
#include "cli/time_format.h"

#include <marigram/arrow_abi.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/c/bridge.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string file;
  bool create = false;
  CreateOptions new_table;
  std::string format;
  std::string time_format;
  std::vector<std::string> map;
  std::vector<std::string> set;
  std::vector<std::string> drop;
  bool sort = false;
};

// A table that has its columns needs only the header.
constexpr std::size_t kHeaderBytes = 1 << 20;

// The table that is there, or what it will be.
struct Target {
  std::optional<Table> table;
  TableOptions creation;  // when there is none
  TableShape shape;
};

struct Summary {
  AppendResult appended;
  bool created = false;
  double seconds = 0;

  std::uint64_t rows_per_second() const {
    return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(appended.rows) / seconds) : 0;
  }
};

Result<ColumnOptions> column_options(Context& context, const Options& options, const TimeFormat& format) {
  ColumnOptions columns;
  MARIGRAM_ASSIGN(columns.map, parse_pairs(context, "--map", options.map, false));
  MARIGRAM_ASSIGN(columns.set, parse_pairs(context, "--set", options.set, true));
  for (const std::string& text : options.new_table.fields) {
    MARIGRAM_ASSIGN(auto field, parse_column(context, "--field", text));
    columns.fields.push_back(std::move(field));
  }
  columns.drop = options.drop;
  columns.epoch_unit = format.epoch_unit();
  return columns;
}

// --create on a table that is there is fine as long as it is the table that would have been made.
Status check_same_table(const Options& options, const TableOptions& wanted, const TableInfo& info) {
  const bool same = wanted.time_column == info.time_column && wanted.index_type == info.index_type &&
                    wanted.dialect == info.dialect && names_of(wanted.tags) == names_of(info.tags);
  if (same) return {};
  return fail(
      ErrorCode::kAlreadyExists,
      fmt::format("cannot create table {}: there is one with time column {} ({}) and tags [{}]; leave --create out to "
                  "import into it",
                  options.table, info.time_column, info.index_type, fmt::join(names_of(info.tags), ", ")));
}

Result<Target> find_target(Context& context, const Options& options) {
  Target target;
  if (options.create) {
    MARIGRAM_ASSIGN(target.creation, table_options(context, options.new_table));
  }
  auto table = Table::open(options.table);
  if (table) {
    const TableInfo info = table->info();
    if (options.create) MARIGRAM_TRY(check_same_table(options, target.creation, info));
    MARIGRAM_ASSIGN(auto schema, arrow_schema(*table));
    target.shape = {.time_column = info.time_column,
                    .index_type = info.index_type,
                    .unit = info.unit,
                    .timezone = info.timezone,
                    .tags = info.tags,
                    .growing = info.growing,
                    .schema = std::move(schema)};
    target.table = std::move(*table);
    return target;
  }
  if (!options.create || table.error().code != ErrorCode::kNotFound) {
    Error error = std::move(table).error();
    if (error.code == ErrorCode::kNotFound) error.message += "; --create makes one";
    return std::unexpected(std::move(error));
  }
  target.shape = {.time_column = target.creation.time_column,
                  .index_type = target.creation.index_type,
                  .unit = target.creation.unit,
                  .timezone = target.creation.timezone,
                  .tags = target.creation.tags,
                  .schema = nullptr};
  target.creation.fields.clear();  // the rows bring all columns, with the declared types
  return target;
}

Result<AppendResult> append_rows(Table table, const std::shared_ptr<ImportRows>& rows) {
  ArrowArrayStream stream = {};
  if (const auto exported = arrow::ExportRecordBatchReader(rows, &stream); !exported.ok()) {
    return std::unexpected(from_arrow(exported, "cannot import"));
  }
  auto appended = table.append(&stream);
  if (!appended && rows->error()) return std::unexpected(*rows->error());
  return appended;
}

Result<Summary> import_file(Context& context, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  TimeFormat format;
  if (!options.time_format.empty()) {
    auto parsed = TimeFormat::parse(options.time_format);
    if (!parsed) return context.usage(fmt::format("cannot read --time-format: {}", parsed.error().message));
    format = std::move(*parsed);
  }
  MARIGRAM_ASSIGN(const ColumnOptions columns, column_options(context, options, format));
  MARIGRAM_ASSIGN(Target target, find_target(context, options));
  if (!options.time_format.empty() && target.shape.index_type != "timestamp") {
    return context.usage(fmt::format("cannot use --time-format: column {} holds {}, not times",
                                     target.shape.time_column, target.shape.index_type));
  }
  const std::size_t sample_bytes = target.shape.schema == nullptr ? kGuessBytes : kHeaderBytes;
  MARIGRAM_ASSIGN(auto source, open_source(context.cancel, options.file, options.format, sample_bytes));
  const std::string name = options.file == "-" ? "standard input" : options.file;
  MARIGRAM_ASSIGN(ColumnPlan plan, plan_columns(columns, target.shape, *source, name));
  MARIGRAM_TRY(start_source(*source, plan));

  std::optional<NewTable> made;
  if (!target.table) {
    MARIGRAM_ASSIGN(auto created, NewTable::create(options.table, target.creation));
    made.emplace(std::move(created));
  }
  const std::vector<std::string> notes = plan.notes;
  Progress progress("import " + name, source->bytes_total());
  const auto rows =
      std::make_shared<ImportRows>(*source, std::move(plan), std::move(format), name, context.cancel, progress);
  Summary summary;
  MARIGRAM_ASSIGN(summary.appended, append_rows(made ? made->table() : *target.table, rows));
  summary.created = made.has_value();
  if (made) made->keep();
  progress.clear();
  if (!context.json) {
    for (const std::string& text : notes) note("marigram: " + text);
  }
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary;
}

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Summary summary, import_file(context, options));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", options.table},
                                {"file", options.file},
                                {"created", summary.created},
                                {"rows", summary.appended.rows},
                                {"segments", summary.appended.segments},
                                {"version", summary.appended.version},
                                {"seconds", summary.seconds},
                                {"rows_per_second", summary.rows_per_second()}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("imported {} into {}: {}, version {}, {:.2f} s, {} rows/s\n",
                                               count_of(summary.appended.rows, "row"), options.table,
                                               count_of(summary.appended.segments, "segment"), summary.appended.version,
                                               summary.seconds, group_digits(summary.rows_per_second()))));
  }
  return kExitOk;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(
      app, context, "import", "Append CSV, JSON lines or Parquet, plain or compressed, or a zola folder, as one commit",
      "marigram import weather weather.csv --create --time time_hour --tag origin --bucket 1h");
  add_table(command, options->table);
  command.option("INPUT", options->file, "FILE", "The file; - is standard input").required();
  const Option create = command.flag("--create", options->create, "Make the table first if there is none");
  command.choice("--format", options->format, {"csv", "jsonl", "parquet", "zola"},
                 "Format of the file (default: by its name or content, else csv; of a folder: zola)");
  command.option("--time-format", options->time_format, "FORMAT",
                 "How times are written: epoch_s, epoch_ms, epoch_us, epoch_ns, or conversions of strptime (default: "
                 "RFC 3339)");
  command.repeated("--map", options->map, "OLD=NEW", "Rename a column of the file");
  command.repeated("--set", options->set, "COLUMN=VALUE", "Give every row this value");
  command.repeated("--drop", options->drop, "COLUMN", "Leave out a column of the file");
  command.flag("--sort", options->sort, "Rows may come in any order: always so, accepted for clarity");
  command.with(create, "Of a new table (with --create)", [&] { add_create_options(command, options->new_table); });
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
