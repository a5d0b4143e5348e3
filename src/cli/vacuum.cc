#include "cli/vacuum.h"

#include "base/bucket_width.h"
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <system_error>

namespace marigram::cli {
namespace {

/// A number of versions, or an age; empty: everything.
Result<History> parse_history(Context& context, const std::string& text) {
  History history;
  if (text.empty()) return history;
  std::uint64_t versions = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), versions);
  if (error == std::errc() && end == text.data() + text.size() && versions > 0) {
    history.versions = versions;
    return history;
  }
  const auto seconds = parse_duration_seconds(text);
  if (!seconds)
    return context.usage(fmt::format("cannot read --history: {}; or a number of versions", seconds.error().message));
  history.seconds = *seconds;
  return history;
}

}  // namespace

void add_vacuum_options(const Command& command, VacuumTexts& texts) {
  command
      .option("--older-than", texts.older_than, "AGE",
              "Spare younger files: longer than the longest import may take (a number of s, m, h or d)")
      .shows_default();
  command.option("--history", texts.history, "VERSIONS|AGE",
                 "Give up versions before the newest so many, or before those of so long ago (default: keep all)");
  add_dry_run(command, texts.dry_run, "Delete nothing, only print");
}

Result<VacuumWanted> parse_vacuum(Context& context, const VacuumTexts& texts) {
  const auto seconds = parse_duration_seconds(texts.older_than);
  if (!seconds) return context.usage(fmt::format("cannot read --older-than: {}", seconds.error().message));
  VacuumWanted wanted{.older_than_seconds = *seconds};
  MARIGRAM_ASSIGN(wanted.history, parse_history(context, texts.history));
  return wanted;
}

Status print_vacuum(Context& context, const VacuumReport& report, bool dry_run, bool tells_oldest) {
  if (context.json) {
    nlohmann::ordered_json json{{"dry_run", dry_run}, {"files", report.files}, {"bytes", report.bytes}};
    if (tells_oldest) json["oldest"] = report.oldest;
    json["paths"] = report.paths;
    return context.print(json);
  }
  for (const std::string& path : report.paths) MARIGRAM_TRY(context.out.write(path + "\n"));
  MARIGRAM_TRY(context.out.flush());
  note(fmt::format("{} {}, {}", dry_run ? "would delete" : "deleted", count_of(report.files, "file"),
                   format_bytes(report.bytes)));
  return {};
}

}  // namespace marigram::cli
