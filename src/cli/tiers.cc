#include "cli/tiers.h"

#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace marigram::cli {

void add_tier_options(const Command& command, TierTexts& texts) {
  command.option("--cold-after", texts.after, "AGE",
                 "Rows of that age become cold: a number of s, m, h, d, w, mo or y; none: no more do");
  command.choice("--cold-segments", texts.segments, {"native", "parquet"}, "What files cold rows are kept in");
  add_compression(command, "--cold-compression", texts.compression, "Of cold native segments");
  command.option("--cold-root", texts.root, "FOLDER", "An empty folder for cold segments, on another disk perhaps");
}

TierOptions change_tiers(const TierTexts& texts, const TierOptions& before) {
  TierOptions tiers = before;
  if (!texts.after.empty()) tiers.cold_after = texts.after == "none" ? "" : texts.after;
  if (!texts.segments.empty()) tiers.segments = segments_named(texts.segments);
  if (!texts.compression.empty()) tiers.compression = texts.compression;
  if (!texts.root.empty()) tiers.root = texts.root;
  return tiers;
}

Status print_tiers(Context& context, const std::string& table, const TierOptions& tiers,
                   const std::vector<TierUsage>& usage, const TierReport& report, bool dry_run) {
  if (context.json) {
    nlohmann::ordered_json json = {{"version", report.version},
                                   {"dry_run", dry_run},
                                   {"cold_after", tiers.cold_after},
                                   {"root", tiers.root},
                                   {"rows", report.rows},
                                   {"segments", report.segments},
                                   {"bytes_before", report.bytes_before},
                                   {"bytes_after", report.bytes_after}};
    for (const TierUsage& own : usage) {
      json["tiers"].push_back(
          {{"tier", own.tier}, {"rows", own.rows}, {"segments", own.segments}, {"bytes", own.bytes}});
    }
    return context.print(json);
  }
  TextTable text({{"tier"}, {"rows", Align::kRight}, {"segments", Align::kRight}, {"size", Align::kRight}});
  for (const TierUsage& own : usage) {
    text.add_row({own.tier, group_digits(own.rows), group_digits(own.segments), format_bytes(own.bytes)});
  }
  std::string out = text.render(false);
  const std::string moved = fmt::format("{} ({}, {})", count_of(report.rows, "row"),
                                        count_of(report.segments, "segment"), format_bytes(report.bytes_before));
  if (tiers.cold_after.empty()) {
    out += fmt::format("no rows of {} become cold\n", table);
  } else if (dry_run) {
    out += fmt::format("{} of {} would become cold\n", moved, table);
  } else {
    out += fmt::format("{} of {} became cold, of {} now: version {}\n", moved, table, format_bytes(report.bytes_after),
                       report.version);
  }
  return context.out.write(out);
}

}  // namespace marigram::cli
