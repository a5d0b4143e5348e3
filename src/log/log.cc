#include "log/log.h"

#include "base/hash.h"
#include "base/try.h"
#include "log/checkpoint.h"
#include "log/commit_codec.h"
#include "log/commit_files.h"
#include "log/meta_codec.h"

#include <algorithm>
#include <cassert>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace marigram::log {
namespace {

/// How many graces a writer waits for a program that keeps a torn commit open.
constexpr int kPatience = 5;

std::unexpected<Error> conflict(std::uint64_t expected, std::uint64_t found) {
  return std::unexpected(Error{
      ErrorCode::kConflict,
      fmt::format("cannot commit version {}: the log is at version {} already; refresh and retry", expected + 1, found),
      ConflictInfo{expected, found}});
}

std::chrono::nanoseconds age(Instant since, Instant now) {
  constexpr std::int64_t kForEverSeconds = 1'000'000'000;  // more would overflow
  const std::int64_t seconds = std::clamp(now.seconds - since.seconds, -kForEverSeconds, kForEverSeconds);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(std::int64_t{now.nanos} - std::int64_t{since.nanos});
}

/// Full jitter: up to 0.5 ms at first, up to 32 ms from the seventh try on.
void back_off(const Clock& clock, std::uint32_t tried) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto longest = std::chrono::microseconds(500) * (1 << std::min(tried, 6U));
  clock.sleep_for(longest * (random() % 1000) / 1000);
}

Status check_writer_features(const model::TableMeta& meta) {
  const auto unknown = unknown_writer_features(meta);
  if (unknown.empty()) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot commit: the table needs a newer version of marigram; it requires of writers {}",
                          fmt::join(unknown, ", ")));
}

bool is_lost_race(ErrorCode code) {
  return code == ErrorCode::kAlreadyExists || code == ErrorCode::kConflict;
}

bool is_of(const Found& found, const std::string& transaction_id) {
  return found.kind == Found::Kind::kOurs && found.commit.extension->transaction_id == transaction_id;
}

}  // namespace

Log::Log(std::shared_ptr<io::ObjectStore> store, const Clock& clock, LogOptions options)
    : store_(std::move(store)), clock_(clock), options_(options) {}

Result<std::uint64_t> Log::latest_version() const {
  MARIGRAM_ASSIGN(const Head head, find_head(*store_, 0));
  return head.version;
}

Result<Commit> Log::read(std::uint64_t version) const {
  MARIGRAM_ASSIGN(const io::ObjectContent content, store_->read(commit_path(version)));
  return decode_commit(version, content.bytes);
}

/// A commit that CURRENT vouches for: its absence is damage.
Result<Commit> Log::committed(std::uint64_t version) const {
  auto commit = read(version);
  if (!commit && commit.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot read table {}: {} is missing; run `marigram verify --repair`", store_->name(),
                            commit_path(version)));
  }
  return commit;
}

Status Log::replay(TableState& state, std::uint64_t last) const {
  while (state.version < last) {
    MARIGRAM_ASSIGN(Commit commit, committed(state.version + 1));
    MARIGRAM_TRY(apply(state, std::move(commit)));
  }
  return {};
}

/// From the newest backwards, as foreign writers' clocks may have run backwards too.
Result<std::uint64_t> Log::version_at(Instant time, std::uint64_t latest) const {
  for (std::uint64_t version = latest; version > 0; --version) {
    MARIGRAM_ASSIGN(const Commit commit, committed(version));
    if (commit.timestamp <= time) return version;
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("cannot open table {} at {}: it did not exist then", store_->name(), format_rfc3339(time)));
}

