// What the program's exit status means; a part of the command line's contract (docs/cli.md).
#pragma once

#include <marigram/error.h>

namespace marigram::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitConflict = 4;  // also: overlap, already exists
inline constexpr int kExitNotAllowed = 5;
inline constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as shells count

int exit_code(ErrorCode code);

}  // namespace marigram::cli
