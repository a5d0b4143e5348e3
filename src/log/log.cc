#include "log/log.h"

#include "base/hash.h"
#include "base/try.h"
#include "log/commit_codec.h"
#include "log/current.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

namespace marigram::log {
namespace {

constexpr const char* kCurrent = "_timeseries_log/CURRENT";

struct Pointer {
  std::uint64_t version = 0;
  std::string object_version;
  bool present = false;
};

Result<Pointer> read_pointer(const io::ObjectStore& store) {
  auto content = store.read(kCurrent);
  if (!content) {
    if (content.error().code == ErrorCode::kNotFound) return Pointer{};
    return std::unexpected(std::move(content).error());
  }
  MARIGRAM_ASSIGN(const std::uint64_t version, parse_current(content->bytes));
  return Pointer{version, content->info.version, true};
}

/// What lies under a commit's name.
struct Found {
  enum class Kind { kAbsent, kOurs, kForeign, kTorn };
  Kind kind = Kind::kAbsent;
  Commit commit;  // kOurs, kForeign
  io::ObjectInfo info;
};

Result<Found> look(const io::ObjectStore& store, std::uint64_t version) {
  auto content = store.read(commit_path(version));
  if (!content) {
    if (content.error().code == ErrorCode::kNotFound) return Found{};
    return std::unexpected(std::move(content).error());
  }
  auto commit = decode_commit(version, content->bytes);
  if (!commit) {
    if (commit.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(commit).error());
    return Found{Found::Kind::kTorn, {}, content->info};
  }
  const auto kind = commit->extension ? Found::Kind::kOurs : Found::Kind::kForeign;
  return Found{kind, std::move(*commit), content->info};
}

std::unexpected<Error> conflict(std::uint64_t expected, std::uint64_t found) {
  return std::unexpected(Error{ErrorCode::kConflict,
                               fmt::format("cannot commit version {}: the log is at version {} already; refresh and retry",
                                           expected + 1, found),
                               ConflictInfo{expected, found}});
}

std::chrono::nanoseconds age(Instant since, Instant now) {
  return std::chrono::seconds(now.seconds - since.seconds) +
         std::chrono::nanoseconds(std::int64_t{now.nanos} - std::int64_t{since.nanos});
}

/// Forward only. Failing here is no failure of the commit: readers roll forward over it.
Status publish(io::ObjectStore& store, std::uint64_t version) {
  while (true) {
    MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(store));
    if (pointer.version >= version) return {};
    auto put = store.put(kCurrent, format_current(version),
                         pointer.present ? io::PutCondition::if_match(pointer.object_version) : io::PutCondition::if_absent());
    if (put) return {};
    const ErrorCode code = put.error().code;
    if (code != ErrorCode::kConflict && code != ErrorCode::kAlreadyExists) return std::unexpected(std::move(put).error());
  }
}

Result<std::uint64_t> roll_forward(const io::ObjectStore& store, std::uint64_t version) {
  while (true) {
    MARIGRAM_ASSIGN(const Found next, look(store, version + 1));
    if (next.kind != Found::Kind::kOurs) return version;
    ++version;
  }
}

void back_off(const Clock& clock, std::uint32_t tried) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto longest = std::chrono::microseconds(500) * (1 << std::min(tried, 6U));
  clock.sleep_for(longest * (random() % 1000) / 1000);
}

}  // namespace

Log::Log(std::shared_ptr<io::ObjectStore> store, const Clock& clock, LogOptions options)
    : store_(std::move(store)), clock_(clock), options_(options) {}

Result<std::uint64_t> Log::latest_version() const {
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
  return roll_forward(*store_, pointer.version);
}

Result<Commit> Log::read(std::uint64_t version) const {
  MARIGRAM_ASSIGN(const io::ObjectContent content, store_->read(commit_path(version)));
  return decode_commit(version, content.bytes);
}

