// The C API over the C++ one. No exception leaves it: what runs out of memory is an error like others.
#include <marigram/marigram.h>

#include "base/try.h"

#include <marigram/database.h>

#include <algorithm>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct marigram_database {
  marigram::Database database;
};

namespace {

using marigram::ErrorCode;
using marigram::Status;

std::string& last_error() {
  thread_local std::string text;
  return text;
}

/// The codes have the order of ErrorCode.
static_assert(MARIGRAM_NOT_FOUND == static_cast<int>(ErrorCode::kNotFound) + 1);
static_assert(MARIGRAM_INTERNAL == static_cast<int>(ErrorCode::kInternal) + 1);

marigram_status told(const Status& status) {
  if (status) return MARIGRAM_OK;
  last_error() = status.error().message;
  return static_cast<marigram_status>(static_cast<int>(status.error().code) + 1);
}

template <typename Call>
marigram_status guarded(Call call) {
  try {
    return told(call());
  } catch (const std::bad_alloc&) {
    return told(marigram::fail(ErrorCode::kResourceExhausted, "out of memory"));
  } catch (const std::exception& error) {
    return told(marigram::fail(ErrorCode::kInternal, error.what()));
  }
}

std::unexpected<marigram::Error> null(const char* what, const char* wanted) {
  return marigram::fail(ErrorCode::kInvalidInput, std::string(what) + " is NULL; want " + wanted);
}

Status check_text(const char* text, const char* what) {
  return text != nullptr ? Status() : null(what, "text");
}

/// Where a call puts what it has to say, or the handle.
template <typename T>
Status check_there(const T* place, const char* what) {
  return place != nullptr ? Status() : null(what, "an address");
}

/// May be NULL if it is of nothing.
template <typename T>
Status check_array(const T* begin, std::size_t count, const char* what) {
  return begin != nullptr || count == 0 ? Status() : null(what, "an array");
}

marigram::Result<marigram::Tags> tags_of(const char* const* names, const char* const* values, std::size_t count) {
  marigram::Tags tags;
  MARIGRAM_TRY(check_array(names, count, "the names of tags"));
  MARIGRAM_TRY(check_array(values, count, "the values of tags"));
  tags.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    MARIGRAM_TRY(check_text(names[i], "the name of a tag"));
    MARIGRAM_TRY(check_text(values[i], "the value of a tag"));
    tags.push_back({.name = names[i], .value = values[i]});
  }
  return tags;
}

marigram::Result<marigram::MatchOp> op_of(std::string_view text) {
  if (text == "=") return marigram::MatchOp::kEqual;
  if (text == "!=") return marigram::MatchOp::kNotEqual;
  if (text == "=~") return marigram::MatchOp::kRegex;
  if (text == "!~") return marigram::MatchOp::kNotRegex;
  return marigram::fail(ErrorCode::kInvalidInput,
                        "cannot use the condition \"" + std::string(text) + "\"; want =, !=, =~ or !~");
}

marigram::Result<std::vector<std::string>> names_of(const char* const* names, std::size_t count, const char* what,
                                                    const char* one) {
  std::vector<std::string> list;
  MARIGRAM_TRY(check_array(names, count, what));
  for (const char* name : std::span(names, count)) {
    MARIGRAM_TRY(check_text(name, one));
    list.emplace_back(name);
  }
  return list;
}

template <typename Options>
Status check_size(const Options& given, const char* name) {
  if (given.size == sizeof(Options)) return {};
  return marigram::fail(ErrorCode::kInvalidInput, std::string("the options' size is not that of ") + name);
}

marigram::Result<marigram::AsofRequest> asof_request_of(const marigram_asof_options* given) {
  marigram::AsofRequest request;
  if (given == nullptr) return request;
  MARIGRAM_TRY(check_size(*given, "marigram_asof_options"));
  const auto direction = static_cast<std::uint64_t>(given->direction);
  if (direction > MARIGRAM_ASOF_NEAREST) {
    return marigram::fail(ErrorCode::kInvalidInput, "the direction is " + std::to_string(direction) +
                                                        "; want one of MARIGRAM_ASOF_BACKWARD, _FORWARD or _NEAREST");
  }
  request.direction = static_cast<marigram::AsofDirection>(given->direction);
  request.allow_exact_matches = given->strict == 0;
  if (given->tolerance != nullptr) request.tolerance = *given->tolerance;
  MARIGRAM_ASSIGN(request.columns,
                  names_of(given->columns, given->column_count, "the names of columns", "the name of a column"));
  MARIGRAM_ASSIGN(request.ignore_nulls,
                  names_of(given->ignore_nulls, given->ignore_nulls_count, "the names of columns without nulls",
                           "the name of a column without nulls"));
  if (given->suffix != nullptr) request.suffix = given->suffix;
  if (given->matched_time != nullptr) request.matched_time = given->matched_time;
  return request;
}

