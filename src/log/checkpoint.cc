#include "log/checkpoint.h"

#include "base/hash.h"
#include "base/try.h"
#include "log/action_codec.h"
#include "log/apply_commit.h"
#include "log/commit_codec.h"
#include "log/json_in.h"
#include "log/level_codec.h"
#include "log/meta_codec.h"
#include "model/table_meta.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

constexpr std::string_view kFolder = "_timeseries_log/_checkpoints";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::size_t kKept = 2;
constexpr std::uint64_t kFormat = 1;

std::optional<std::uint64_t> version_of(std::string_view path) {
  if (!path.starts_with(kFolder) || !path.ends_with(kSuffix)) return std::nullopt;
  const std::size_t start = kFolder.size() + 1;
  if (path.size() <= start + kSuffix.size()) return std::nullopt;
  const std::string_view digits = path.substr(start, path.size() - start - kSuffix.size());
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc() || version == 0 || checkpoint_path(version) != path) return std::nullopt;
  return version;
}

/// Versions of all checkpoints, newest first.
Result<std::vector<std::uint64_t>> list_versions(const io::ObjectStore& store) {
  MARIGRAM_ASSIGN(const auto objects, store.list(kFolder));
  std::vector<std::uint64_t> versions;
  for (const io::ObjectInfo& object : objects) {
    if (const auto version = version_of(object.key)) versions.push_back(*version);
  }
  std::ranges::sort(versions, std::greater<>());
  return versions;
}

Result<std::string> commit_hash(const io::ObjectStore& store, std::uint64_t version) {
  MARIGRAM_ASSIGN(const io::ObjectContent content, store.read(commit_path(version)));
  return Blake3().update(content.bytes).hex(64);
}

const char* dialect_name(Dialect dialect) {
  return dialect == Dialect::kV1 ? "v1" : "v7";
}

// ---- out ----

/// Lines into an object, by the buffer.
class LineWriter {
 public:
  explicit LineWriter(io::WritableObject& object) : object_(object) {}

  Status add(std::string_view line) {
    buffer_ += line;
    buffer_ += '\n';
    ++lines_;
    return buffer_.size() < kBufferBytes ? Status{} : flush();
  }
  Status add_trailer() {
    MARIGRAM_TRY(flush());
    buffer_ = fmt::format(R"({{"lines":{},"crc32c":"{:08x}"}})", lines_, crc_);
    buffer_ += '\n';
    return flush();
  }