Result<TableState> Log::load(const std::variant<std::monostate, std::uint64_t, Instant>& at) const {
  MARIGRAM_ASSIGN(const std::uint64_t latest, latest_version());
  if (latest == 0) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot open table {}: there is none", store_->name()));
  }
  std::uint64_t last = latest;
  if (const auto* version = std::get_if<std::uint64_t>(&at)) {
    if (*version == 0 || *version > latest) {
      return fail(ErrorCode::kNotFound, fmt::format("cannot open table {} at version {}; it has versions 1 to {}",
                                                    store_->name(), *version, latest));
    }
    last = *version;
  } else if (const auto* time = std::get_if<Instant>(&at)) {
    MARIGRAM_ASSIGN(last, version_at(*time, latest));
  }
  MARIGRAM_ASSIGN(TableState state, fold(last));
  if (last == latest) return state;
  MARIGRAM_ASSIGN(const TableState newest, fold(latest));
  if (!newest.has_given_up(last)) return state;
  return fail(ErrorCode::kNotFound,
              fmt::format("cannot open table {} at version {}: those before {} were given up; it has {} to {}",
                          store_->name(), last, newest.oldest, newest.oldest, latest));
}

Result<TableState> Log::fold(std::uint64_t last) const {
  TableState state = load_newest_checkpoint(*store_, last).value_or(TableState{});
  MARIGRAM_TRY(replay(state, last));
  return state;
}

/// A handle on a table that was deleted or made anew must not commit: that would tear a hole into the new log.
Status Log::check_same_table(const TableState& state) const {
  if (state.version == 0) return {};
  const auto commit = read(state.version);
  if (commit && commit->timestamp == state.timestamp) return {};
  if (!commit && commit.error().code != ErrorCode::kNotFound) return std::unexpected(commit.error());
  return table_is_gone(*store_, state.version);
}

Status Log::refresh(TableState& state) const {
  MARIGRAM_ASSIGN(const Head head, find_head(*store_, state.version));
  if (head.version == state.version) return {};
  MARIGRAM_TRY(check_same_table(state));
  return replay(state, head.version);
}

Result<std::optional<Commit>> Log::find_committed(const TableState& state, const std::string& transaction_id) const {
  if (transaction_id.empty()) return std::nullopt;
  MARIGRAM_ASSIGN(Found found, look(*store_, state.version + 1));
  if (!is_of(found, transaction_id)) return std::nullopt;
  return std::move(found.commit);
}

bool Log::is_settled(const Found& found) const {
  return age(found.info.modified, clock_.now()) >= options_.orphan_grace;
}

Result<Commit> Log::prepare(const TableState& state, Proposal proposal) const {
  if (state.meta) MARIGRAM_TRY(check_writer_features(*state.meta));
  if (proposal.extension.transaction_id.empty()) proposal.extension.transaction_id = random_uuid();
  Commit commit{.version = state.version + 1,
                .timestamp = std::max(clock_.now(), state.timestamp),
                .actions = std::move(proposal.actions),
                .extension = std::move(proposal.extension)};
  for (const Action& action : commit.actions) {
    const auto* update = std::get_if<UpdateTableMeta>(&action);
    if (update == nullptr) continue;
    MARIGRAM_TRY(check_writer_features(update->meta));
    commit.dialect = update->meta.dialect;
  }
  if (state.meta) commit.dialect = state.meta->dialect;
  MARIGRAM_TRY(check(state, commit));
  return commit;
}

Result<io::PutCondition> Log::claim(const TableState& state, Found found) {
  const std::uint64_t next = state.version + 1;
  Instant watched_since = clock_.now();
  while (true) {
    if (found.kind == Found::Kind::kAbsent) return io::PutCondition::if_absent();
    if (found.kind == Found::Kind::kOurs) return conflict(state.version, next);
    if (found.kind == Found::Kind::kUnusable) return std::unexpected(std::move(found).error);
    // The store's clock may be ahead of ours, so having watched it unchanged for as long counts too.
    const auto watched = age(watched_since, clock_.now());
    const bool settled = is_settled(found) || watched >= options_.orphan_grace;
    if (found.kind == Found::Kind::kForeign) {
      MARIGRAM_ASSIGN(const Pointer pointer, read_pointer(*store_));
      if (pointer.version >= next) return conflict(state.version, next);
      if (settled) {
        MARIGRAM_TRY(check(state, found.commit));  // else the table would be unreadable from here on
        MARIGRAM_TRY(publish(*store_, next));
        return conflict(state.version, next);
      }
    } else if (settled) {
      MARIGRAM_ASSIGN(const bool in_use, store_->in_use(commit_path(next)));
      if (!in_use) return io::PutCondition::if_match(found.info.version);
      if (watched >= kPatience * options_.orphan_grace) {
        return fail(ErrorCode::kIo, fmt::format("cannot commit version {}: another program has {} open and does not "
                                                "finish it; stop that program, or wait for it",
                                                next, commit_path(next)));
      }
    }
    clock_.sleep_for(options_.orphan_grace / 20 + std::chrono::milliseconds(1));
    std::string before = std::move(found.info.version);
    MARIGRAM_ASSIGN(found, look(*store_, next));
    if (found.info.version != before) watched_since = clock_.now();
  }
}

