// marigram db tags: names of tags, and their values.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/tags.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  std::string tag;
  std::vector<std::string> where;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(const std::vector<TagMatcher> where, parse_conditions(context, options.where));
  if (options.tag.empty() && !where.empty()) {
    return context.usage("cannot use --where for the tags themselves: it is for values of one; name a tag");
  }
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  std::vector<std::string> texts;
  if (options.tag.empty()) {
    MARIGRAM_ASSIGN(texts, opened.database.list_tags(named.name_space, named.table));
  } else {
    MARIGRAM_ASSIGN(texts, opened.database.list_tag_values(named.name_space, named.table, options.tag, where));
  }
  if (context.json) {
    MARIGRAM_TRY(context.print({{options.tag.empty() ? "tags" : "values", texts}}));
    return kExitOk;
  }
  for (const std::string& text : texts) MARIGRAM_TRY(context.out.write(text + "\n"));
  return kExitOk;
}

}  // namespace

void add_db_tags(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "tags", "List the tags of a table, or the values of one",
                                      "marigram db tags metrics acme.cpu host");
  add_database(command, options->path);
  add_database_table(command, options->table);
  command.option("TAG", options->tag, "TEXT", "The tag whose values are listed");
  add_conditions(command, options->where);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
