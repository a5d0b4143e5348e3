#include "cli/row_lines.h"

#include "base/clock.h"
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/input_file.h"
#include "model/rows.h"
#include "wire/csv_rows.h"
#include "wire/json_rows.h"
#include "wire/line_protocol.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

namespace marigram::cli {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

/// --format, else what the file's name says, else line protocol.
std::string format_of(const RowLinesOptions& options, const std::string& file) {
  if (!options.format.empty()) return options.format;
  std::filesystem::path path(file);
  if (path.extension() == ".gz" || path.extension() == ".zst") path = path.stem();
  const std::string extension = path.extension().string();
  if (extension == ".csv") return "csv";
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson") return "jsonl";
  return "line";
}

std::optional<model::FieldType> field_type(std::string_view name) {
  using enum model::FieldType;
  for (const model::FieldType type : {kFloat64, kInt64, kUInt64, kBool, kString}) {
    if (name == model::field_type_name(type)) return type;
  }
  return std::nullopt;
}

Result<wire::CsvMapping> csv_mapping(Context& context, const RowLinesOptions& options) {
  wire::CsvMapping mapping{.table = options.table, .time_column = options.time, .tags = options.tags};
  if (!options.precision.empty()) {
    MARIGRAM_ASSIGN(mapping.time_unit, parse_time_unit(options.precision));
  }
  for (const std::string& text : options.fields) {
    MARIGRAM_ASSIGN(const ColumnInfo column, parse_column(context, "--field", text));
    const auto type = field_type(column.type);
    if (!type) {
      return context.usage(
          fmt::format("cannot read --field: got \"{}\", want a type of float64, int64, uint64, bool and string", text));
    }
    mapping.types.emplace(column.name, *type);
  }
  return mapping;
}

}  // namespace

void add_row_lines_options(const Command& command, RowLinesOptions& options) {
  command.choice("--format", options.format, {"line", "csv", "jsonl"},
                 "Format of the input (default: by the file's name, else line)");
  command.choice("--precision", options.precision, {"s", "ms", "us", "ns"},
                 "Unit of times that are integers (default: ns; CSV: RFC 3339)");
  command.option("--table", options.table, "TABLE", "Of CSV: the table, which line protocol and JSON name themselves");
  command.option("--time", options.time, "COLUMN", "Of CSV: the column of times").shows_default();
  command.repeated("--tag", options.tags, "COLUMN", "Of CSV: a column that is a tag");
  command.repeated("--field", options.fields, "COLUMN:TYPE",
                   "Of CSV: the type of a field, which is guessed from the first rows otherwise");
}

Status check_row_lines(Context& context, const RowLinesOptions& options, const std::vector<std::string>& files) {
  bool csv = false;
  for (const std::string& file : files) csv |= format_of(options, file) == "csv";
  if (csv && options.table.empty()) return context.usage("cannot write CSV: --table is missing; name the table");
  if (!csv && !(options.table.empty() && options.tags.empty() && options.fields.empty())) {
    return context.usage("cannot use --table, --tag and --field: they are for CSV; add --format csv if it is");
  }
  MARIGRAM_TRY(csv_mapping(context, options));
  return {};
}

Result<std::unique_ptr<wire::RowParser>> make_row_parser(Context& context, const RowLinesOptions& options,
                                                         const std::string& file, bool widen) {
  wire::ParserOptions parser{.widen = widen};
  const std::string format = format_of(options, file);
  if (format == "csv") {
    MARIGRAM_ASSIGN(wire::CsvMapping mapping, csv_mapping(context, options));
    return std::make_unique<wire::CsvParser>(parser, std::move(mapping));
  }
  if (!options.precision.empty()) {
    MARIGRAM_ASSIGN(parser.unit, parse_time_unit(options.precision));
  }
  if (format == "jsonl") return std::make_unique<wire::JsonParser>(parser);
  MARIGRAM_ASSIGN(const std::int64_t now, to_units_floor(system_clock().now(), parser.unit));
  return std::make_unique<wire::LineParser>(parser, now);
}

Status for_each_line(InputFile& file, const CancelToken& cancel,
                     const std::function<Status(std::string_view line, bool last)>& take) {
  MARIGRAM_ASSIGN(const auto stream, file.stream());
  std::vector<char> piece(kPieceBytes);
  for (;;) {
    const auto read = stream->Read(static_cast<std::int64_t>(piece.size()), piece.data());
    if (!read.ok()) return std::unexpected(from_arrow(read.status(), "cannot read " + file.name()));
    if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "cannot write on: interrupted");
    if (*read == 0) return take({}, true);
    std::string_view rest(piece.data(), static_cast<std::size_t>(*read));
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      const std::size_t length = newline == std::string_view::npos ? rest.size() : newline + 1;
      MARIGRAM_TRY(take(rest.substr(0, length), false));
      rest.remove_prefix(length);
    }
  }
}

}  // namespace marigram::cli
