#include "cli/rollups.h"

#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/text_table.h"

#include <marigram/time.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace marigram::cli {

void add_rollup_options(const Command& command, const std::string& name, RollupTexts& texts) {
  command.names(name, texts.intervals, "WIDTH,...",
                "Keep rollups of these intervals, the finest first: numbers of s, m, h, d, w, mo or y");
  command.option("--rollup-timezone", texts.timezone, "ZONE", "By the clocks of this IANA zone (default: UTC)");
  command.option("--rollup-origin", texts.origin, "TIME",
                 "Intervals begin here (default: 1970-01-01, weeks on Monday)");
  command.names("--percentiles", texts.percentiles, "FIELD,...", "Keep percentiles of these fields too, about");
}

void add_rollup_change(const Command& command, RollupChange& change) {
  add_rollup_options(command, "--set", change.rollups);
  command.flag("--none", change.none, "Keep none any more").excludes("--set");
  add_dry_run(command, change.dry_run, "Change nothing, only list").excludes("--set").excludes("--none");
}

Result<RollupOptions> parse_rollups(Context& context, const RollupTexts& texts) {
  RollupOptions options{.intervals = texts.intervals, .timezone = texts.timezone, .percentiles = texts.percentiles};
  if (!texts.origin.empty()) {
    const auto origin = parse_rfc3339(texts.origin);
    if (!origin) return context.usage("cannot read --rollup-origin: " + origin.error().message);
    options.origin = *origin;
  }
  const bool has_others = !texts.timezone.empty() || !texts.origin.empty() || !texts.percentiles.empty();
  if (!has_others || !texts.intervals.empty()) return options;
  return context.usage("cannot use --rollup-timezone, --rollup-origin or --percentiles without intervals of rollups");
}

Status print_rollups(Context& context, const std::string& table, const std::vector<RollupInfo>& levels,
                     const RefreshReport* refresh) {
  if (context.json) {
    nlohmann::ordered_json json;
    if (refresh != nullptr) json = {{"version", refresh->version}, {"rows", refresh->rows}};
    json["levels"] = nlohmann::ordered_json::array();
    for (const RollupInfo& level : levels) {
      json["levels"].push_back({{"interval", level.interval},
                                {"rows", level.rows},
                                {"segments", level.segments},
                                {"bytes", level.bytes},
                                {"through", level.through},
                                {"pending", level.pending}});
    }
    return context.print(json);
  }
  if (levels.empty()) return context.out.write(fmt::format("{} keeps no rollups\n", table));
  using enum Align;
  TextTable text({{"interval"}, {"rows", kRight}, {"segments", kRight}, {"size", kRight}, {"pending", kRight}});
  for (const RollupInfo& level : levels) {
    text.add_row({level.interval, group_digits(level.rows), group_digits(level.segments), format_bytes(level.bytes),
                  count_of(level.pending, "bucket")});
  }
  MARIGRAM_TRY(context.out.write(text.render(false)));
  if (refresh == nullptr) return {};
  return context.out.write(fmt::format("wrote {}: version {}\n", count_of(refresh->rows, "row"), refresh->version));
}

}  // namespace marigram::cli