Result<TableState> Log::load(const std::variant<std::monostate, std::uint64_t, Instant>& at) const {
  MARIGRAM_ASSIGN(const std::uint64_t latest, latest_version());
  if (latest == 0) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot open table {}: there is none", store_->name()));
  }
  const auto* version = std::get_if<std::uint64_t>(&at);
  if (version != nullptr && (*version == 0 || *version > latest)) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot open table {} at version {}; it has versions 1 to {}",
                                                  store_->name(), *version, latest));
  }
  const std::uint64_t last = version != nullptr ? *version : latest;
  TableState state;
  while (state.version < last) {
    MARIGRAM_ASSIGN(const Commit commit, read(state.version + 1));
    const auto* time = std::get_if<Instant>(&at);
    if (time != nullptr && commit.timestamp > *time) break;
    MARIGRAM_TRY(apply(state, commit));
  }
  if (state.version == 0) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot open table {}: it did not exist then", store_->name()));
  }
  return state;
}

Status Log::refresh(TableState& state) const {
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
  MARIGRAM_ASSIGN(const std::uint64_t latest, roll_forward(*store_, std::max(pointer.version, state.version)));
  while (state.version < latest) {
    MARIGRAM_ASSIGN(const Commit commit, read(state.version + 1));
    MARIGRAM_TRY(apply(state, commit));
  }
  return {};
}

Status Log::commit(TableState& state, Proposal proposal) {
  MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
  MARIGRAM_ASSIGN(const std::uint64_t latest, roll_forward(*store_, std::max(pointer.version, state.version)));
  if (latest != state.version) return conflict(state.version, latest);
  const std::uint64_t next = state.version + 1;
  io::PutCondition condition = io::PutCondition::if_absent();
  for (int waits = 0;; ++waits) {
    MARIGRAM_ASSIGN(const Found found, look(*store_, next));
    if (found.kind == Found::Kind::kAbsent) break;
    if (found.kind == Found::Kind::kOurs) return conflict(state.version, next);
    const bool old = age(found.info.modified, clock_.now()) >= options_.orphan_grace;
    if (found.kind == Found::Kind::kForeign) {
      MARIGRAM_ASSIGN(const Pointer now, read_pointer(*store_));
      if (old) MARIGRAM_TRY(publish(*store_, next));
      if (old || now.version >= next) return conflict(state.version, next);
    } else if (old) {
      MARIGRAM_ASSIGN(const bool in_use, store_->in_use(commit_path(next)));
      if (!in_use) {
        condition = io::PutCondition::if_match(found.info.version);
        break;
      }
      if (waits > 1000) return conflict(state.version, next);
    }
    clock_.sleep_for(options_.orphan_grace / 20 + std::chrono::milliseconds(1));
  }
  if (proposal.extension.transaction_id.empty()) proposal.extension.transaction_id = random_uuid();
  Commit commit{next, std::max(clock_.now(), state.timestamp), std::move(proposal.actions), std::move(proposal.extension)};
  TableState after = state;
  MARIGRAM_TRY(apply(after, commit));
  MARIGRAM_ASSIGN(const std::string bytes, encode_commit(after.dialect(), commit));
  auto put = store_->put(commit_path(next), bytes, condition);
  if (!put) {
    auto found = look(*store_, next);
    const bool unknown = !found;
    const bool ours = found && found->kind == Found::Kind::kOurs &&
                      found->commit.extension->transaction_id == commit.extension->transaction_id;
    if (ours) put = store_->put(commit_path(next), bytes, io::PutCondition::if_match(found->info.version));
    if (!put) {
      if (ours || unknown) {
        Error error = put.error();
        error.code = ErrorCode::kIo;
        error.detail = UnknownOutcome{commit.extension->transaction_id};
        return std::unexpected(std::move(error));
      }
      const ErrorCode code = put.error().code;
      if (code == ErrorCode::kAlreadyExists || code == ErrorCode::kConflict) return conflict(state.version, next);
      return std::unexpected(std::move(put).error());
    }
  }
  (void)publish(*store_, next);
  state = std::move(after);
  return {};
}

Status Log::commit_with_retry(TableState& state, const std::function<Result<Proposal>(const TableState&)>& propose) {
  Status status;
  for (std::uint32_t tried = 0; tried < options_.tries_max; ++tried) {
    MARIGRAM_TRY(refresh(state));
    MARIGRAM_ASSIGN(Proposal proposal, propose(state));
    status = commit(state, std::move(proposal));
    if (status || status.error().code != ErrorCode::kConflict) return status;
    back_off(clock_, tried);
  }
  return status;
}

Status Log::write_checkpoint(const TableState&) { return {}; }
Result<std::vector<std::string>> Log::repair() { return std::vector<std::string>{}; }

}  // namespace marigram::log