 private:
  Status flush() {
    crc_ = crc32c(buffer_, crc_);
    const Status written = object_.write(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
    return written;
  }

  io::WritableObject& object_;
  std::string buffer_;
  std::uint64_t lines_ = 0;
  std::uint32_t crc_ = 0;
};

/// Each with its segments, then the changes that some do not know.
Status add_levels(LineWriter& lines, const TableState& state) {
  for (const Level& level : state.levels) {
    LevelChange whole{.interval = level.name, .through = level.through, .pending = level.pending};
    for (const auto& [key, segment] : level.table->segments) whole.actions.emplace_back(AddSegment{*segment});
    for (const auto& [name, tombstone] : level.table->tombstones) whole.tombstones.push_back(*tombstone);
    nlohmann::ordered_json line;
    line["Level"]["version"] = level.table->version;
    line["Level"]["level"] = levels_out({whole});
    MARIGRAM_ASSIGN(const std::string text, dump(line));
    MARIGRAM_TRY(lines.add(text));
  }
  for (const ChangedRows& change : state.changed) {
    nlohmann::ordered_json line;
    line["ChangedRows"] = {{"version", change.version}, {"path", change.coverage_path}};
    MARIGRAM_ASSIGN(const std::string text, dump(line));
    MARIGRAM_TRY(lines.add(text));
  }
  return {};
}

Status add_state(LineWriter& lines, const TableState& state) {
  const Dialect dialect = state.dialect();
  MARIGRAM_ASSIGN(const std::string meta, encode_action(dialect, UpdateTableMeta{*state.meta}));
  MARIGRAM_TRY(lines.add(meta));
  for (const auto& [key, segment] : state.segments) {
    MARIGRAM_ASSIGN(const std::string line, encode_action(dialect, AddSegment{*segment}));
    MARIGRAM_TRY(lines.add(line));
  }
  if (state.coverage) {
    nlohmann::ordered_json coverage;
    coverage["TableCoverage"]["path"] = state.coverage->path;
    coverage["TableCoverage"]["version"] = state.coverage->version;
    MARIGRAM_ASSIGN(const std::string line, dump(coverage));
    MARIGRAM_TRY(lines.add(line));
  }
  Extension options{.partition = state.partition,
                    .calendar = state.calendar,
                    .declared_types = state.declared_types,
                    .duplicates = state.duplicates,
                    .wal = state.wal};
  if (state.segment_format != SegmentFormat::kParquet) options.segments = state.segment_format;
  if (state.compression != TableState{}.compression) options.compression = state.compression;
  for (const auto& [name, tombstone] : state.tombstones) options.tombstones.push_back(*tombstone);
  if (!state.rollups.empty()) options.rollups = state.rollups;
  if (!state.retention.empty()) options.retention = state.retention;
  if (state.oldest > 1) options.oldest = state.oldest;
  if (!state.tiers.empty()) options.tiers = state.tiers;
  if (!state.version_names.empty()) options.version_names = state.version_names;
  MARIGRAM_ASSIGN(const std::string extension, encode_extension(options));
  MARIGRAM_TRY(lines.add(fmt::format(R"({{"Marigram":{}}})", extension)));
  MARIGRAM_TRY(add_levels(lines, state));
  for (const std::string& action : state.unknown_actions) {
    MARIGRAM_TRY(lines.add(fmt::format(R"({{"Unknown":{}}})", action)));
  }
  return {};
}

/// Of those up to `version` all but the newest; of those beyond it, the ones whose commit does not exist: an earlier
/// table of this name left them, and they must not count as the newest.
Status remove_old(io::ObjectStore& store, std::uint64_t version) {
  MARIGRAM_ASSIGN(const auto versions, list_versions(store));
  std::size_t kept = 0;
  for (const std::uint64_t candidate : versions) {
    if (candidate <= version && ++kept <= kKept) continue;
    if (candidate > version) {
      const auto commit = store.head(commit_path(candidate));
      if (commit || commit.error().code != ErrorCode::kNotFound) continue;
    }
    const auto removed = store.remove(checkpoint_path(candidate));
    if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  }
  return {};
}

// ---- in ----

struct Header {
  std::uint64_t version = 0;
  std::string commit_hash;
  Dialect dialect{};
  Instant timestamp;
};

Result<Header> header_in(std::string_view line, std::uint64_t version) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(line));
  std::array slots{json::Slot{"marigram_checkpoint"}, json::Slot{"version"}, json::Slot{"commit_blake3"},
                   json::Slot{"dialect"}, json::Slot{"timestamp"}};
  MARIGRAM_TRY(json::read_members(element, "its header", slots));
  MARIGRAM_ASSIGN(const std::uint64_t format, json::u64(slots[0]));
  if (format != kFormat) return json::bad(fmt::format("got format {}, want {}", format, kFormat));
  Header header;
  MARIGRAM_ASSIGN(header.version, json::u64(slots[1]));
  if (header.version != version) return json::bad(fmt::format("it is one of version {}", header.version));
  MARIGRAM_ASSIGN(header.commit_hash, json::text(slots[2]));
  MARIGRAM_ASSIGN(const auto dialect, json::text(slots[3]));
  header.dialect = dialect == dialect_name(Dialect::kV1) ? Dialect::kV1 : Dialect::kV7;
  if (dialect != dialect_name(header.dialect)) return json::bad(fmt::format("got dialect \"{}\"", dialect));
  MARIGRAM_ASSIGN(header.timestamp, json::instant(slots[4]));
  return header;
}

/// The lines of a checkpoint without the trailer, once that has vouched for them.
Result<std::size_t> checked_size(std::string_view bytes) {
  if (bytes.empty() || bytes.back() != '\n') return json::bad("it is cut short");
  const std::size_t before = bytes.substr(0, bytes.size() - 1).rfind('\n');
  if (before == std::string_view::npos) return json::bad("it is cut short");
  const std::string_view body = bytes.substr(0, before + 1);
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(bytes.substr(body.size())));
  std::array slots{json::Slot{"lines"}, json::Slot{"crc32c"}};
  MARIGRAM_TRY(json::read_members(element, "its trailer", slots, json::Unknown::kRefuse));
  MARIGRAM_ASSIGN(const std::uint64_t lines, json::u64(slots[0]));
  MARIGRAM_ASSIGN(const auto crc, json::text(slots[1]));
  if (crc != fmt::format("{:08x}", crc32c(body))) return json::bad("its bytes do not have the checksum that it states");
  std::uint64_t counted = 0;
  for (std::size_t at = body.find('\n'); at != std::string_view::npos; at = body.find('\n', at + 1)) ++counted;
  if (counted != lines) return json::bad(fmt::format("it has {} lines and states {}", counted, lines));
  return body.size();
}

