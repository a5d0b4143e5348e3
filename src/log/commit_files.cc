#include "log/commit_files.h"

#include "base/try.h"
#include "log/commit_codec.h"
#include "log/current.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace marigram::log {
namespace {

/// Whether a text that we cannot read as a commit was written by a (newer) marigram: then it is committed.
bool has_our_mark(std::string_view text) {
  return text.find(R"({"Marigram":{)") != std::string_view::npos ||
         text.find(R"(],"marigram":{)") != std::string_view::npos;
}

/// Nobody begins commit N+2 before N+1 is committed: so a foreign commit that CURRENT no longer points to (a stalled
/// writer set it back) is known by its successor.
Result<bool> has_successor(const io::ObjectStore& store, std::uint64_t version) {
  const auto info = store.head(commit_path(version + 1));
  if (info) return true;
  if (info.error().code == ErrorCode::kNotFound) return false;
  return std::unexpected(info.error());
}

}  // namespace

Result<Pointer> read_pointer(const io::ObjectStore& store) {
  auto content = store.read(kCurrentPath);
  if (!content) {
    if (content.error().code == ErrorCode::kNotFound) return Pointer{};
    return std::unexpected(std::move(content).error());
  }
  Pointer pointer{.object_version = std::move(content->info.version)};
  const auto version = parse_current(content->bytes);
  if (version) {
    pointer.version = *version;
  } else {
    pointer.error = version.error();
  }
  return pointer;
}

Result<Found> look(const io::ObjectStore& store, std::uint64_t version) {
  auto content = store.read(commit_path(version));
  if (!content) {
    if (content.error().code == ErrorCode::kNotFound) return Found{};
    return std::unexpected(std::move(content).error());
  }
  Found found{.info = std::move(content->info)};
  auto commit = decode_commit(version, content->bytes);
  if (commit) {
    found.kind = commit->extension ? Found::Kind::kOurs : Found::Kind::kForeign;
    found.commit = std::move(*commit);
  } else if (!is_whole_json(content->bytes)) {
    found.kind = Found::Kind::kTorn;
  } else if (has_our_mark(content->bytes)) {
    return std::unexpected(std::move(commit).error());
  } else {
    found.kind = Found::Kind::kUnusable;
    found.error = std::move(commit).error();
  }
  return found;
}

Result<Head> find_head(const io::ObjectStore& store, std::uint64_t known) {
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(store));
  if (pointer.error) return std::unexpected(*pointer.error);
  if (pointer.version < known) {
    const auto info = store.head(commit_path(known));
    if (!info && info.error().code == ErrorCode::kNotFound) return table_is_gone(store, known);
    if (!info) return std::unexpected(info.error());
  }
  Head head{.version = std::max(pointer.version, known), .published = pointer.version};
  while (true) {
    MARIGRAM_ASSIGN(head.next, look(store, head.version + 1));
    if (head.next.kind == Found::Kind::kAbsent) return head;
    if (head.next.kind != Found::Kind::kOurs) {
      MARIGRAM_ASSIGN(const bool committed, has_successor(store, head.version + 1));
      if (!committed) return head;
    }
    ++head.version;
  }
}

std::unexpected<Error> table_is_gone(const io::ObjectStore& store, std::uint64_t known) {
  return fail(ErrorCode::kNotFound,
              fmt::format("cannot go on with table {} at version {}: it was deleted or made anew; open it again",
                          store.name(), known));
}

Status publish(io::ObjectStore& store, std::uint64_t version) {
  while (true) {
    MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(store));
    if (pointer.error) return std::unexpected(*pointer.error);
    if (pointer.version >= version) return {};
    const auto condition =
        pointer.present() ? io::PutCondition::if_match(pointer.object_version) : io::PutCondition::if_absent();
    auto put = store.put(kCurrentPath, format_current(version), condition);
    if (put) return {};
    const ErrorCode code = put.error().code;
    if (code != ErrorCode::kConflict && code != ErrorCode::kAlreadyExists)
      return std::unexpected(std::move(put).error());
  }
}

Status make_last(io::ObjectStore& store, const Head& head) {
  if (head.published >= head.version) return {};
  const std::string path = commit_path(head.version);
  MARIGRAM_ASSIGN(const io::ObjectContent content, store.read(path));
  // To be told that it exists is to be told that it lasts (see ObjectStore).
  auto put = store.put(path, content.bytes, io::PutCondition::if_absent());
  if (!put && put.error().code != ErrorCode::kAlreadyExists) return std::unexpected(std::move(put).error());
  return publish(store, head.version);
}

}  // namespace marigram::log
