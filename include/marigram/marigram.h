// The C API: databases for any language that can call C. Rows go in and come out as Arrow C streams
// (https://arrow.apache.org/docs/format/CStreamInterface.html), or value by value.
//
//   marigram_database* db;
//   if (marigram_open("metrics.db", NULL, &db) != MARIGRAM_OK) fail(marigram_last_error());
//   marigram_insert(db, "acme", "cpu", time_ns, 0.93, (const char* const[]){"host"}, (const char* const[]){"a1"}, 1);
//   struct ArrowArrayStream rows;
//   marigram_query(db, "acme", "cpu", NULL, &rows);
//   ...
//   rows.release(&rows);
//   marigram_close(db);
//
// Everything is thread-safe but for marigram_close(). Texts are UTF-8 and end with NUL; they are copied. Times are
// nanoseconds since the Unix epoch (UTC). A NULL that is not said to be fine is
// MARIGRAM_INVALID_INPUT. database.h says more of each call, and of what its errors mean.
#pragma once

#include <marigram/arrow_abi.h>
#include <marigram/export.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What calls return: MARIGRAM_OK, or the kind of error, whose text is in marigram_last_error(). */
typedef enum marigram_status {
  MARIGRAM_OK = 0,
  MARIGRAM_NOT_FOUND = 1,
  MARIGRAM_INVALID_INPUT = 2,
  MARIGRAM_ALREADY_EXISTS = 3,
  MARIGRAM_OVERLAP = 4,
  MARIGRAM_SCHEMA_MISMATCH = 5,
  MARIGRAM_CONFLICT = 6,
  MARIGRAM_PERMISSION_DENIED = 7,
  MARIGRAM_RESOURCE_EXHAUSTED = 8,
  MARIGRAM_CORRUPTION = 9,
  MARIGRAM_IO = 10,
  MARIGRAM_CANCELLED = 11,
  MARIGRAM_INTERNAL = 12
} marigram_status;

typedef enum marigram_durability {
  MARIGRAM_DURABILITY_SYNC = 0,     /* on stable storage when an insert returns */
  MARIGRAM_DURABILITY_INTERVAL = 1, /* within sync_interval_ms */
  MARIGRAM_DURABILITY_NONE = 2      /* in memory, until the next flush */
} marigram_durability;

typedef struct marigram_options {
  size_t size;    /* sizeof(marigram_options): so that later versions can add members */
  int read_only;  /* not 0: own nothing, see what has been flushed */
  int must_exist; /* not 0: do not make a database that is not there */
  marigram_durability durability;
  uint32_t sync_interval_ms; /* 0: the default */
  uint64_t memory_bytes;     /* of rows in memory; 0: the default */
  uint64_t log_file_bytes;   /* of each file of the write-ahead log; 0: the default */
} marigram_options;

/* A condition on a tag. */
typedef struct marigram_matcher {
  const char* tag;
  const char* op; /* "=", "!=", "=~", "!~" */
  const char* value;
} marigram_matcher;

typedef struct marigram_selection {
  int64_t from_ns;               /* inclusive; INT64_MIN: no bound */
  int64_t to_ns;                 /* inclusive; INT64_MAX: no bound */
  const marigram_matcher* where; /* all must hold; may be NULL if there are none */
  size_t where_count;
} marigram_selection;

typedef struct marigram_aggregate {
  const char* kind;      /* "avg", "p99", ...: see QueryRequest::aggregate; NULL or "": rows */
  int64_t every_ns;      /* width of a bucket; 0: one for all */
  const char* const* by; /* tags to group by */
  size_t by_count;
  int by_series; /* not 0: a group for each series */
} marigram_aggregate;

typedef enum marigram_asof_direction {
  MARIGRAM_ASOF_BACKWARD = 0, /* the last row up to the probe */
  MARIGRAM_ASOF_FORWARD = 1,  /* the first from it on */
  MARIGRAM_ASOF_NEAREST = 2   /* the nearer of the two */
} marigram_asof_direction;

typedef struct marigram_asof_options {
  size_t size; /* sizeof(marigram_asof_options): so that later versions can add members */
  marigram_asof_direction direction;
  int strict;                 /* not 0: rows of the probe's own time are passed over */
  const uint64_t* tolerance;  /* how far a row may be, in nanoseconds or steps of an integer index; NULL: no limit */
  const char* const* columns; /* of the table; none: all but tags and time */
  size_t column_count;
  const char* const* ignore_nulls; /* of these, the ones that take the nearest row in which they are not null */
  size_t ignore_nulls_count;
  const char* suffix;       /* behind names of columns that the probes have too; NULL: these are an error */
  const char* matched_time; /* name of the column with the time of the row; "": none, NULL: "matched_time" */
} marigram_asof_options;

