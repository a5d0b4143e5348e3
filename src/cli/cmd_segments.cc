// marigram segments: the files that hold a table's rows.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

std::string render(const std::vector<SegmentInfo>& segments, const std::vector<ColumnInfo>& tags) {
  TextTable table(
      {{"id"}, {"min"}, {"max"}, {"rows", Align::kRight}, {"size", Align::kRight}, {tags.empty() ? "" : "series"}});
  for (const SegmentInfo& segment : segments) {
    const std::string series = segment.series ? format_series(names_of(tags), *segment.series) : "several";
    table.add_row({segment.id, format_index_value(segment.min), format_index_value(segment.max),
                   group_digits(segment.rows), segment.bytes == 0 ? "" : format_bytes(segment.bytes),
                   tags.empty() ? "" : series});
  }
  return table.render(inspect_terminal(STDOUT_FILENO).color);
}

Result<int> run(Context& context, const std::string& name) {
  MARIGRAM_ASSIGN(const Table table, Table::open(name));
  const TableInfo info = table.info();
  const std::vector<SegmentInfo> segments = table.segments();
  if (!context.json) {
    MARIGRAM_TRY(context.out.write(render(segments, info.tags)));
    return kExitOk;
  }
  Json list = Json::array();
  for (const SegmentInfo& segment : segments) list.push_back(segment_json(segment, info.tags));
  MARIGRAM_TRY(context.print({{"version", info.version}, {"segments", std::move(list)}}));
  return kExitOk;
}

}  // namespace

void add_segments(CLI::App& app, Context& context) {
  auto table = std::make_shared<std::string>();
  const Command command =
      add_command(app, context, "segments", "List the segments of a table, in time order", "marigram segments weather");
  add_table(command, *table);
  command.runs([&context, table] { return run(context, *table); });
}

}  // namespace marigram::cli