Result<CoveragePointer> coverage_in(json::Element element, std::uint64_t version) {
  std::array slots{json::Slot{"path"}, json::Slot{"version"}};
  MARIGRAM_TRY(json::read_members(element, "TableCoverage", slots));
  CoveragePointer pointer;
  MARIGRAM_ASSIGN(pointer.path, json::text(slots[0]));
  MARIGRAM_ASSIGN(pointer.version, json::u64(slots[1]));
  if (!model::is_canonical_path(pointer.path) || pointer.version == 0 || pointer.version > version) {
    return json::bad(fmt::format("got table coverage {}", json::show(element)));
  }
  return pointer;
}

Status add_segment(TableState& state, json::Element element) {
  if (!state.meta) return json::bad("a segment comes before the metadata");
  auto segment = std::make_shared<model::SegmentMeta>();
  MARIGRAM_ASSIGN(const Dialect dialect, segment_in(element, *segment));
  if (dialect != state.meta->dialect) return json::bad("a segment is of the other dialect");
  MARIGRAM_TRY(check_segment(*state.meta, *segment));
  const std::string& key = segment->key(dialect);
  // In key order, so the end is the place.
  if (!state.segments.empty() && state.segments.rbegin()->first >= key)
    return json::bad("its segments are out of order");
  state.segments.emplace_hint(state.segments.end(), key, std::move(segment));
  return {};
}

Status make_levels(TableState& state, model::RollupSpec spec) {
  if (!state.meta || !model::can_keep_rollups(*state.meta)) return json::bad("it has rollups of a table without times");
  state.rollups = std::move(spec);
  for (const Interval& interval : state.rollups.intervals) state.levels.push_back(make_level(state, interval));
  return {};
}

Status fill_level(TableState& state, json::Element element) {
  std::array slots{json::Slot{"version"}, json::Slot{"level"}};
  MARIGRAM_TRY(json::read_members(element, "a level", slots));
  MARIGRAM_ASSIGN(const std::uint64_t version, json::u64(slots[0]));
  MARIGRAM_ASSIGN(std::vector<LevelChange> whole, levels_in(slots[1]));
  const auto level =
      whole.size() == 1 ? std::ranges::find(state.levels, whole.front().interval, &Level::name) : state.levels.end();
  if (level == state.levels.end() || version > state.version) {
    return json::bad(fmt::format("got level {}", json::show(element)));
  }
  TableState table = *level->table;
  table.version = version;
  for (model::Tombstone& tombstone : whole.front().tombstones) table.add(std::move(tombstone));
  for (Action& action : whole.front().actions) {
    auto* const add = std::get_if<AddSegment>(&action);
    if (add == nullptr) return json::bad("a level removes segments");
    MARIGRAM_TRY(check_segment(*table.meta, add->segment));
    const std::string key = add->segment.path;
    table.segments.emplace(key, std::make_shared<const model::SegmentMeta>(std::move(add->segment)));
  }
  level->table = std::make_shared<const TableState>(std::move(table));
  level->through = whole.front().through.value_or(0);
  level->pending = std::move(whole.front().pending);
  return {};
}

Status add_changed_rows(TableState& state, json::Element element) {
  std::array slots{json::Slot{"version"}, json::Slot{"path"}};
  MARIGRAM_TRY(json::read_members(element, "ChangedRows", slots));
  ChangedRows change;
  MARIGRAM_ASSIGN(change.version, json::u64(slots[0]));
  MARIGRAM_ASSIGN(change.coverage_path, path_in(slots[1]));
  state.changed.push_back(std::move(change));
  return {};
}

Status add_line(TableState& state, json::Element element) {
  const auto member = json::only_member(element);
  if (!member) return json::bad(fmt::format("got line {}", json::show(element)));
  if (member->name == "AddSegment") return add_segment(state, *member->value);
  if (member->name == "UpdateTableMeta") {
    MARIGRAM_ASSIGN(state.meta, meta_in(*member->value));
  } else if (member->name == "TableCoverage") {
    MARIGRAM_ASSIGN(state.coverage, coverage_in(*member->value, state.version));
  } else if (member->name == "Marigram") {
    MARIGRAM_ASSIGN(Extension options, extension_in(*member->value));
    state.partition = std::move(options.partition);
    state.calendar = std::move(options.calendar);
    state.declared_types = std::move(options.declared_types);
    state.duplicates = options.duplicates;
    if (options.segments) state.segment_format = *options.segments;
    if (options.compression) state.compression = *std::move(options.compression);
    state.wal = std::move(options.wal);
    for (model::Tombstone& tombstone : options.tombstones) state.add(std::move(tombstone));
    if (options.rollups) MARIGRAM_TRY(make_levels(state, *std::move(options.rollups)));
    if (options.retention) state.retention = *std::move(options.retention);
    if (options.oldest) state.oldest = *options.oldest;
    if (options.tiers) state.tiers = *std::move(options.tiers);
    if (options.version_names) state.version_names = *std::move(options.version_names);
  } else if (member->name == "Level") {
    return fill_level(state, *member->value);
  } else if (member->name == "ChangedRows") {
    return add_changed_rows(state, *member->value);
  } else if (member->name == "Unknown") {
    state.unknown_actions.push_back(simdjson::minify(*member->value));
  } else {
    return json::bad(fmt::format("got line {}", json::show(element)));
  }
  return {};
}

