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

std::string lines(const std::string& within, const CompletionCommand& command) {
  std::string out;
  for (const CompletionOption& option : command.options) out += line(within, option);
  for (const CompletionOption& positional : command.positionals) {
    if (positional.kind == ValueKind::kText) continue;
    const std::string offer = positional.kind == ValueKind::kFile ? " -F" : value(positional);
    out += fmt::format("complete -c marigram -n {}{}\n", quote(within), offer);
  }
  return out;
}

std::string choice(const std::string& condition, const std::string& name, const std::string& description) {
  return fmt::format("complete -c marigram -n {} -a {} -d {}\n", quote(condition), name, quote(description));
}

std::string group_lines(const CompletionGroup& group) {
  const std::string seen = "__fish_seen_subcommand_from " + group.name;
  std::string members;
  for (const CompletionCommand& command : group.commands) members += " " + last_word(command.name);
  std::string out = choice("__fish_use_subcommand", group.name, group.description);
  for (const CompletionCommand& command : group.commands) {
    const std::string name = last_word(command.name);
    out += choice(fmt::format("{}; and not __fish_seen_subcommand_from{}", seen, members), name, command.description);
    out += lines(fmt::format("{}; and __fish_seen_subcommand_from {}", seen, name), command);
  }
  return out;
}

}  // namespace

std::string fish_completion(const CompletionModel& model) {
  std::string out =
      "# fish completion for marigram, printed by `marigram completion fish`\n"
      "complete -c marigram -f\n";
  for (const CompletionOption& option : model.program.options) out += line("__fish_use_subcommand", option);
  std::string groups;  // their members may have the names of commands
  for (const CompletionGroup& group : model.groups) groups += " " + group.name;
  for (const CompletionCommand& command : model.commands) {
    out += choice("__fish_use_subcommand", command.name, command.description);
    std::string within = "__fish_seen_subcommand_from " + command.name;
    if (!groups.empty()) within += "; and not __fish_seen_subcommand_from" + groups;
    out += lines(within, command);
  }
  for (const CompletionGroup& group : model.groups) out += group_lines(group);
  return out;
}

}  // namespace marigram::cli
