// marigram coverage: how much of the time line a table, or each of its series, covers.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/heat_strip.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/coverage.h>
#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string from;
  std::string to;
  std::string by;
  std::vector<std::string> where;
};

constexpr std::size_t kGapsShown = 10;  // longest first; `gaps` lists all

// Rounds down, so that only a whole coverage reads 100 %.
std::string percentage(double ratio) {
  const auto hundredths = static_cast<std::uint64_t>(ratio * 10'000);
  return fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

std::string range_text(const IndexValue& from, const IndexValue& to) {
  return fmt::format("{} to {}", format_index_value(from), format_index_value(to));
}

bool is_empty(const CoverageReport& report) {
  return report.expected_buckets == 0 && report.covered_buckets == 0;
}

std::string longest_gaps(const CoverageReport& report) {
  std::vector<BucketRange> gaps = report.gaps;
  std::ranges::sort(gaps, [](const BucketRange& a, const BucketRange& b) {
    return a.buckets != b.buckets ? a.buckets > b.buckets : a.from < b.from;
  });
  const std::size_t shown = std::min(gaps.size(), kGapsShown);
  if (shown == 0) return {};
  TextTable table({{"gap from"}, {"to"}, {"buckets", Align::kRight}});
  for (const BucketRange& gap : std::vector(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(shown))) {
    table.add_row({format_index_value(gap.from), format_index_value(gap.to), group_digits(gap.buckets)});
  }
  std::string out = "\n" + table.render(false);
  if (gaps.size() > shown) {
    out += fmt::format("and {} more, none longer; `marigram gaps` lists them all\n", group_digits(gaps.size() - shown));
  }
  return out;
}

std::string render_table(const Options& options, const TableInfo& info, const CoverageReport& report) {
  if (is_empty(report)) return fmt::format("{} covers nothing\n", options.table);
  std::string out =
      fmt::format("{}  {}  buckets of {}\n", options.table, range_text(report.from, report.to), info.bucket);
  out += fmt::format("covered  {} of {} buckets, {}\n", group_digits(report.covered_buckets),
                     group_digits(report.expected_buckets), percentage(report.ratio));
  out += fmt::format(
      "gaps     {}{}\n", group_digits(report.gaps.size()),
      report.gaps.empty() ? "" : fmt::format(", the longest {}", count_of(report.max_gap_buckets, "bucket")));
  const Terminal terminal = inspect_terminal(STDOUT_FILENO);
  if (terminal.present && terminal.width > 2) {
    out +=
        heat_strip(report, {.cells = terminal.width - 1, .color = terminal.color, .unicode = terminal.unicode}) + "\n";
  }
  return out + longest_gaps(report);
}

// The cells of a strip beside each series' line, if the terminal leaves room for one.
std::size_t strip_cells(const Terminal& terminal, const std::vector<std::string>& lines) {
  constexpr std::size_t kCellsMin = 10;
  std::size_t widest = 0;
  for (const std::string& line : lines) widest = std::max(widest, display_width(line));
  return terminal.present && terminal.width > widest + 3 + kCellsMin ? terminal.width - widest - 3 : 0;
}

std::string render_series(const TableInfo& info, const std::vector<CoverageReport>& reports) {
  TextTable table({{"series"},
                   {"covered", Align::kRight},
                   {"expected", Align::kRight},
                   {"ratio", Align::kRight},
                   {"missing", Align::kRight},
                   {"gaps", Align::kRight},
                   {"longest", Align::kRight}});
  const std::vector<std::string> tags = names_of(info.tags);
  for (const CoverageReport& report : reports) {
    table.add_row({format_series(tags, report.series), group_digits(report.covered_buckets),
                   group_digits(report.expected_buckets), percentage(report.ratio),
                   group_digits(report.expected_buckets - report.covered_buckets), group_digits(report.gaps.size()),
                   group_digits(report.max_gap_buckets)});
  }
  const Terminal terminal = inspect_terminal(STDOUT_FILENO);
  const std::string text = table.render(false);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::size_t cells = strip_cells(terminal, lines);
  std::string out = lines.front() + "\n";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    out += lines[i];
    if (cells > 0) {
      out += "  " + heat_strip(reports[i - 1], {.cells = cells, .color = terminal.color, .unicode = terminal.unicode});
    }
    out += '\n';
  }
  return out;
}

Status print_series(Context& context, const Options& options, const TableInfo& info,
                    const std::vector<CoverageReport>& reports) {
  if (!context.json) {
    if (reports.empty()) return context.out.write(fmt::format("{} holds no series that match\n", options.table));
    return context.out.write(render_series(info, reports));
  }
  Json list = Json::array();
  for (const CoverageReport& report : reports) {
    Json entry = {{"series", series_json(info.tags, report.series)}};
    add_report(entry, report, nullptr);
    list.push_back(std::move(entry));
  }
  return context.print({{"table", options.table}, {"bucket", info.bucket}, {"series", std::move(list)}});
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table));
  const TableInfo info = table.info();
  CoverageRequest request;
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  request.from = range.from;
  request.to = range.to;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  if (options.by == "series") {
    MARIGRAM_ASSIGN(const auto reports, table.coverage_by_series(request));
    MARIGRAM_TRY(print_series(context, options, info, reports));
    return kExitOk;
  }
  MARIGRAM_ASSIGN(const CoverageReport report, table.coverage(request));
  if (context.json) {
    Json object = {{"table", options.table}};
    add_report(object, report, &info.bucket);
    MARIGRAM_TRY(context.print(object));
  } else {
    MARIGRAM_TRY(context.out.write(render_table(options, info, report)));
  }
  return kExitOk;
}

}  // namespace

void add_coverage(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "coverage",
                  "Tell how much of the time line is covered, and draw it when standard output is a terminal",
                  "marigram coverage weather --by series --from 2013-01-01 --to 2014-01-01");
  add_table(command, options->table);
  command.option("--from", options->from, "TIME", "Begin of the range (default: where the data begin)");
  command.option("--to", options->to, "TIME", "End of the range, exclusive (default: where the data end)");
  command.choice("--by", options->by, {"series"}, "One report for each series");
  add_where(command, options->where);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
