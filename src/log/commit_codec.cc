#include "log/commit_codec.h"

#include "base/try.h"
#include "log/action_codec.h"
#include "log/json_in.h"
#include "log/meta_codec.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace marigram::log {
namespace {

constexpr std::string_view kFolder = "_timeseries_log/";
constexpr std::string_view kSuffix = ".json";

/// A newer protocol may change what actions look like, so all metadata is asked for it first.
Status check_protocols(simdjson::dom::array actions) {
  for (const json::Element action : actions) {
    const auto member = json::only_member(action);
    if (member && member->name == "UpdateTableMeta") MARIGRAM_TRY(check_protocol(*member->value));
  }
  return {};
}

Status set_dialect(Commit& commit, std::optional<Dialect> dialect) {
  if (!dialect) return {};
  if (commit.dialect && commit.dialect != dialect) return json::bad("it mixes members of both dialects");
  commit.dialect = dialect;
  return {};
}

Status set_extension(Commit& commit, json::Element element, Dialect dialect) {
  MARIGRAM_TRY(set_dialect(commit, dialect));
  if (commit.extension) return json::bad("it has the extension of marigram twice");
  MARIGRAM_ASSIGN(commit.extension, extension_in(element));
  return {};
}

Status add_action(Commit& commit, json::Element element) {
  const auto member = json::only_member(element);
  if (member && member->name == "Marigram") return set_extension(commit, *member->value, Dialect::kV7);
  MARIGRAM_ASSIGN(DecodedAction decoded, action_in(element));
  MARIGRAM_TRY(set_dialect(commit, decoded.dialect));
  commit.actions.push_back(std::move(decoded.action));
  return {};
}

Status refuse_unknown_actions(const Commit& commit) {
  if (commit.dialect != Dialect::kV1) return {};
  for (const Action& action : commit.actions) {
    const auto* unknown = std::get_if<UnknownAction>(&action);
    if (unknown == nullptr) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("the table needs a newer version of marigram: tables of format_version 1 have no action {}",
                            unknown->json.substr(0, 60)));
  }
  return {};
}

Status check_number(const json::Slot& slot, std::uint64_t want) {
  MARIGRAM_ASSIGN(const std::uint64_t got, json::u64(slot));
  if (got == want) return {};
  return json::bad(fmt::format("member \"{}\" is wrong; got {}, want {}", slot.name, got, want));
}

Result<Commit> commit_in(std::uint64_t version, json::Element element) {
  std::array slots{json::Slot{"version"}, json::Slot{"base_version"}, json::Slot{"timestamp"}, json::Slot{"actions"},
                   json::Slot{"marigram"}};
  MARIGRAM_TRY(json::read_members(element, "the commit", slots));
  MARIGRAM_TRY(check_number(slots[0], version));
  MARIGRAM_TRY(check_number(slots[1], version - 1));
  Commit commit{.version = version};
  MARIGRAM_ASSIGN(commit.timestamp, json::instant(slots[2]));
  MARIGRAM_ASSIGN(const auto actions, json::array(slots[3]));
  MARIGRAM_TRY(check_protocols(actions));
  commit.actions.reserve(actions.size());
  for (const json::Element action : actions) MARIGRAM_TRY(add_action(commit, action));
  // v7 readers ignore members beside the actions, so ours is an action there; this one belongs to v1.
  if (slots[4].value && commit.dialect != Dialect::kV7) {
    MARIGRAM_TRY(set_extension(commit, *slots[4].value, Dialect::kV1));
  }
  MARIGRAM_TRY(refuse_unknown_actions(commit));
  return commit;
}

Result<Commit> parse_commit(std::uint64_t version, std::string_view text) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(text));
  return commit_in(version, element);
}

}  // namespace

std::string commit_path(std::uint64_t version) {
  return fmt::format("{}{:010}{}", kFolder, version, kSuffix);
}

std::optional<std::uint64_t> version_in_path(std::string_view path) {
  if (!path.starts_with(kFolder) || !path.ends_with(kSuffix) || path.size() <= kFolder.size() + kSuffix.size()) {
    return std::nullopt;
  }
  const std::string_view digits = path.substr(kFolder.size(), path.size() - kFolder.size() - kSuffix.size());
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc() || end != digits.data() + digits.size() || version == 0) return std::nullopt;
  if (commit_path(version) != path) return std::nullopt;  // not the one spelling
  return version;
}

Result<std::string> encode_commit(Dialect dialect, const Commit& commit) {
  std::string out = fmt::format(R"({{"version":{},"base_version":{},"timestamp":"{}","actions":[)", commit.version,
                                commit.version - 1, format_rfc3339(commit.timestamp));
  for (std::size_t i = 0; i < commit.actions.size(); ++i) {
    if (i > 0) out += ',';
    MARIGRAM_ASSIGN(const std::string action, encode_action(dialect, commit.actions[i]));
    out += action;
  }
  std::string extension;
  if (commit.extension) {
    MARIGRAM_ASSIGN(extension, encode_extension(*commit.extension));
    if (dialect == Dialect::kV7) {
      out += fmt::format(R"({}{{"Marigram":{}}})", commit.actions.empty() ? "" : ",", extension);
    }
  }
  out += ']';
  if (commit.extension && dialect == Dialect::kV1) out += fmt::format(R"(,"marigram":{})", extension);
  out += '}';
  return out;
}

Result<Commit> decode_commit(std::uint64_t version, std::string_view text) {
  auto commit = parse_commit(version, text);
  if (!commit) {
    commit.error().message = fmt::format("cannot use commit {}: {}", commit_path(version), commit.error().message);
  }
  return commit;
}

bool is_whole_json(std::string_view text) {
  json::Parser parser;
  return parser.parse(text).has_value();
}

}  // namespace marigram::log
