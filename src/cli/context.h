// What every subcommand is handed: where to write, how, and how to be stopped.
#pragma once

#include "cli/output.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace marigram::cli {

/// One run of the program. Not thread-safe, but for `cancel`.
struct Context {
  bool json = false;         ///< --json
  bool usage_error = false;  ///< the failure lies in the arguments: exit code 2
  CancelToken cancel;        ///< raised by Ctrl-C while an InterruptGuard lives
  Output out = Output::standard();
  /// The command that the arguments chose; its value is the exit code.
  std::function<Result<int>()> chosen;

  /// An error in the arguments, to be returned.
  std::unexpected<Error> usage(std::string message);
  /// One line of JSON.
  Status print(const nlohmann::ordered_json& value);
};

/// A remark for people on standard error. Flush the output first where the remark is about it.
void note(std::string_view text);

/// What --json prints on standard error when a command fails. `code` overrides the error's own name unless empty.
nlohmann::ordered_json error_json(const Error& error, std::string_view code = {});

}  // namespace marigram::cli
