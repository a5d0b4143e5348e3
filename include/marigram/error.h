// Errors are values: every call that can fail returns Result<T>. No exception crosses a public header.
#pragma once

#include <marigram/export.h>

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <variant>

namespace marigram {

enum class ErrorCode {
  kNotFound,           ///< a table, version, column or file that was named does not exist
  kInvalidInput,       ///< the request or the data handed in is wrong; nothing was changed
  kAlreadyExists,      ///< create on something that is there
  kOverlap,            ///< an append covers buckets that the table covers already
  kSchemaMismatch,     ///< columns or types differ from the table's
  kConflict,           ///< another writer committed first; reload and retry
  kPermissionDenied,   ///< the operating system or the store refused access
  kResourceExhausted,  ///< disk full, quota, memory budget
  kCorruption,         ///< stored bytes are damaged or contradict each other
  kIo,                 ///< the storage failed otherwise
  kCancelled,          ///< the caller cancelled the operation
  kInternal,           ///< a defect in Marigram; please report it
};

/// The code's stable name: "not_found", "invalid_input", ...
MARIGRAM_EXPORT const char* error_code_name(ErrorCode code);

/// Which table versions collided (ErrorCode::kConflict).
struct ConflictInfo {
  std::uint64_t expected = 0;  ///< version that the writer had read
  std::uint64_t found = 0;     ///< version that the log holds
};

/// What an append would have covered twice (ErrorCode::kOverlap).
struct OverlapInfo {
  std::uint64_t buckets = 0;  ///< number of (series, bucket) pairs in common
  std::string series = {};    ///< one series concerned, as `tag=value,...`; empty if the table has no tags
  std::string example = {};   ///< one bucket in common, as `[start, end)`
};

/// A commit whose outcome the storage would not tell (ErrorCode::kIo): it may be there or not. Files it refers to are
/// kept; look for the transaction id in the log once the storage answers again.
struct UnknownOutcome {
  std::string transaction_id = {};
};

/// A failure: a code for programs, a message for people that names the thing, the offending value and the way out.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message = {};
  std::variant<std::monostate, ConflictInfo, OverlapInfo, UnknownOutcome> detail = {};
};

template <typename T>
using Result = std::expected<T, Error>;

/// A Result without a value.
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{.code = code, .message = std::move(message)});
}

}  // namespace marigram
