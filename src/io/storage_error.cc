#include "io/storage_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace marigram::io {
namespace {

/// What the user can do, or more than errno tells.
std::string_view advice(Errno error) {
  switch (error.value) {
    case EXDEV:
      return "; a symbolic link leads outside the store";
    case ENOSPC:
    case EDQUOT:
      return "; free space, then retry";
    case EFBIG:
      return "; raise the limit on file sizes (ulimit -f), then retry";
    case EMFILE:
    case ENFILE:
      return "; raise the limit on open files (ulimit -n), then retry";
    case EACCES:
    case EPERM:
      return "; check owner and mode of the file and its folders";
    case EROFS:
      return "; mount it for writing";
    default:
      return "";
  }
}

std::string cause_of(Errno error) {
  if (error.value == EXDEV) return "not allowed";
  std::string text = std::generic_category().message(error.value);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

ErrorCode code_of(Errno error) {
  switch (error.value) {
    case ENOENT:
    case ENOTDIR:  // a part of the path is a file, so nothing lies below it
    case EISDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
    case EXDEV:
      return ErrorCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kResourceExhausted;
    case ENAMETOOLONG:
      return ErrorCode::kInvalidInput;
    default:
      return ErrorCode::kIo;
  }
}

Error storage_error(Errno error, const Attempt& attempt) {
  return storage_error(code_of(error), attempt, fmt::format("{}{}", cause_of(error), advice(error)));
}

Error storage_error(ErrorCode code, const Attempt& attempt, std::string_view cause) {
  const std::string place =
      attempt.key.empty() ? std::string(attempt.store) : fmt::format("'{}' in {}", attempt.key, attempt.store);
  return Error{.code = code, .message = fmt::format("cannot {} {}: {}", attempt.doing, place, cause)};
}

}  // namespace marigram::io
