// marigram show: what a table is.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {

namespace {

std::string column_list(const std::vector<ColumnInfo>& columns) {
  std::string out;
  for (const ColumnInfo& column : columns) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", printable(column.name), column.type);
  }
  return out.empty() ? "none" : out;
}

std::string describe(const std::string& name, const TableInfo& info) {
  std::string out;
  const auto line = [&out](std::string_view title, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "{:<10} {}\n", title, text);
  };
  line("table", name);
  line("version", fmt::format("{} ({})", info.version, dialect_name(info.dialect)));
  line("created", format_rfc3339(info.created_at));
  line("rows", group_digits(info.rows));
  line("segments", fmt::format("{} ({})", group_digits(info.segments), format_name(info.segment_format)));
  if (info.segment_format == SegmentFormat::kNative) line("compression", printable(info.compression));
  const std::string unit = info.unit ? fmt::format(", {}", time_unit_name(*info.unit)) : "";
  line("time", fmt::format("{} ({}{})", printable(info.time_column), info.index_type, unit));
  if (info.min && info.max) {
    line("range", fmt::format("{} to {}", format_index_value(*info.min), format_index_value(*info.max)));
  }
  line("bucket", info.bucket);
  line("duplicates", duplicates_name(info.duplicates));
  if (info.timezone) line("timezone", *info.timezone);
  line("tags", column_list(info.tags));
  line("fields", info.unit || !info.fields.empty() ? column_list(info.fields) : "those of the first rows");
  if (info.calendar) line("calendar", *info.calendar);
  line("features", info.features.empty() ? "none" : fmt::format("{}", fmt::join(info.features, ", ")));
  return out;
}

Result<int> run(Context& context, const std::string& name) {
  MARIGRAM_ASSIGN(const Table table, Table::open(name));
  const TableInfo info = table.info();
  MARIGRAM_TRY(context.json ? context.print(to_json(info)) : context.out.write(describe(name, info)));
  return kExitOk;
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  auto table = std::make_shared<std::string>();
  const Command command = add_command(app, context, "show", "Print what a table is: columns, range, rows, version",
                                      "marigram show weather");
  add_table(command, *table);
  command.runs([&context, table] { return run(context, *table); });
}

}  // namespace marigram::cli