/// Many whole lines in one pass of the parser, as much as a processor's cache holds: they are made one JSON array, '['
/// before them, ',' in place of each line end, ']' in place of the last; no line has a line end within, as JSON escapes
/// them.
Status add_lines(TableState& state, std::string_view lines) {
  constexpr std::size_t kPassBytes = 1 << 16;
  json::Parser parser;
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n', std::min(lines.size(), kPassBytes) - 1) + 1;
    text.reserve(end + 1 + simdjson::SIMDJSON_PADDING);
    text = '[';
    text += lines.substr(0, end);
    lines.remove_prefix(end);
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text[at] = ',';
    text.back() = ']';
    MARIGRAM_ASSIGN(const json::Element root, parser.parse_padded(text));
    MARIGRAM_ASSIGN(const auto elements, json::array({.name = "lines", .value = root}));
    for (const json::Element line : elements) MARIGRAM_TRY(add_line(state, line));
  }
  return {};
}

Result<TableState> state_in(const io::ObjectStore& store, std::string_view bytes, std::uint64_t version) {
  MARIGRAM_ASSIGN(const std::size_t end, checked_size(bytes));
  const std::size_t start = bytes.find('\n') + 1;
  MARIGRAM_ASSIGN(const Header header, header_in(bytes.substr(0, start - 1), version));
  MARIGRAM_ASSIGN(const std::string hash, commit_hash(store, version));
  if (hash != header.commit_hash) {
    return json::bad(fmt::format("it belongs to another log: {} has hash {}, want {}", commit_path(version), hash,
                                 header.commit_hash));
  }
  TableState state{.version = version, .timestamp = header.timestamp};
  MARIGRAM_TRY(add_lines(state, bytes.substr(start, end - start)));
  if (!state.meta || state.meta->dialect != header.dialect) return json::bad("it lacks the metadata of its dialect");
  return state;
}

}  // namespace

std::string checkpoint_path(std::uint64_t version) {
  return fmt::format("{}/{:010}{}", kFolder, version, kSuffix);
}

Status write_checkpoint_file(io::ObjectStore& store, const TableState& state) {
  if (!state.meta || state.version == 0) {
    return fail(ErrorCode::kInvalidInput, "cannot write a checkpoint: the table has no version yet");
  }
  if (load_checkpoint(store, state.version)) return remove_old(store, state.version);
  MARIGRAM_ASSIGN(const std::string hash, commit_hash(store, state.version));
  // A damaged one may be there, so no condition; whoever writes it writes the same.
  MARIGRAM_ASSIGN(const auto object, store.create(checkpoint_path(state.version)));
  LineWriter lines(*object);
  MARIGRAM_TRY(lines.add(
      fmt::format(R"({{"marigram_checkpoint":{},"version":{},"commit_blake3":"{}","dialect":"{}","timestamp":"{}"}})",
                  kFormat, state.version, hash, dialect_name(state.dialect()), format_rfc3339(state.timestamp))));
  MARIGRAM_TRY(add_state(lines, state));
  MARIGRAM_TRY(lines.add_trailer());
  MARIGRAM_TRY(object->finish());
  return remove_old(store, state.version);
}

Result<TableState> load_checkpoint(const io::ObjectStore& store, std::uint64_t version) {
  MARIGRAM_ASSIGN(const io::ObjectContent content, store.read(checkpoint_path(version)));
  auto state = state_in(store, content.bytes, version);
  if (!state) {
    state.error().message =
        fmt::format("cannot use checkpoint {}: {}", checkpoint_path(version), state.error().message);
  }
  return state;
}

std::optional<TableState> load_newest_checkpoint(const io::ObjectStore& store, std::uint64_t version_max) {
  const auto versions = list_versions(store);
  if (!versions) return std::nullopt;  // the log will say what is wrong, if it matters
  for (const std::uint64_t version : *versions) {
    if (version > version_max) continue;
    if (auto state = load_checkpoint(store, version)) return std::move(*state);
  }
  return std::nullopt;
}

}  // namespace marigram::log
