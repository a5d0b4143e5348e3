#include "cli/completion.h"

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t cut = text.find(separator);
    parts.emplace_back(text.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    text.remove_prefix(cut + 1);
  }
}

// The metavariable says what a value is (command.h): FILE, FOLDER, choices in lower case, or anything else.
ValueKind kind_of(const std::string& metavariable) {
  if (metavariable == "FILE") return ValueKind::kFile;
  if (metavariable == "FOLDER") return ValueKind::kFolder;
  const bool lower = !metavariable.empty() && std::islower(static_cast<unsigned char>(metavariable.front())) != 0;
  return lower ? ValueKind::kChoice : ValueKind::kText;
}

CompletionOption describe(const CLI::Option& option) {
  CompletionOption out;
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  if (option.get_positional()) out.names = {option.get_name(true, false)};
  out.description = option.get_description();
  if (option.get_items_expected_max() == 0) return out;
  out.metavariable = option.get_type_name();
  out.kind = kind_of(out.metavariable);
  if (out.kind == ValueKind::kChoice) out.choices = split(out.metavariable, '|');
  out.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return out;
}

CompletionCommand describe(const CLI::App& app, const std::string& before) {
  CompletionCommand out;
  out.name = before + app.get_name();
  out.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? out.positionals : out.options).push_back(describe(*option));
  }
  return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

}  // namespace

CompletionModel completion_model(const CLI::App& app) {
  CompletionModel model{.program = describe(app, ""), .commands = {}, .groups = {}};
  for (const CLI::App* command : commands_of(app)) {
    const auto members = commands_of(*command);
    if (members.empty()) {
      model.commands.push_back(describe(*command, ""));
      continue;
    }
    CompletionGroup group{.name = command->get_name(), .description = command->get_description(), .commands = {}};
    for (const CLI::App* member : members) group.commands.push_back(describe(*member, group.name + " "));
    model.groups.push_back(std::move(group));
  }
  return model;
}

std::string last_word(const std::string& name) {
  return name.substr(name.rfind(' ') + 1);
}

}  // namespace marigram::cli
