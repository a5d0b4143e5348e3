// marigram db: the commands that work on databases.
#include "cli/command.h"

namespace marigram::cli {

void add_db(CLI::App& app, Context& context) {
  CLI::App& group = add_group(app, "db", "Databases: namespaces of tables, a write-ahead log, and rows in memory");
  add_db_init(group, context);
  add_db_tables(group, context);
  add_db_write(group, context);
  add_db_query(group, context);
  add_db_explain(group, context);
  add_db_series(group, context);
  add_db_tags(group, context);
  add_db_delete(group, context);
  add_db_truncate(group, context);
  add_db_diff(group, context);
  add_db_tag(group, context);
  add_db_revert(group, context);
  add_db_flush(group, context);
  add_db_compact(group, context);
  add_db_rollup(group, context);
  add_db_retention(group, context);
  add_db_tier(group, context);
  add_db_drop(group, context);
  add_db_undrop(group, context);
  add_db_rename(group, context);
  add_db_vacuum(group, context);
  add_db_jobs(group, context);
  add_db_backup(group, context);
  add_db_verify_backup(group, context);
  add_db_restore(group, context);
  add_db_clone(group, context);
  add_db_stats(group, context);
  add_db_verify(group, context);
}

}  // namespace marigram::cli
