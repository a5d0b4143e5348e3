// marigram completion: a script for the shell.
#include "base/try.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/context.h"
#include "cli/exit_code.h"

#include <marigram/error.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

Result<int> run(Context& context, const CLI::App& app, const std::string& shell) {
  const CompletionModel model = completion_model(app);
  const std::string script = shell == "bash"  ? bash_completion(model)
                             : shell == "zsh" ? zsh_completion(model)
                                              : fish_completion(model);
  if (context.json) {
    MARIGRAM_TRY(context.print({{"shell", shell}, {"script", script}}));
  } else {
    MARIGRAM_TRY(context.out.write(script));
  }
  return kExitOk;
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  auto shell = std::make_shared<std::string>();
  const Command command = add_command(app, context, "completion", "Print a completion script for a shell",
                                      "source <(marigram completion bash)");
  command.choice("SHELL", *shell, {"bash", "zsh", "fish"}, "The shell").required();
  command.runs([&context, &app, shell] { return run(context, app, *shell); });
}

}  // namespace marigram::cli
