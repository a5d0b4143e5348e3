#include "cli/row_output.h"

#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/batch_writer.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/error.h>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace marigram::cli {

namespace {

// --format, else --json, else what the file's name says, else a table.
Result<std::string> choose_format(Context& context, const RowOutputOptions& options) {
  if (!options.format.empty()) return options.format;
  if (context.json) return "json";
  if (options.file.empty()) return "table";
  const std::string extension = std::filesystem::path(options.file).extension().string();
  if (extension == ".csv") return "csv";
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson") return "json";
  if (extension == ".arrow" || extension == ".arrows") return "arrow";
  if (extension == ".parquet") return "parquet";
  if (extension == ".txt") return "table";
  return context.usage(
      fmt::format("cannot choose a format for {}: its name says none; add --format csv, json, arrow, parquet or table",
                  options.file));
}

Result<RowsWritten> copy_rows(arrow::RecordBatchReader& reader, BatchWriter& writer, std::uint64_t limit) {
  RowsWritten written;
  while (true) {
    auto batch = reader.Next();
    if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
    if (*batch == nullptr) return written;
    const std::uint64_t left = limit - written.rows;
    const auto rows = static_cast<std::uint64_t>((*batch)->num_rows());
    if (rows > left) *batch = (*batch)->Slice(0, static_cast<std::int64_t>(left));
    if ((*batch)->num_rows() > 0) MARIGRAM_TRY(writer.write(**batch));
    written.rows += static_cast<std::uint64_t>((*batch)->num_rows());
    written.more = rows > left;
    if (written.more) return written;
  }
}

}  // namespace

void add_limit(const Command& command, RowOutputOptions& options) {
  command.option("--limit", options.limit, "N", "At most N rows (a table on standard output: 40 unless given)")
      .not_negative();
}

void add_row_format(const Command& command, RowOutputOptions& options) {
  command.choice(
      "--format", options.format, {"table", "csv", "json", "arrow", "parquet"},
      "Aligned text, CSV, JSON lines, an Arrow IPC stream, or Parquet (default: by the file's name, else table)");
  command.option("-o,--output", options.file, "FILE", "Write to a file, which appears whole or not at all");
}

Result<RowOutput> choose_row_output(Context& context, const RowOutputOptions& options) {
  RowOutput output{.format = {}, .file = options.file};
  MARIGRAM_ASSIGN(output.format, choose_format(context, options));
  output.abridged = output.format == "table" && options.limit == RowOutputOptions::kNoLimit && options.file.empty();
  const bool binary = output.format == "arrow" || output.format == "parquet";
  if (binary && options.file.empty() && inspect_terminal(STDOUT_FILENO).present) {
    return context.usage(
        fmt::format("cannot print {} on a terminal; add -o FILE or redirect standard output", output.format));
  }
  return output;
}

Result<RowsWritten> write_rows(Context& context, const RowOutput& output, arrow::RecordBatchReader& reader) {
  const bool to_file = !output.file.empty();
  if (to_file) {
    MARIGRAM_ASSIGN(context.out, Output::file(output.file));
  }
  const bool color = !to_file && inspect_terminal(STDOUT_FILENO).color;
  MARIGRAM_ASSIGN(auto writer, make_batch_writer(output.format, *reader.schema(), context.out, color));
  const std::uint64_t limit = output.abridged ? RowOutput::kTableRows : RowOutputOptions::kNoLimit;
  MARIGRAM_ASSIGN(const RowsWritten written, copy_rows(reader, *writer, limit));
  MARIGRAM_TRY(writer->finish());
  if (!to_file) {
    MARIGRAM_TRY(written.more ? context.out.flush() : Status());  // before a remark about it
    return written;
  }
  MARIGRAM_TRY(context.out.finish());  // before it is called written
  note(fmt::format("wrote {} to {}", count_of(written.rows, "row"), output.file));
  return written;
}

}  // namespace marigram::cli
