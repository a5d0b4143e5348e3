#include "cli/completion.h"

#include <fmt/format.h>
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {

namespace {

// The function up to what differs from command to command: `command` is the first word that is no option, with the one
// behind it if that is a group; `prev` the option whose value is being typed, also in the form --option=value, where
// bash cuts at the sign.
constexpr const char* kHead = R"(# bash completion for marigram, printed by `marigram completion bash`
_marigram() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' kind='' i groups='%GROUPS%'
    COMPREPLY=()
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} != -* ]]; then
            command+=${command:+ }${COMP_WORDS[i]}
            [[ " $groups " == *" $command "* ]] || break
        fi
    done
)";

constexpr std::string_view kGroups = "%GROUPS%";

constexpr const char* kTail = R"(    if [[ $cur == -* && $kind != value ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    case $choices in
        /files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        /folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur") ;;
    esac
}
complete -F _marigram marigram
)";

std::string offered(const CompletionOption& option) {
  switch (option.kind) {
    case ValueKind::kFile:
      return "/files";
    case ValueKind::kFolder:
      return "/folders";
    case ValueKind::kChoice:
      return fmt::format("{}", fmt::join(option.choices, " "));
    case ValueKind::kNone:
    case ValueKind::kText:
      break;
  }
  return "";
}

// A command's positionals are offered together: files take folders in.
std::string offered(const std::vector<CompletionOption>& positionals) {
  std::string best;
  for (const CompletionOption& positional : positionals) {
    if (best != "/files" && positional.kind != ValueKind::kText) best = offered(positional);
  }
  return best;
}

std::string option_names(const std::vector<CompletionOption>& options) {
  std::vector<std::string> names;
  for (const CompletionOption& option : options) names.insert(names.end(), option.names.begin(), option.names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string value_cases(const CompletionCommand& command) {
  std::string out;
  for (const CompletionOption& option : command.options) {
    if (option.kind == ValueKind::kNone) continue;
    std::vector<std::string> patterns;
    patterns.reserve(option.names.size());
    for (const std::string& name : option.names) patterns.push_back(fmt::format("'{}:{}'", command.name, name));
    out += fmt::format("        {}) kind=value choices='{}' ;;\n", fmt::join(patterns, "|"), offered(option));
  }
  return out;
}

}  // namespace

std::string bash_completion(const CompletionModel& model) {
  std::vector<std::string> names;
  std::vector<std::string> groups;
  std::string cases;
  std::string values;
  const auto add = [&](const CompletionCommand& command) {
    cases += fmt::format("        '{}') words='{}' choices='{}' ;;\n", command.name, option_names(command.options),
                         offered(command.positionals));
    values += value_cases(command);
  };
  for (const CompletionCommand& command : model.commands) {
    names.push_back(command.name);
    add(command);
  }
  for (const CompletionGroup& group : model.groups) {
    names.push_back(group.name);
    groups.push_back(group.name);
    std::vector<std::string> members;
    members.reserve(group.commands.size());
    for (const CompletionCommand& command : group.commands) {
      members.push_back(last_word(command.name));
      add(command);
    }
    cases += fmt::format("        '{}') words='-h --help' choices='{}' ;;\n", group.name, fmt::join(members, " "));
  }
  std::string head = kHead;
  head.replace(head.find(kGroups), kGroups.size(), fmt::format("{}", fmt::join(groups, " ")));
  return fmt::format("{}    local choices=''\n    case $command in\n        '') words='{}' choices='{}' ;;\n{}", head,
                     option_names(model.program.options), fmt::join(names, " "), cases) +
         fmt::format("    esac\n    case $command:$prev in\n{}    esac\n{}", values, kTail);
}

}  // namespace marigram::cli
