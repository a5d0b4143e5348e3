// Log::repair: makes CURRENT and the last commit fit each other again.
#include "log/commit_codec.h"
#include "log/commit_files.h"
#include "log/current.h"
#include "log/log.h"
#include "log/table_state.h"

#include "base/try.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace marigram::log {
namespace {

/// The last of the commit files that are there without a gap from 1 on. kCorruption if there are files after the gap:
/// what is missing cannot be made up.
Result<std::uint64_t> last_commit_file(const io::ObjectStore& store) {
  MARIGRAM_ASSIGN(const auto objects, store.list("_timeseries_log"));
  std::vector<std::uint64_t> versions;
  for (const io::ObjectInfo& object : objects) {
    if (const auto version = version_in_path(object.key)) versions.push_back(*version);
  }
  std::ranges::sort(versions);  // names of more than ten digits sort before shorter ones
  std::uint64_t last = 0;
  for (const std::uint64_t version : versions) {
    if (version == last + 1) {
      last = version;
      continue;
    }
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot repair table {}: {} is missing while {} is there; restore it "
                            "from a copy",
                            store.name(), commit_path(last + 1), commit_path(version)));
  }
  return last;
}

std::string what_is_wrong(const Pointer& pointer) {
  if (!pointer.present()) return "was missing";
  if (pointer.error) return "was unreadable";
  return fmt::format("pointed to version {}, which does not exist", pointer.version);
}

}  // namespace

Result<std::vector<std::string>> Log::repair() {
  std::vector<std::string> done;
  MARIGRAM_TRY(repair_pointer(done));
  MARIGRAM_TRY(repair_tail(done));
  return done;
}

Status Log::repair_pointer(std::vector<std::string>& done) {
  MARIGRAM_ASSIGN(const std::uint64_t last, last_commit_file(*store_));
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
  if (last == 0) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot repair table {}: it has no commits", store_->name()));
  }
  if (pointer.present() && !pointer.error && pointer.version <= last) return {};
  // Without a pointer to go by, the last commit counts if its writer cannot be at it any more.
  MARIGRAM_ASSIGN(const Found found, look(*store_, last));
  const bool counts = found.kind == Found::Kind::kOurs || (found.kind == Found::Kind::kForeign && is_settled(found));
  const std::uint64_t target = counts ? last : last - 1;
  if (target == 0 && !pointer.present()) return {};
  const auto condition =
      pointer.present() ? io::PutCondition::if_match(pointer.object_version) : io::PutCondition::if_absent();
  MARIGRAM_TRY(store_->put(kCurrentPath, format_current(target), condition));
  done.push_back(fmt::format("{} {}: set to version {}", kCurrentPath, what_is_wrong(pointer), target));
  return {};
}

Status Log::repair_tail(std::vector<std::string>& done) {
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
  MARIGRAM_ASSIGN(Head head, find_head(*store_, 0));
  if (head.version > pointer.version) {
    MARIGRAM_TRY(publish(*store_, head.version));
    done.push_back(fmt::format("{} pointed to version {}: set to version {}, which is committed", kCurrentPath,
                               pointer.version, head.version));
  }
  if (head.next.kind == Found::Kind::kAbsent) return {};
  const std::string path = commit_path(head.version + 1);
  if (head.next.kind == Found::Kind::kUnusable) {
    done.push_back(fmt::format("left {} alone, which is not published: {}", path, head.next.error.message));
    return {};
  }
  if (!is_settled(head.next)) {
    done.push_back(
        fmt::format("left {} alone, which is not published: its writer may still be at it; try again later", path));
    return {};
  }
  return head.next.kind == Found::Kind::kTorn ? replace_torn(head.version, done) : finish_foreign(head, done);
}

Status Log::finish_foreign(const Head& head, std::vector<std::string>& done) {
  TableState state;
  if (head.version > 0) {
    MARIGRAM_ASSIGN(state, load(head.version));
  }
  MARIGRAM_TRY(check(state, head.next.commit));
  MARIGRAM_TRY(publish(*store_, head.version + 1));
  done.push_back(fmt::format("finished {}, which was whole but not published", commit_path(head.version + 1)));
  return {};
}

// A torn file is not removed but replaced by a commit that changes nothing: another writer may replace it at the same
// time, and removal, which knows no condition, could take that writer's commit.
Status Log::replace_torn(std::uint64_t version, std::vector<std::string>& done) {
  const std::string path = commit_path(version + 1);
  MARIGRAM_ASSIGN(const bool in_use, store_->in_use(path));
  if (in_use || version == 0) {
    done.push_back(fmt::format("left {} alone, which is torn: {}", path,
                               in_use ? "its writer has it open" : "creating the table replaces it"));
    return {};
  }
  MARIGRAM_ASSIGN(TableState state, load(version));
  MARIGRAM_TRY(commit(state, {.actions = {}, .extension = {.operation = "repair"}}));
  done.push_back(fmt::format("replaced {}, which was torn, by a commit that changes nothing", path));
  return {};
}

}  // namespace marigram::log
