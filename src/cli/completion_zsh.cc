#include "cli/completion.h"

#include <fmt/format.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {

namespace {

// For a description within single quotes and, in an option's, within brackets.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string action(const CompletionOption& option) {
  switch (option.kind) {
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kFolder:
      return "_files -/";
    case ValueKind::kChoice:
      return fmt::format("({})", fmt::join(option.choices, " "));
    case ValueKind::kNone:
    case ValueKind::kText:
      break;
  }
  return " ";
}

// One specification of _arguments for each name of the option.
std::string specifications(const CompletionOption& option) {
  std::string out;
  for (const std::string& name : option.names) {
    const std::string value =
        option.kind == ValueKind::kNone ? "" : fmt::format(":{}:{}", escape(option.metavariable), action(option));
    out += fmt::format(" \\\n                '{}{}[{}]{}'", option.repeatable ? "*" : "", name,
                       escape(option.description), value);
  }
  return out;
}

std::string arguments(const CompletionCommand& command) {
  std::string out = "_arguments";
  for (const CompletionOption& option : command.options) out += specifications(option);
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const CompletionOption& positional = command.positionals[i];
    const std::string position = positional.repeatable ? "*" : fmt::format("{}", i + 1);
    out +=
        fmt::format(" \\\n                '{}:{}:{}'", position, escape(positional.names.front()), action(positional));
  }
  return out;
}

// A word of several, and what completes the words behind it.
struct Choice {
  std::string name;
  std::string description;
  std::string action;
};

// A function that offers the choices as the next word, and does what the chosen one says.
std::string dispatcher(const std::string& name, const std::string& options, const std::vector<Choice>& choices) {
  std::string out = name +
                    "() {\n"
                    "    local curcontext=\"$curcontext\" state line\n"
                    "    typeset -A opt_args\n"
                    "    _arguments -C" +
                    options;
  out += " \\\n                '1:command:->command' '*::argument:->argument'\n    case $state in\n";
  out += "        command)\n            local -a commands=(\n";
  for (const Choice& choice : choices) {
    out += fmt::format("                '{}:{}'\n", choice.name, escape(choice.description));
  }
  out += "            )\n            _describe command commands ;;\n";
  out += "        argument)\n            case $line[1] in\n";
  for (const Choice& choice : choices) out += fmt::format("            {}) {} ;;\n", choice.name, choice.action);
  return out + "            esac ;;\n    esac\n}\n";
}

}  // namespace

std::string zsh_completion(const CompletionModel& model) {
  std::string functions;
  std::vector<Choice> choices;
  choices.reserve(model.commands.size());
  for (const CompletionCommand& command : model.commands) {
    choices.push_back({command.name, command.description, arguments(command)});
  }
  for (const CompletionGroup& group : model.groups) {
    std::vector<Choice> members;
    members.reserve(group.commands.size());
    for (const CompletionCommand& command : group.commands) {
      members.push_back({last_word(command.name), command.description, arguments(command)});
    }
    const std::string name = "_marigram_" + group.name;
    functions += dispatcher(name, "", members);
    choices.push_back({group.name, group.description, name});
  }
  std::string options;
  for (const CompletionOption& option : model.program.options) options += specifications(option);
  // Sourced, it registers itself; found in $fpath, it is the function's body.
  return "#compdef marigram\n"
         "# zsh completion for marigram, printed by `marigram completion zsh`\n" +
         functions + dispatcher("_marigram", options, choices) +
         "if [[ $funcstack[1] == _marigram ]]; then\n    _marigram \"$@\"\nelse\n    compdef _marigram marigram\nfi\n";
}

}  // namespace marigram::cli
