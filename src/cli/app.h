// The program: its options, its subcommands, and what their results mean to the shell.
#pragma once

namespace CLI {
class App;
}

namespace marigram::cli {

struct Context;

/// Declares everything. `context` outlives `app`.
void build_app(CLI::App& app, Context& context);

/// main() without the name. Returns the exit status. To be called once in a process: it sets signal handlers.
int run(int argc, char** argv);

}  // namespace marigram::cli