typedef struct marigram_window_join_options {
  size_t size;     /* sizeof(marigram_window_join_options) */
  uint64_t before; /* how far the window of a probe reaches, in nanoseconds or steps of an integer index */
  uint64_t after;  /* likewise */
  const char* const* aggregates; /* "count", "avg(bid)", "vwap(price,size)", ...: see FieldAggregate; at least one */
  size_t aggregate_count;
} marigram_window_join_options;

typedef struct marigram_latest_options {
  size_t size;                /* sizeof(marigram_latest_options) */
  int first;                  /* not 0: the first row of each series, not the last */
  const int64_t* on_ns;       /* the last up to this time, or the first from it on; NULL: of all */
  const char* const* columns; /* fields; none: all */
  size_t column_count;
} marigram_latest_options;

typedef struct marigram_database marigram_database;

/* The error of the last call of this thread that failed; valid until its next call. */
MARIGRAM_EXPORT const char* marigram_last_error(void);

/* `path`: a folder or "memory:". `options` may be NULL. The database is closed by marigram_close(). */
MARIGRAM_EXPORT marigram_status marigram_open(const char* path, const marigram_options* options,
                                              marigram_database** out);
/* Flushes and frees the handle, also if it fails. NULL is nothing to close. */
MARIGRAM_EXPORT marigram_status marigram_close(marigram_database* db);

/* One value, into the field "value"; a table that is not there is made. */
MARIGRAM_EXPORT marigram_status marigram_insert(marigram_database* db, const char* tenant, const char* series,
                                                int64_t time_ns, double value, const char* const* tag_names,
                                                const char* const* tag_values, size_t tag_count);
/* `count` values of one series. All or none. */
MARIGRAM_EXPORT marigram_status marigram_insert_batch(marigram_database* db, const char* tenant, const char* series,
                                                      const int64_t* times_ns, const double* values, size_t count,
                                                      const char* const* tag_names, const char* const* tag_values,
                                                      size_t tag_count);
/* Rows as segments of a table that exists, in one commit. Takes ownership of the stream. `rows_appended` may be NULL.
 */
MARIGRAM_EXPORT marigram_status marigram_append(marigram_database* db, const char* name_space, const char* table,
                                                struct ArrowArrayStream* rows, uint64_t* rows_appended);

/* Rows, or aggregates of them. Both descriptions may be NULL: all rows. The caller releases `out`, which keeps the
 * database open. */
MARIGRAM_EXPORT marigram_status marigram_query(marigram_database* db, const char* tenant, const char* series,
                                               const marigram_selection* selection, const marigram_aggregate* aggregate,
                                               struct ArrowArrayStream* out);

/* Joins each row of `probes`, which have the table's tags and time, to a row of the table: `out` has the columns of the
 * probes, those of the table and the time of the row (asof.h). Takes ownership of `probes`. `options` may be NULL. */
MARIGRAM_EXPORT marigram_status marigram_asof(marigram_database* db, const char* tenant, const char* series,
                                              struct ArrowArrayStream* probes, const marigram_asof_options* options,
                                              struct ArrowArrayStream* out);

/* Gives each row of `probes` aggregates of the rows of its series around it (window_join.h). Takes ownership of
 * `probes`. */
MARIGRAM_EXPORT marigram_status marigram_window_join(marigram_database* db, const char* tenant, const char* series,
                                                     struct ArrowArrayStream* probes,
                                                     const marigram_window_join_options* options,
                                                     struct ArrowArrayStream* out);

/* The last row of each series, or the first (latest.h): tags, time and fields. `options` may be NULL. */
MARIGRAM_EXPORT marigram_status marigram_latest(marigram_database* db, const char* tenant, const char* series,
                                                const marigram_latest_options* options, struct ArrowArrayStream* out);

/* Deletes rows; `removed` may be NULL. */
MARIGRAM_EXPORT marigram_status marigram_remove(marigram_database* db, const char* tenant, const char* series,
                                                const marigram_selection* selection, uint64_t* removed);
MARIGRAM_EXPORT marigram_status marigram_flush(marigram_database* db);
MARIGRAM_EXPORT marigram_status marigram_compact(marigram_database* db);
MARIGRAM_EXPORT marigram_status marigram_snapshot(marigram_database* db, const char* path);
MARIGRAM_EXPORT marigram_status marigram_restore(const char* from, const char* path);

#ifdef __cplusplus
}
#endif
