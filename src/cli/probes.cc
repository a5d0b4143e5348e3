#include "cli/probes.h"

#include "base/try.h"
#include "cli/arguments.h"
#include "cli/column_plan.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/import_rows.h"
#include "cli/progress.h"
#include "cli/row_source.h"
#include "cli/time_format.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

/// Nanoseconds a unit; 0 if there is no such unit.
std::uint64_t unit_ns(std::string_view unit) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"ns", 1},           {"us", 1'000},          {"ms", 1'000'000},      {"s", kSecond},
      {"m", 60 * kSecond}, {"h", 3'600 * kSecond}, {"d", 86'400 * kSecond}};
  const auto* const found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::uint64_t>::first);
  return found == std::end(kUnits) ? 0 : found->second;
}

/// The probes bring columns of their own; times and tags are the table's. Times of Parquet files keep their unit, texts
/// are read to the nanosecond if the table has them, else to the microsecond.
TableShape shape_of(const TableInfo& info) {
  TableShape shape{.time_column = info.time_column,
                   .index_type = info.index_type,
                   .unit = {},
                   .keeps_unit = true,
                   .timezone = info.timezone,
                   .tags = info.tags,
                   .growing = info.growing,
                   .schema = nullptr};
  if (info.unit) shape.unit = info.unit == TimeUnit::kNano ? TimeUnit::kNano : TimeUnit::kMicro;
  return shape;
}

}  // namespace

void add_probes(const Command& command, ProbeOptions& options) {
  command
      .option("--probes", options.file, "FILE",
              "CSV, JSON lines or Parquet with the table's tags and time; - is standard input")
      .required();
  command.repeated("--map", options.map, "OLD=NEW", "Rename a column of the probes");
}

Result<std::uint64_t> parse_distance(Context& context, std::string_view option, const std::string& text,
                                     const TableInfo& info) {
  const bool is_time = info.index_type == "timestamp";
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::uint64_t unit = is_time ? unit_ns({rest, end}) : (rest == end ? 1 : 0);
  if (error == std::errc() && unit > 0 && !__builtin_mul_overflow(count, unit, &count)) return count;
  return context.usage(
      fmt::format("cannot read {} \"{}\"; want a number{}", option, text,
                  is_time ? " of ns, us, ms, s, m, h or d, as 5s" : fmt::format(", as {} has", info.time_column)));
}

Result<ReaderPtr> join_probes(Context& context, const ProbeOptions& options, const TableInfo& info,
                              const std::function<Result<ReaderPtr>(const ReaderPtr&)>& join) {
  ColumnOptions columns;
  MARIGRAM_ASSIGN(columns.map, parse_pairs(context, "--map", options.map, false));
  MARIGRAM_ASSIGN(const auto source, open_source(context.cancel, options.file, ""));
  const std::string name = options.file == "-" ? "standard input" : options.file;
  MARIGRAM_ASSIGN(ColumnPlan plan, plan_columns(columns, shape_of(info), *source, name));
  MARIGRAM_TRY(start_source(*source, plan));
  Progress progress("read " + name, source->bytes_total());
  const auto probes =
      std::make_shared<ImportRows>(*source, std::move(plan), TimeFormat(), name, context.cancel, progress);
  auto joined = join(probes);
  progress.clear();
  if (!joined) return std::unexpected(probes->error() ? *probes->error() : joined.error());
  return joined;
}

}  // namespace marigram::cli
