#include "cli/help_format.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

constexpr std::size_t kTextColumn = 28;  // where descriptions begin
constexpr std::size_t kWidth = 100;

// `  left      text`, wrapped at blanks; a long left part has a line of its own.
std::string entry(const std::string& left, std::string_view text) {
  std::string out = "  " + left;
  if (out.size() + 2 > kTextColumn) {
    out += '\n';
    out.append(kTextColumn, ' ');
  } else {
    out.append(kTextColumn - out.size(), ' ');
  }
  while (text.size() > kWidth - kTextColumn) {
    const std::size_t blank = text.rfind(' ', kWidth - kTextColumn);
    const std::size_t cut = blank == std::string_view::npos ? std::min(text.find(' '), text.size()) : blank;
    if (cut == text.size()) break;
    out.append(text.substr(0, cut));
    out += '\n';
    out.append(kTextColumn, ' ');
    text.remove_prefix(cut + 1);
  }
  return out.append(text) + "\n";
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string left = is_positional ? option->get_name(true, false) : "";
  if (!is_positional) {
    for (const std::string& name : option->get_snames()) left += fmt::format("{}-{}", left.empty() ? "" : ", ", name);
    for (const std::string& name : option->get_lnames()) left += fmt::format("{}--{}", left.empty() ? "" : ", ", name);
    if (option->get_items_expected_max() > 0) left += " " + option->get_type_name();
  }
  std::string text = option->get_description();
  if (!option->get_default_str().empty()) text += fmt::format(" (default: {})", option->get_default_str());
  if (is_positional && option->get_items_expected_max() > 1) left += "...";
  return entry(left, text);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return entry(command->get_name(), command->get_description());
}

// Required options are part of the line; all others are [OPTIONS].
std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string line = "\nUsage: " + (name.empty() ? app->get_name() : name);
  if (!app->get_subcommands({}).empty()) return line + " COMMAND ...\n";
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_required() && !option->get_positional()) {
      line += fmt::format(" {} {}", option->get_name(), option->get_type_name());
    }
  }
  line += " [OPTIONS]";
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) continue;
    line += " " + option->get_name(true, false);
    if (option->get_items_expected_max() > 1) line += "...";
  }
  return line + "\n";
}

}  // namespace marigram::cli
