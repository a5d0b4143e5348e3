#include "db/backup_manifest.h"

#include "base/hash.h"
#include "base/try.h"
#include "log/action_codec.h"
#include "log/json_in.h"
#include "model/table_meta.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace marigram::db {
namespace {

namespace json = log::json;

constexpr std::string_view kKind = "backup";
constexpr std::uint64_t kFormat = 1;

/// What follows the checksummed part.
std::string ending(std::string_view checked) {
  return fmt::format(",\"checksum\":\"{}\"}}\n", Blake3().update(checked).hex(kHashDigits));
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

nlohmann::ordered_json table_out(const BackupTable& table) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const BackupFile& file : table.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"blake3", file.hash}});
  }
  nlohmann::ordered_json out{{"namespace", table.name_space}, {"table", table.name}};
  out["version"] = table.version;
  out["rows"] = table.rows;
  out["files"] = std::move(files);
  return out;
}

Result<BackupFile> file_in(json::Element element) {
  std::array slots{json::Slot{"path"}, json::Slot{"bytes"}, json::Slot{"blake3"}};
  MARIGRAM_TRY(json::read_members(element, "a file", slots, json::Unknown::kRefuse));
  BackupFile file;
  MARIGRAM_ASSIGN(file.path, json::text(slots[0]));
  MARIGRAM_ASSIGN(file.bytes, json::u64(slots[1]));
  MARIGRAM_ASSIGN(file.hash, json::text(slots[2]));
  if (!model::is_canonical_path(file.path) || !is_hash(file.hash)) {
    return json::bad(fmt::format("got file {}", json::show(element)));
  }
  return file;
}

Result<BackupTable> table_in(json::Element element) {
  std::array slots{json::Slot{"namespace"}, json::Slot{"table"}, json::Slot{"version"}, json::Slot{"rows"},
                   json::Slot{"files"}};
  MARIGRAM_TRY(json::read_members(element, "a table", slots, json::Unknown::kRefuse));
  BackupTable table;
  MARIGRAM_ASSIGN(table.name_space, json::text(slots[0]));
  MARIGRAM_ASSIGN(table.name, json::text(slots[1]));
  MARIGRAM_ASSIGN(table.version, json::u64(slots[2]));
  MARIGRAM_ASSIGN(table.rows, json::u64(slots[3]));
  MARIGRAM_ASSIGN(const auto files, json::array(slots[4]));
  for (const json::Element each : files) {
    MARIGRAM_ASSIGN(BackupFile file, file_in(each));
    table.files.push_back(std::move(file));
  }
  if (std::ranges::adjacent_find(table.files, std::ranges::greater_equal(), &BackupFile::path) != table.files.end()) {
    return json::bad(fmt::format("the files of {} are out of order", table.text()));
  }
  return table;
}

Result<BackupManifest> manifest_in(std::string_view text) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(text));
  std::array slots{json::Slot{"marigram"}, json::Slot{"format"}, json::Slot{"id"},      json::Slot{"base"},
                   json::Slot{"time"},     json::Slot{"tables"}, json::Slot{"checksum"}};
  MARIGRAM_TRY(json::read_members(element, "the manifest", slots));
  MARIGRAM_ASSIGN(const auto kind, json::text(slots[0]));
  MARIGRAM_ASSIGN(const std::uint64_t format, json::u64(slots[1]));
  if (kind != kKind) return json::bad(fmt::format("it is of a \"{}\", want \"{}\"", kind, kKind));
  if (format != kFormat) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("got format {}, want {}; a newer Marigram may have made it", format, kFormat));
  }
  BackupManifest manifest;
  MARIGRAM_ASSIGN(manifest.id, json::text(slots[2]));
  MARIGRAM_ASSIGN(const auto base, json::optional_text(slots[3]));
  manifest.base = base.value_or("");
  MARIGRAM_ASSIGN(manifest.time, json::instant(slots[4]));
  MARIGRAM_ASSIGN(const auto tables, json::array(slots[5]));
  for (const json::Element each : tables) {
    MARIGRAM_ASSIGN(BackupTable table, table_in(each));
    manifest.tables.push_back(std::move(table));
  }
  return manifest;
}

}  // namespace

const BackupFile* BackupTable::find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files, path, {}, &BackupFile::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

const BackupTable* BackupManifest::find(std::string_view name_space, std::string_view name) const {
  const auto key = [](const BackupTable& table) {
    return std::tuple<std::string_view, std::string_view>(table.name_space, table.name);
  };
  const auto found = std::ranges::lower_bound(tables, std::tuple(name_space, name), {}, key);
  return found != tables.end() && key(*found) == std::tuple(name_space, name) ? &*found : nullptr;
}

Result<std::string> encode_manifest(const BackupManifest& manifest) {
  nlohmann::ordered_json tables = nlohmann::ordered_json::array();
  for (const BackupTable& table : manifest.tables) tables.push_back(table_out(table));
  nlohmann::ordered_json out{{"marigram", kKind}, {"format", kFormat}, {"id", manifest.id}};
  if (!manifest.base.empty()) out["base"] = manifest.base;
  out["time"] = format_rfc3339(manifest.time);
  out["tables"] = std::move(tables);
  MARIGRAM_ASSIGN(std::string text, log::dump(out));
  text.pop_back();  // the brace
  return text + ending(text);
}

Result<BackupManifest> decode_manifest(std::string_view text) {
  const std::size_t end = text.rfind(",\"checksum\":");
  if (end == std::string_view::npos) return json::bad("it is cut short");
  if (text.substr(end) != ending(text.substr(0, end))) {
    return json::bad("its bytes do not have the checksum that it states");
  }
  return manifest_in(text);
}

Result<BackupManifest> read_manifest(Storage& storage) {
  MARIGRAM_ASSIGN(const io::ObjectContent content, storage.store("")->read(kManifest));
  auto manifest = decode_manifest(content.bytes);
  if (!manifest) {
    manifest.error().message =
        fmt::format("cannot use {} of {}: {}", kManifest, storage.name(), manifest.error().message);
  }
  return manifest;
}

}  // namespace marigram::db