/// After a failed put the commit may be there all the same. Putting it again under if-absent, and finding it there, is
/// what makes sure that it lasts (see ObjectStore).
Status Log::put_commit(const Commit& commit, const std::string& bytes, const io::PutCondition& condition) {
  const std::string path = commit_path(commit.version);
  auto put = store_->put(path, bytes, condition);
  if (put) return {};
  Error error = std::move(put).error();
  bool lasts = is_lost_race(error.code);
  if (!lasts) {
    auto again = store_->put(path, bytes, io::PutCondition::if_absent());
    if (again) return {};
    lasts = again.error().code == ErrorCode::kAlreadyExists;
  }
  const std::string& id = commit.extension->transaction_id;
  const auto found = look(*store_, commit.version);
  if (found && is_of(*found, id)) {
    if (lasts) return {};
  } else if (found) {
    const bool taken = found->kind != Found::Kind::kAbsent && found->kind != Found::Kind::kTorn;
    if (taken || is_lost_race(error.code)) return conflict(commit.version - 1, commit.version);
    return std::unexpected(std::move(error));
  }
  return std::unexpected(
      Error{ErrorCode::kIo,
            fmt::format("cannot tell whether {} was committed: {}; look for transaction {} in the log", path,
                        error.message, id),
            UnknownOutcome{id}});
}

Status Log::commit(TableState& state, Proposal proposal) {
  MARIGRAM_ASSIGN(Head head, find_head(*store_, state.version));
  MARIGRAM_TRY(check_same_table(state));
  if (head.version != state.version) {
    MARIGRAM_ASSIGN(auto committed_before, find_committed(state, proposal.extension.transaction_id));
    return committed_before ? apply(state, std::move(*committed_before)) : conflict(state.version, head.version);
  }
  MARIGRAM_TRY(log::make_last(*store_, head));
  MARIGRAM_ASSIGN(Commit commit, prepare(state, std::move(proposal)));
  MARIGRAM_ASSIGN(const std::string bytes, encode_commit(*commit.dialect, commit));
  // Never publish what a reader would refuse: a path that is not canonical, metadata nested too deep.
  if (auto readable = decode_commit(commit.version, bytes); !readable) {
    return fail(ErrorCode::kInvalidInput, std::move(readable).error().message);
  }
  MARIGRAM_ASSIGN(const io::PutCondition condition, claim(state, std::move(head.next)));
  MARIGRAM_TRY(put_commit(commit, bytes, condition));
  // It is committed. CURRENT only spares readers a look; the next writer moves it if we cannot.
  (void)publish(*store_, commit.version);
  const Status applied = apply(state, std::move(commit));
  assert(applied);
  return applied;
}

Status Log::make_last() {
  MARIGRAM_ASSIGN(const Head head, find_head(*store_, 0));
  return log::make_last(*store_, head);
}

Status Log::commit_with_retry(TableState& state, const std::function<Result<Proposal>(const TableState&)>& propose) {
  for (std::uint32_t tried = 1;; ++tried) {
    MARIGRAM_TRY(refresh(state));
    MARIGRAM_ASSIGN(Proposal proposal, propose(state));
    const Status status = commit(state, std::move(proposal));
    if (status || status.error().code != ErrorCode::kConflict || tried >= options_.tries_max) return status;
    back_off(clock_, tried - 1);
  }
}

Status Log::write_checkpoint(const TableState& state) {
  return write_checkpoint_file(*store_, state);
}

}  // namespace marigram::log
