#include "cli/create_options.h"

#include "base/bucket_width.h"
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/retention.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

namespace marigram::cli {

namespace {

Result<std::string> read_calendar(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot read calendar {}: no such file", path));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return fail(errno == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
                fmt::format("cannot read calendar {}: {}", path, std::generic_category().message(errno)));
  }
  return text;
}

Status set_grid(Context& context, const CreateOptions& options, TableOptions& table) {
  table.index_type = options.index_type;
  if (options.index_type == "timestamp") {
    if (options.index_step != 0) {
      return context.usage("cannot use --index-step: it belongs to --index-type int64 or uint64; times take --bucket");
    }
    if (auto width = parse_bucket_width(options.bucket); !width) {
      return context.usage(fmt::format("cannot read --bucket: {}", width.error().message));
    }
    table.bucket = options.bucket;
  } else {
    if (options.index_step == 0) {
      return context.usage(fmt::format(
          "cannot use --index-type {}: --index-step is missing; it says how wide a bucket is", options.index_type));
    }
    table.index_step = options.index_step;
  }
  if (auto width = parse_bucket_width(options.partition); !width) {
    return context.usage(fmt::format("cannot read --partition: {}", width.error().message));
  }
  table.partition = options.partition;
  return {};
}

}  // namespace

void add_create_options(const Command& command, CreateOptions& options) {
  command.option("--time", options.time_column, "NAME", "Column that orders the rows");
  command.choice("--unit", options.unit, {"s", "ms", "us", "ns"},
                 "Resolution of the time column (default: us, or that of the first rows)");
  command.repeated("--tag", options.tags, "NAME[:TYPE]",
                   "Column that names the series: string (default), int32, int64 or uint64");
  command.repeated("--field", options.fields, "NAME:TYPE",
                   "Column of measurements, for example temp:float64 (default: adopt those of the first rows)");
  command.option("--bucket", options.bucket, "WIDTH", "Step of the coverage grid: a number of s, m, h or d")
      .shows_default();
  command.choice("--dialect", options.dialect, {"v7", "v1"}, "Table format").shows_default();
  command.option("--calendar", options.calendar_file, "FILE", "JSON file that says when data is expected");
  command.choice("--index-type", options.index_type, {"timestamp", "int64", "uint64"}, "Type of the time column")
      .shows_default();
  command.option("--index-step", options.index_step, "N", "Step of the coverage grid of an integer index").positive();
  command.option("--timezone", options.timezone, "ZONE", "IANA time zone to record; buckets stay in UTC");
  command.option("--partition", options.partition, "WIDTH", "A segment never crosses a multiple of this width")
      .shows_default();
  command
      .choice("--duplicates", options.duplicates, {"reject", "last", "all"},
              "Rows of one series and time: refuse them, keep the last one, or keep all")
      .shows_default();
  command
      .choice("--segments", options.segments, {"parquet", "native"},
              "What files rows are kept in: Parquet, which any program reads, or Marigram's own, smaller and quicker")
      .shows_default();
  add_compression(command, "--compression", options.compression, "Of native segments").shows_default();
  add_rollup_options(command, "--rollups", options.rollups);
  add_keep(command, options.keep);
  add_tier_options(command, options.tiers);
}

Result<TableOptions> table_options(Context& context, const CreateOptions& options) {
  TableOptions table;
  if (options.time_column.empty())
    return context.usage("cannot create a table: --time is missing; name its time column");
  table.time_column = options.time_column;
  if (!options.unit.empty()) {
    MARIGRAM_ASSIGN(table.unit, parse_time_unit(options.unit));
  }
  for (const std::string& text : options.tags) {
    MARIGRAM_ASSIGN(auto tag, parse_tag(context, text));
    table.tags.push_back(std::move(tag));
  }
  for (const std::string& text : options.fields) {
    MARIGRAM_ASSIGN(auto field, parse_column(context, "--field", text));
    table.fields.push_back(std::move(field));
  }
  MARIGRAM_TRY(set_grid(context, options, table));
  if (!options.timezone.empty()) table.timezone = options.timezone;
  table.dialect = options.dialect == "v1" ? Dialect::kV1 : Dialect::kV7;
  table.segments = segments_named(options.segments);
  table.compression = options.compression;
  if (options.duplicates == "last") table.duplicates = Duplicates::kLast;
  if (options.duplicates == "all") table.duplicates = Duplicates::kAll;
  if (!options.calendar_file.empty()) {
    MARIGRAM_ASSIGN(table.calendar, read_calendar(options.calendar_file));
  }
  MARIGRAM_ASSIGN(table.rollups, parse_rollups(context, options.rollups));
  MARIGRAM_ASSIGN(table.retention, parse_rules(context, options.keep));
  table.tiers = change_tiers(options.tiers, {});
  return table;
}

}  // namespace marigram::cli
