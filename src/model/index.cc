#include "model/index.h"

#include "base/bucket_width.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <set>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace marigram::model {
namespace {

constexpr const char* kKindNames[] = {"timestamp", "int64", "uint64"};

Status check_name(std::string_view role, const std::string& name) {
  if (name.empty()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use index: the {} column has no name; want a column name", role));
  }
  if (name.find('\0') != std::string::npos) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use index: the name of the {} column holds a NUL byte; got `{}`", role,
                            name.substr(0, name.find('\0'))));
  }
  return {};
}

bool has_width(const IndexKind& kind) {
  if (const auto* timestamp = std::get_if<TimestampIndex>(&kind)) return timestamp->bucket.count >= 1;
  if (const auto* int64 = std::get_if<Int64Index>(&kind)) return int64->step >= 1;
  return std::get<UInt64Index>(kind).step >= 1;
}

}  // namespace

const char* index_kind_name(const IndexKind& kind) {
  return kKindNames[kind.index()];
}

std::string format_bucket(const IndexKind& kind) {
  if (const auto* timestamp = std::get_if<TimestampIndex>(&kind)) {
    return format_bucket_width(timestamp->bucket);
  }
  if (const auto* int64 = std::get_if<Int64Index>(&kind)) return std::to_string(int64->step);
  return std::to_string(std::get<UInt64Index>(kind).step);
}

Status validate_index(const IndexSpec& spec) {
  if (auto named = check_name("index", spec.column); !named) return named;
  std::set<std::string_view> seen{spec.column};
  for (const std::string& tag : spec.tags) {
    if (auto named = check_name("tag", tag); !named) return named;
    if (seen.insert(tag).second) continue;
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot use index: column `{}` is named twice among the index column and the tags; want each "
                    "column once",
                    tag));
  }
  if (!has_width(spec.kind)) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use index: the bucket of {} column `{}` has no width; got 0, want at least 1",
                            index_kind_name(spec.kind), spec.column));
  }
  return {};
}

bool value_matches(const IndexKind& kind, const IndexValue& value) {
  // Both variants list timestamp, int64, uint64 in this order.
  return kind.index() == value.index();
}

}  // namespace marigram::model
