// How --help looks: CLI11's layout, with defaults spelt out and long descriptions wrapped.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace marigram::cli {

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

}  // namespace marigram::cli
