#include "cli/retention.h"

#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/text_table.h"

#include <marigram/time.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace marigram::cli {
namespace {

constexpr std::string_view kOption = "--keep";

std::vector<std::string> cut(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// TAG=VALUE;...:NAME=AGE,... : what stands before the last colon, if there is one, is of tags.
Result<RetentionRule> parse_rule(Context& context, const std::string& text) {
  RetentionRule rule;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    MARIGRAM_ASSIGN(rule.where, parse_where(context, cut(std::string_view(text).substr(0, colon), ';')));
  }
  for (const std::string& part : cut(std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1), ',')) {
    MARIGRAM_ASSIGN(auto pair, parse_pair(context, kOption, part, false));
    if (rule.keep.emplace(pair).second) continue;
    return context.usage(fmt::format("cannot read {} {}: {} is there twice", kOption, text, pair.first));
  }
  return rule;
}

std::string series_text(const std::vector<TagPredicate>& where) {
  std::vector<std::string> parts;
  parts.reserve(where.size());
  for (const TagPredicate& predicate : where) {
    parts.push_back(fmt::format("{}={}", predicate.column, fmt::join(predicate.values, "|")));
  }
  return where.empty() ? "all others" : fmt::format("{}", fmt::join(parts, " "));
}

/// A line for each thing that is kept for a time, or was.
Status print_rules(Context& context, const std::vector<RetentionInfo>& rules) {
  TextTable text({{"series"}, {"what"}, {"kept"}, {"gone before"}});
  for (const RetentionInfo& info : rules) {
    const auto horizon = [&](const std::string& name) {
      const auto found = info.horizons.find(name);
      return found == info.horizons.end() ? std::string("-") : format_rfc3339(found->second);
    };
    for (const auto& [name, age] : info.rule.keep) {
      text.add_row({series_text(info.rule.where), name, age, horizon(name)});
    }
    for (const auto& [name, time] : info.horizons) {
      if (info.rule.keep.contains(name)) continue;
      text.add_row({series_text(info.rule.where), name, "for ever", horizon(name)});
    }
    if (info.rule.keep.empty() && info.horizons.empty()) {
      text.add_row({series_text(info.rule.where), "rows", "for ever", "-"});
    }
  }
  return context.out.write(text.render(false));
}

}  // namespace

void add_keep(const Command& command, std::vector<std::string>& keep) {
  command.option(std::string(kOption), keep, "[TAG=VALUE;...:]NAME=AGE,...",
                 "From now on keep rows and levels of rollups so long, of some series or of all others (repeatable)");
}

void add_retention_change(const Command& command, RetentionChange& change) {
  add_keep(command, change.keep);
  command.flag("--none", change.none, "Keep what is there for ever from now on").excludes("--keep");
  add_dry_run(command, change.dry_run, "Change nothing, only say what would go");
}

Result<std::optional<std::vector<RetentionRule>>> parse_rules(Context& context, const RetentionChange& change) {
  if (!change.none && change.keep.empty()) return std::nullopt;
  return parse_rules(context, change.keep);
}

Result<std::vector<RetentionRule>> parse_rules(Context& context, const std::vector<std::string>& keep) {
  std::vector<RetentionRule> rules;
  for (const std::string& text : keep) {
    MARIGRAM_ASSIGN(RetentionRule rule, parse_rule(context, text));
    rules.push_back(std::move(rule));
  }
  return rules;
}

Status print_retention(Context& context, const std::string& table, const std::vector<RetentionInfo>& rules,
                       const ExpiryReport& report, bool dry_run) {
  if (context.json) {
    nlohmann::ordered_json json = {{"version", report.version},   {"dry_run", dry_run},
                                   {"rows", report.rows},         {"rollup_rows", report.rollup_rows},
                                   {"segments", report.segments}, {"bytes", report.bytes}};
    json["rules"] = nlohmann::ordered_json::array();
    for (const RetentionInfo& info : rules) {
      nlohmann::ordered_json rule = {{"where", nlohmann::ordered_json::object()},
                                     {"keep", info.rule.keep},
                                     {"horizons", nlohmann::ordered_json::object()}};
      for (const TagPredicate& predicate : info.rule.where) rule["where"][predicate.column] = predicate.values;
      for (const auto& [name, time] : info.horizons) rule["horizons"][name] = format_rfc3339(time);
      json["rules"].push_back(std::move(rule));
    }
    return context.print(json);
  }
  if (rules.empty()) {
    MARIGRAM_TRY(context.out.write(fmt::format("{} keeps everything for ever\n", table)));
    if (report.rows + report.rollup_rows == 0) return {};
  } else {
    MARIGRAM_TRY(print_rules(context, rules));
  }
  return context.out.write(fmt::format("{} {} and {} of rollups, {} ({}) at once: version {}\n",
                                       dry_run ? "would expire" : "expired", count_of(report.rows, "row"),
                                       count_of(report.rollup_rows, "row"), count_of(report.segments, "segment"),
                                       format_bytes(report.bytes), report.version));
}

}  // namespace marigram::cli
