// The files of the log and what they mean to readers and writers (see log.h): which commit is the newest, and what lies
// under the name of the next one.
#pragma once

#include "io/object_store.h"
#include "log/action.h"

#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::log {

inline constexpr const char* kCurrentPath = "_timeseries_log/CURRENT";

/// CURRENT as it is stored.
struct Pointer {
  std::uint64_t version = 0;        ///< 0: absent, unreadable, or indeed 0
  std::string object_version = {};  ///< for put-if-match; empty: absent
  std::optional<Error> error = {};  ///< set when unreadable

  bool present() const { return !object_version.empty(); }
};
Result<Pointer> read_pointer(const io::ObjectStore& store);

/// What lies under a commit's name.
struct Found {
  enum class Kind {
    kAbsent,
    kOurs,      ///< committed
    kForeign,   ///< whole, of another writer; committed once CURRENT says so
    kTorn,      ///< cut short: not whole JSON
    kUnusable,  ///< whole, but no commit that we can read; `error` says why. Nobody's to replace.
  };
  Kind kind = Kind::kAbsent;
  Commit commit = {};        ///< kOurs, kForeign
  io::ObjectInfo info = {};  ///< unless kAbsent
  Error error = {};          ///< kUnusable
};
Result<Found> look(const io::ObjectStore& store, std::uint64_t version);

/// The newest committed version and what lies after it.
struct Head {
  std::uint64_t version = 0;
  std::uint64_t published = 0;  ///< what CURRENT says
  Found next = {};
};
/// From CURRENT or `known`, a version that is known to be committed, whichever is newer. kCorruption: CURRENT is
/// unreadable. kNotFound: commit `known` is gone, so the table was deleted or made anew.
Result<Head> find_head(const io::ObjectStore& store, std::uint64_t known);

/// "cannot go on with table ...: it was deleted or made anew", kNotFound.
std::unexpected<Error> table_is_gone(const io::ObjectStore& store, std::uint64_t known);

/// Moves CURRENT to `version` unless it is there or beyond.
Status publish(io::ObjectStore& store, std::uint64_t version);

/// Makes the newest commit last, and publishes it. If CURRENT does not tell of it, its writer may have been killed
/// before it lasted: then a power cut could take it away from under all that relies on it.
Status make_last(io::ObjectStore& store, const Head& head);

}  // namespace marigram::log
