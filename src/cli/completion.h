// Shell completions, read off the declared options so that they never drift from them.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace marigram::cli {

/// What a shell may offer for a value.
enum class ValueKind { kNone, kText, kFile, kFolder, kChoice };

struct CompletionOption {
  std::vector<std::string> names;  ///< "--output", "-o"; for a positional its metavariable
  std::string description;
  ValueKind kind = ValueKind::kNone;  ///< kNone: a flag
  std::string metavariable;
  std::vector<std::string> choices;  ///< for kChoice
  bool repeatable = false;
};

struct CompletionCommand {
  std::string name;  ///< all its words: "scan", "db query"
  std::string description;
  std::vector<CompletionOption> options;
  std::vector<CompletionOption> positionals;
};

/// A word before several commands: `db`.
struct CompletionGroup {
  std::string name;
  std::string description;
  std::vector<CompletionCommand> commands;
};

struct CompletionModel {
  CompletionCommand program;  ///< the options that stand before a command
  std::vector<CompletionCommand> commands;
  std::vector<CompletionGroup> groups;
};

CompletionModel completion_model(const CLI::App& app);

/// `query` of "db query".
std::string last_word(const std::string& name);

std::string bash_completion(const CompletionModel& model);
std::string zsh_completion(const CompletionModel& model);
std::string fish_completion(const CompletionModel& model);

}  // namespace marigram::cli