marigram::Result<marigram::WindowJoinRequest> window_join_request_of(const marigram_window_join_options* given) {
  MARIGRAM_TRY(check_there(given, "the place of the options"));
  MARIGRAM_TRY(check_size(*given, "marigram_window_join_options"));
  marigram::WindowJoinRequest request{.before = given->before, .after = given->after};
  MARIGRAM_ASSIGN(const auto aggregates,
                  names_of(given->aggregates, given->aggregate_count, "the list of aggregates", "an aggregate"));
  for (const std::string& aggregate : aggregates) request.columns.push_back({.aggregate = aggregate});
  return request;
}

marigram::Result<marigram::LatestRequest> latest_request_of(const marigram_latest_options* given) {
  marigram::LatestRequest request;
  if (given == nullptr) return request;
  MARIGRAM_TRY(check_size(*given, "marigram_latest_options"));
  if (given->first != 0) request.edge = marigram::SeriesEdge::kFirst;
  if (given->on_ns != nullptr) request.on = marigram::Instant::from_units(*given->on_ns, marigram::TimeUnit::kNano);
  MARIGRAM_ASSIGN(request.columns,
                  names_of(given->columns, given->column_count, "the names of columns", "the name of a column"));
  return request;
}

marigram::Result<marigram::Selection> selection_of(const marigram_selection* given) {
  marigram::Selection selection;
  if (given == nullptr) return selection;
  selection.from_ns = given->from_ns;
  selection.to_ns = given->to_ns;
  MARIGRAM_TRY(check_array(given->where, given->where_count, "the list of conditions"));
  selection.where.reserve(given->where_count);
  for (std::size_t i = 0; i < given->where_count; ++i) {
    const marigram_matcher& matcher = given->where[i];
    MARIGRAM_TRY(check_text(matcher.tag, "the tag of a condition"));
    MARIGRAM_TRY(check_text(matcher.op, "the operator of a condition"));
    MARIGRAM_TRY(check_text(matcher.value, "the value of a condition"));
    MARIGRAM_ASSIGN(const marigram::MatchOp op, op_of(matcher.op));
    selection.where.push_back({.name = matcher.tag, .op = op, .value = matcher.value});
  }
  return selection;
}

marigram::Result<marigram::DatabaseOptions> options_of(const marigram_options* given) {
  marigram::DatabaseOptions options;
  if (given == nullptr) return options;
  MARIGRAM_TRY(check_size(*given, "marigram_options"));
  const auto durability = static_cast<std::uint64_t>(given->durability);
  if (durability > MARIGRAM_DURABILITY_NONE) {
    return marigram::fail(ErrorCode::kInvalidInput, "the options' durability is " + std::to_string(durability) +
                                                        "; want one of MARIGRAM_DURABILITY_SYNC, _INTERVAL or _NONE");
  }
  options.read_only = given->read_only != 0;
  options.create = given->must_exist == 0;
  options.durability = static_cast<marigram::Durability>(given->durability);
  if (given->sync_interval_ms != 0) options.sync_interval = std::chrono::milliseconds(given->sync_interval_ms);
  if (given->memory_bytes != 0) options.memory_bytes = given->memory_bytes;
  if (given->log_file_bytes != 0) options.log_file_bytes = given->log_file_bytes;
  options.flush_bytes = std::min(options.flush_bytes, options.memory_bytes / 2);
  return options;
}

/// An aggregate, if there is one.
Status add_aggregate(const marigram_aggregate* given, marigram::QueryRequest& request) {
  if (given == nullptr) return {};
  if (given->kind != nullptr) request.aggregate = given->kind;
  request.every = given->every_ns;
  request.by_series = given->by_series != 0;
  MARIGRAM_ASSIGN(request.by, names_of(given->by, given->by_count, "the list of groups", "the tag of a group"));
  return {};
}

Status check_target(const marigram_database* db, const char* tenant, const char* series) {
  MARIGRAM_TRY(check_there(db, "the database"));
  MARIGRAM_TRY(check_text(tenant, "the tenant"));
  return check_text(series, "the series");
}

}  // namespace

const char* marigram_last_error(void) {
  return last_error().c_str();
}

marigram_status marigram_open(const char* path, const marigram_options* options, marigram_database** out) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_text(path, "the path"));
    MARIGRAM_TRY(check_there(out, "the place of the handle"));
    MARIGRAM_ASSIGN(const marigram::DatabaseOptions opened_with, options_of(options));
    MARIGRAM_ASSIGN(marigram::Database database, marigram::Database::open(path, opened_with));
    *out = new marigram_database{std::move(database)};
    return {};
  });
}

marigram_status marigram_close(marigram_database* db) {
  if (db == nullptr) return MARIGRAM_OK;
  const marigram_status status = guarded([&] { return db->database.close(); });
  delete db;
  return status;
}

