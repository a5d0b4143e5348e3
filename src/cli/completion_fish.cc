#include "cli/completion.h"

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace marigram::cli {

namespace {

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string value(const CompletionOption& option) {
  switch (option.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return " -x";
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kChoice:
      return fmt::format(" -x -a {}", quote(fmt::format("{}", fmt::join(option.choices, " "))));
  }
  return "";
}

std::string line(const std::string& condition, const CompletionOption& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return fmt::format("complete -c marigram -n {}{}{} -d {}\n", quote(condition), names, value(option),
                     quote(option.description));
}

}  // namespace

std::string fish_completion(const CompletionModel& model) {
  std::string out =
      "# fish completion for marigram, printed by `marigram completion fish`\n"
      "complete -c marigram -f\n";
  for (const CompletionOption& option : model.program.options) out += line("__fish_use_subcommand", option);
  for (const CompletionCommand& command : model.commands) {
    out += fmt::format("complete -c marigram -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       quote(command.description));
    const std::string within = "__fish_seen_subcommand_from " + command.name;
    for (const CompletionOption& option : command.options) out += line(within, option);
    for (const CompletionOption& positional : command.positionals) {
      if (positional.kind == ValueKind::kText) continue;
      const std::string offer = positional.kind == ValueKind::kFile ? " -F" : value(positional);
      out += fmt::format("complete -c marigram -n {}{}\n", quote(within), offer);
    }
  }
  return out;
}

}  // namespace marigram::cli
