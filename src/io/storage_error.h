// From the file system's errno to the store's errors.
#pragma once

#include "io/file_system.h"

#include <marigram/error.h>

#include <string_view>
#include <type_traits>
#include <utility>

namespace marigram::io {

/// What was being done to what, for the message: "cannot <doing> '<key>' in <store>: …".
struct Attempt {
  std::string_view doing;
  std::string_view key;  ///< may be empty: then the store itself is meant
  std::string_view store;
};

ErrorCode code_of(Errno error);
Error storage_error(Errno error, const Attempt& attempt);
/// The same with another cause than errno.
Error storage_error(ErrorCode code, const Attempt& attempt, std::string_view cause);

template <typename T>
Result<T> explain(FileResult<T> result, const Attempt& attempt) {
  if (!result) return std::unexpected(storage_error(result.error(), attempt));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

}  // namespace marigram::io