marigram_status marigram_insert(marigram_database* db, const char* tenant, const char* series, int64_t time_ns,
                                double value, const char* const* tag_names, const char* const* tag_values,
                                size_t tag_count) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_ASSIGN(const marigram::Tags tags, tags_of(tag_names, tag_values, tag_count));
    return db->database.insert(tenant, series, time_ns, value, tags);
  });
}

marigram_status marigram_insert_batch(marigram_database* db, const char* tenant, const char* series,
                                      const int64_t* times_ns, const double* values, size_t count,
                                      const char* const* tag_names, const char* const* tag_values, size_t tag_count) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_ASSIGN(const marigram::Tags tags, tags_of(tag_names, tag_values, tag_count));
    MARIGRAM_TRY(check_array(times_ns, count, "the list of times"));
    MARIGRAM_TRY(check_array(values, count, "the list of values"));
    return db->database.insert_batch(tenant, series, tags, std::span(times_ns, count), std::span(values, count));
  });
}

marigram_status marigram_append(marigram_database* db, const char* name_space, const char* table,
                                struct ArrowArrayStream* rows, uint64_t* rows_appended) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, name_space, table));
    MARIGRAM_TRY(check_there(rows, "the stream"));
    MARIGRAM_ASSIGN(const marigram::AppendResult result, db->database.append(name_space, table, rows));
    if (rows_appended != nullptr) *rows_appended = result.rows;
    return {};
  });
}

marigram_status marigram_query(marigram_database* db, const char* tenant, const char* series,
                               const marigram_selection* selection, const marigram_aggregate* aggregate,
                               struct ArrowArrayStream* out) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_TRY(check_there(out, "the place of the stream"));
    MARIGRAM_ASSIGN(marigram::Selection chosen, selection_of(selection));
    marigram::QueryRequest request{.from_ns = chosen.from_ns, .to_ns = chosen.to_ns, .where = std::move(chosen.where)};
    MARIGRAM_TRY(add_aggregate(aggregate, request));
    return db->database.query(tenant, series, request, out);
  });
}

marigram_status marigram_asof(marigram_database* db, const char* tenant, const char* series,
                              struct ArrowArrayStream* probes, const marigram_asof_options* options,
                              struct ArrowArrayStream* out) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_TRY(check_there(probes, "the stream of probes"));
    MARIGRAM_TRY(check_there(out, "the place of the stream"));
    MARIGRAM_ASSIGN(const marigram::AsofRequest request, asof_request_of(options));
    return db->database.asof(tenant, series, probes, request, out);
  });
}

marigram_status marigram_window_join(marigram_database* db, const char* tenant, const char* series,
                                     struct ArrowArrayStream* probes, const marigram_window_join_options* options,
                                     struct ArrowArrayStream* out) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_TRY(check_there(probes, "the stream of probes"));
    MARIGRAM_TRY(check_there(out, "the place of the stream"));
    MARIGRAM_ASSIGN(const marigram::WindowJoinRequest request, window_join_request_of(options));
    return db->database.window_join(tenant, series, probes, request, out);
  });
}

marigram_status marigram_latest(marigram_database* db, const char* tenant, const char* series,
                                const marigram_latest_options* options, struct ArrowArrayStream* out) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_TRY(check_there(out, "the place of the stream"));
    MARIGRAM_ASSIGN(const marigram::LatestRequest request, latest_request_of(options));
    return db->database.latest(tenant, series, request, out);
  });
}

marigram_status marigram_remove(marigram_database* db, const char* tenant, const char* series,
                                const marigram_selection* selection, uint64_t* removed) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_target(db, tenant, series));
    MARIGRAM_ASSIGN(const marigram::Selection chosen, selection_of(selection));
    MARIGRAM_ASSIGN(const std::uint64_t rows, db->database.remove(tenant, series, chosen));
    if (removed != nullptr) *removed = rows;
    return {};
  });
}

marigram_status marigram_flush(marigram_database* db) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_there(db, "the database"));
    return db->database.flush();
  });
}

marigram_status marigram_compact(marigram_database* db) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_there(db, "the database"));
    MARIGRAM_TRY(db->database.compact());
    return {};
  });
}

marigram_status marigram_snapshot(marigram_database* db, const char* path) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_there(db, "the database"));
    MARIGRAM_TRY(check_text(path, "the path"));
    MARIGRAM_TRY(db->database.snapshot(path));
    return {};
  });
}

marigram_status marigram_restore(const char* from, const char* path) {
  return guarded([&]() -> Status {
    MARIGRAM_TRY(check_text(from, "the snapshot's path"));
    MARIGRAM_TRY(check_text(path, "the path"));
    MARIGRAM_TRY(marigram::Database::restore(from, path));
    return {};
  });
}
