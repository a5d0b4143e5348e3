// marigram db write: rows of line protocol, CSV or JSON lines, batch by batch.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/input_file.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/row_lines.h"
#include "cli/text_table.h"
#include "db/core.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

constexpr std::size_t kReportedLines = 10;
/// A batch of so much text is written before it has all its rows: more might not fit in a record of the log.
constexpr std::uint64_t kBatchBytes = std::uint64_t{2} << 20;

struct Options {
  std::string path;
  std::string name_space;
  std::vector<std::string> files;
  RowLinesOptions lines;
  std::string durability = "sync";
  std::string duplicates = "last";
  std::string segments = "parquet";
  std::string compression = "auto";
  std::uint64_t batch_rows = 10'000;
  bool skip_bad = false;
  bool widen = false;
};

/// What came of all files so far.
struct Written {
  std::uint64_t rows = 0;
  std::uint64_t batches = 0;
  std::uint64_t skipped = 0;  // lines
};

DatabaseOptions database_options(const Options& options) {
  DatabaseOptions database{.create = false, .widen_integers = options.widen};
  if (options.durability == "interval") database.durability = Durability::kInterval;
  if (options.durability == "none") database.durability = Durability::kNone;
  if (options.duplicates == "reject") database.duplicates = Duplicates::kReject;
  if (options.duplicates == "all") database.duplicates = Duplicates::kAll;
  database.segments = segments_named(options.segments);
  database.compression = options.compression;
  return database;
}

/// Writes the lines of one file after another. What a failure leaves behind are whole batches.
class LineWriter {
 public:
  LineWriter(Context& context, db::Core& core, const Options& options)
      : context_(context), core_(core), options_(options) {}

  const Written& written() const { return written_; }

  Status write_file(const std::string& path) {
    MARIGRAM_ASSIGN(const auto file, InputFile::open(path, context_.cancel));
    MARIGRAM_ASSIGN(const auto parser, make_row_parser(context_, options_.lines, path, options_.widen));
    Progress progress("write " + file->name(), file->size());
    const auto done = for_each_line(*file, context_.cancel, [&](std::string_view line, bool last) -> Status {
      parser->feed(line);
      if (last) parser->finish();
      if (!options_.skip_bad && parser->error_count() > 0) return stopped_at(*parser, file->name());
      if (parser->rows() < options_.batch_rows && parser->bytes() < kBatchBytes && !last) return {};
      MARIGRAM_TRY(write_batch(*parser));
      progress.update(written_.rows, file->position());
      return {};
    });
    progress.clear();
    MARIGRAM_TRY(done);
    report_skipped(*parser, file->name());
    return {};
  }

 private:
  Status write_batch(wire::RowParser& parser) {
    const std::uint64_t rows = parser.rows();
    if (rows == 0) return {};
    const Status done = core_.write(options_.name_space, parser.take(), core_.options().durability);
    if (!done) return std::unexpected(with_what_was_written(done.error()));
    written_.rows += rows;
    ++written_.batches;
    return {};
  }

  Status stopped_at(const wire::RowParser& parser, const std::string& name) const {
    return std::unexpected(
        with_what_was_written({.code = ErrorCode::kInvalidInput,
                               .message = fmt::format("cannot write {}: {}", name, parser.errors().front().text())}));
  }

  Error with_what_was_written(Error error) const {
    error.message += fmt::format("; {} before it {} written, and nothing of its batch", count_of(written_.rows, "row"),
                                 written_.rows == 1 ? "was" : "were");
    return error;
  }

  void report_skipped(const wire::RowParser& parser, const std::string& name) {
    written_.skipped += parser.error_count();
    if (context_.json) return;
    const std::size_t shown = std::min(parser.errors().size(), kReportedLines);
    for (std::size_t i = 0; i < shown; ++i) note(fmt::format("marigram: {}: {}", name, parser.errors()[i].text()));
    if (parser.error_count() > shown) {
      note(fmt::format("marigram: {}: {} more bad lines", name, group_digits(parser.error_count() - shown)));
    }
  }

  Context& context_;
  db::Core& core_;
  const Options& options_;
  Written written_;
};

Status print_summary(Context& context, const Options& options, const Written& written, double seconds) {
  const auto rate = static_cast<std::uint64_t>(seconds > 0 ? static_cast<double>(written.rows) / seconds : 0);
  if (context.json) {
    return context.print({{"rows", written.rows},
                          {"batches", written.batches},
                          {"skipped", written.skipped},
                          {"seconds", seconds},
                          {"rows_per_second", rate}});
  }
  const std::string skipped =
      written.skipped == 0 ? "" : fmt::format(", left out {}", count_of(written.skipped, "line"));
  return context.out.write(fmt::format("wrote {} into {} of {}{}, {:.2f} s, {} rows/s\n", count_of(written.rows, "row"),
                                       options.name_space, options.path, skipped, seconds, group_digits(rate)));
}

Result<int> run(Context& context, const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_TRY(check_row_lines(context, options.lines, options.files));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const db::Surroundings surroundings, db::surroundings_of(options.path));
  MARIGRAM_ASSIGN(const auto core, explain_opening(db::Core::open(surroundings, database_options(options))));
  LineWriter writer(context, *core, options);
  for (const std::string& file : options.files) MARIGRAM_TRY(writer.write_file(file));
  MARIGRAM_TRY(core->close());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  MARIGRAM_TRY(print_summary(context, options, writer.written(), seconds));
  return kExitOk;
}

}  // namespace

void add_db_write(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  options->files = {"-"};
  const Command command = add_command(
      app, context, "write", "Write line protocol, CSV or JSON lines; tables, tags and fields appear as they come",
      "marigram db write metrics acme points.lp");
  add_database(command, options->path);
  command.option("NAMESPACE", options->name_space, "TEXT", "Where the tables are").required();
  command.option("INPUT", options->files, "FILE", "Files, plain or compressed; - is standard input (default: -)");
  add_row_lines_options(command, options->lines);
  command
      .choice("--durability", options->durability, {"sync", "interval", "none"},
              "Whether a batch is on stable storage before the next is read, soon, or when all is flushed at the end")
      .shows_default();
  command
      .option("--batch", options->batch_rows, "ROWS",
              "Rows that are written at once, whole or not at all; fewer if they are long")
      .between(1, 1'000'000)
      .shows_default();
  command.flag("--skip-bad-lines", options->skip_bad, "Leave out lines that cannot be read, instead of stopping");
  command.flag("--widen", options->widen, "Integers may go into fields of floats");
  command
      .choice("--duplicates", options->duplicates, {"reject", "last", "all"},
              "Of tables that this makes: rows of one series and time are refused, the last one is kept, or all are")
      .shows_default();
  command
      .choice("--segments", options->segments, {"parquet", "native"},
              "Of tables that this makes: what files rows are kept in")
      .shows_default();
  add_compression(command, "--compression", options->compression, "Of their native segments").shows_default();
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
