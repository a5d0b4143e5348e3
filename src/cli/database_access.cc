#include "cli/database_access.h"

#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "model/matcher.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

Result<std::int64_t> parse_time(Context& context, std::string_view option, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  const auto instant = parse_rfc3339(text);
  const auto nanos = instant ? to_units_exact(*instant, TimeUnit::kNano) : std::unexpected(instant.error());
  if (nanos) return *nanos;
  return context.usage(fmt::format(
      "cannot read {}: got \"{}\", want a time like 2013-01-31T06:00:00Z, a date, or nanoseconds since 1970 "
      "({})",
      option, text, nanos.error().message));
}

}  // namespace

Result<OpenedDatabase> open_to_read(const Context& context, const std::string& path) {
  std::optional<RecoveryReport> recovery;
  auto owned = explain_opening(Database::open(path, {.create = false}));
  if (owned) {
    recovery = owned->recovery();
    MARIGRAM_TRY(owned->close());
  } else if (owned.error().code == ErrorCode::kConflict || owned.error().code == ErrorCode::kPermissionDenied) {
    if (!context.json) note(fmt::format("marigram: {} is not ours: what was flushed is shown", path));
  } else {
    return std::unexpected(std::move(owned).error());
  }
  MARIGRAM_ASSIGN(Database database, Database::open(path, {.create = false, .read_only = true}));
  return OpenedDatabase{.database = std::move(database), .recovery = recovery};
}

Result<Database> open_to_write(const std::string& path) {
  return explain_opening(Database::open(path, {.create = false}));
}

Option add_database(const Command& command, std::string& path) {
  return command.option("DB", path, "FOLDER", "Folder of the database").required();
}

Option add_database_table(const Command& command, std::string& table) {
  return command.option("NAMESPACE.TABLE", table, "NAMESPACE.TABLE", "The table; its namespace ends at the first dot")
      .required();
}

Option add_conditions(const Command& command, std::vector<std::string>& conditions) {
  return command.repeated("--where", conditions, "CONDITION",
                          "Only series with host=a, host!=a, host=~'a|b' or host!~'a.*'; all conditions must hold");
}

void add_times(const Command& command, TimesOptions& times) {
  command.option("--from", times.from, "TIME", "Rows from this time on, or from this nanosecond since 1970");
  command.option("--to", times.to, "TIME", "Rows up to this time, which is included");
}

Result<DatabaseTable> parse_database_table(Context& context, const std::string& text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == text.size()) {
    return context.usage(fmt::format("cannot read the table's name: got \"{}\", want NAMESPACE.TABLE", text));
  }
  return DatabaseTable{.name_space = text.substr(0, dot), .table = text.substr(dot + 1)};
}

Result<std::vector<TagMatcher>> parse_conditions(Context& context, const std::vector<std::string>& texts) {
  std::vector<TagMatcher> conditions;
  conditions.reserve(texts.size());
  for (const std::string& text : texts) {
    const std::size_t at = text.find_first_of("=!");
    const std::string_view rest = at == std::string::npos ? std::string_view() : std::string_view(text).substr(at);
    TagMatcher condition{.name = text.substr(0, at)};
    std::size_t length = 2;
    if (rest.starts_with("=~")) {
      condition.op = MatchOp::kRegex;
    } else if (rest.starts_with("!~")) {
      condition.op = MatchOp::kNotRegex;
    } else if (rest.starts_with("!=")) {
      condition.op = MatchOp::kNotEqual;
    } else {
      length = rest.starts_with('=') ? 1 : 0;
    }
    if (at == 0 || length == 0) {
      return context.usage(fmt::format(
          "cannot read --where: got \"{}\", want TAG=VALUE, TAG!=VALUE, TAG=~EXPRESSION or TAG!~EXPRESSION", text));
    }
    condition.value = rest.substr(length);
    conditions.push_back(std::move(condition));
  }
  if (const auto compiled = model::compile_matchers(conditions); !compiled) {
    return context.usage(compiled.error().message);
  }
  return conditions;
}

Result<Times> parse_times(Context& context, const TimesOptions& times) {
  Times range{.from_ns = std::numeric_limits<std::int64_t>::min(), .to_ns = std::numeric_limits<std::int64_t>::max()};
  if (!times.from.empty()) {
    MARIGRAM_ASSIGN(range.from_ns, parse_time(context, "--from", times.from));
  }
  if (!times.to.empty()) {
    MARIGRAM_ASSIGN(range.to_ns, parse_time(context, "--to", times.to));
  }
  if (range.from_ns <= range.to_ns) return range;
  return context.usage(fmt::format("cannot use this range: --from {} is behind --to {}", times.from, times.to));
}

std::string format_series(std::string_view table, const Tags& tags) {
  std::string text(table);
  for (const Tag& tag : tags) text += fmt::format(",{}={}", tag.name, tag.value);
  return text;
}

}  // namespace marigram::cli
