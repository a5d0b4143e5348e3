/* A program in C, as a binding would use the API. Without this test the header could need C++, or an error be lost. */
#include <marigram/marigram.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                   \
  do {                                                                                                     \
    if (!(condition)) {                                                                                    \
      fprintf(stderr, "%s:%d: not so: %s; last error: %s\n", __FILE__, __LINE__, #condition, marigram_last_error()); \
      exit(1);                                                                                             \
    }                                                                                                      \
  } while (0)

static const char* const kHost[] = {"host"};
static const char* const kA[] = {"a"};
static const char* const kB[] = {"b"};

/* Rows of a query, and the sum of its last column, which is of doubles. */
static int64_t count_rows(marigram_database* db, const marigram_selection* selection,
                          const marigram_aggregate* aggregate, double* sum) {
  struct ArrowArrayStream stream;
  CHECK(marigram_query(db, "t", "cpu", selection, aggregate, &stream) == MARIGRAM_OK);
  int64_t rows = 0;
  *sum = 0;
  for (;;) {
    struct ArrowArray batch;
    CHECK(stream.get_next(&stream, &batch) == 0);
    if (batch.release == NULL) break;
    const struct ArrowArray* last = batch.children[batch.n_children - 1];
    const double* values = last->buffers[1];
    for (int64_t i = 0; i < batch.length; ++i) *sum += values[last->offset + i];
    rows += batch.length;
    batch.release(&batch);
  }
  stream.release(&stream);
  return rows;
}

/* The rows of an aggregate, as probes. */
static void ask_probes(marigram_database* db, struct ArrowArrayStream* probes) {
  const marigram_aggregate count = {.kind = "count", .every_ns = 1000, .by_series = 1};
  CHECK(marigram_query(db, "t", "cpu", NULL, &count, probes) == MARIGRAM_OK);
}

/* The sum of a stream's last column, which is of doubles. Releases it. */
static double sum_last(struct ArrowArrayStream* rows) {
  double sum = 0;
  for (;;) {
    struct ArrowArray batch;
    CHECK(rows->get_next(rows, &batch) == 0);
    if (batch.release == NULL) break;
    const struct ArrowArray* value = batch.children[batch.n_children - 1];
    const double* values = value->buffers[1];
    const uint8_t* valid = value->buffers[0];
    for (int64_t i = 0; i < batch.length; ++i) {
      const int64_t at = value->offset + i;
      if (valid == NULL || (valid[at / 8] >> (at % 8) & 1) != 0) sum += values[at];
    }
    batch.release(&batch);
  }
  rows->release(rows);
  return sum;
}

/* A column of the table is joined to each probe, and summed up. */
static double join_values(marigram_database* db, const marigram_asof_options* options) {
  struct ArrowArrayStream probes;
  struct ArrowArrayStream joined;
  ask_probes(db, &probes);
  CHECK(marigram_asof(db, "t", "cpu", &probes, options, &joined) == MARIGRAM_OK);
  return sum_last(&joined);
}

/* The same of windows around the probes. */
static double join_windows(marigram_database* db, uint64_t after, const char* aggregate) {
  struct ArrowArrayStream probes;
  struct ArrowArrayStream joined;
  const marigram_window_join_options options = {
      .size = sizeof(options), .after = after, .aggregates = &aggregate, .aggregate_count = 1};
  ask_probes(db, &probes);
  CHECK(marigram_window_join(db, "t", "cpu", &probes, &options, &joined) == MARIGRAM_OK);
  return sum_last(&joined);
}

static double sum_latest(marigram_database* db, const marigram_latest_options* options) {
  struct ArrowArrayStream rows;
  CHECK(marigram_latest(db, "t", "cpu", options, &rows) == MARIGRAM_OK);
  return sum_last(&rows);
}

/* Whether a call is refused with words that name what was wrong. */
#define REFUSED(call, words) CHECK((call) == MARIGRAM_INVALID_INPUT && strstr(marigram_last_error(), words) != NULL)

/* Null pointers, and numbers that mean nothing: errors, not crashes. */
static void check_bad_arguments(marigram_database* db) {
  struct ArrowArrayStream stream;
  marigram_database* none = NULL;
  const int64_t time = 1;
  const double value = 1;
  const char* const null_text[] = {NULL};
  const marigram_options small = {.size = 4};
  marigram_options odd = {.size = sizeof(odd)};
  odd.durability = (marigram_durability)7;
  REFUSED(marigram_open(NULL, NULL, &none), "path");
  REFUSED(marigram_open("memory:", NULL, NULL), "handle");
  REFUSED(marigram_open("memory:", &small, &none), "size");
  REFUSED(marigram_open("memory:", &odd, &none), "durability is 7");
  odd.durability = MARIGRAM_DURABILITY_SYNC;
  odd.log_file_bytes = 1000;
  REFUSED(marigram_open("memory:", &odd, &none), "files of 1000 bytes");
  CHECK(none == NULL);

  REFUSED(marigram_insert(NULL, "t", "cpu", 1, 1, NULL, NULL, 0), "database");
  REFUSED(marigram_insert(db, NULL, "cpu", 1, 1, NULL, NULL, 0), "tenant");
  REFUSED(marigram_insert(db, "t", NULL, 1, 1, NULL, NULL, 0), "series");
  REFUSED(marigram_insert(db, "t", "cpu", 1, 1, NULL, kA, 1), "names of tags");
  REFUSED(marigram_insert(db, "t", "cpu", 1, 1, kHost, NULL, 1), "values of tags");
  REFUSED(marigram_insert(db, "t", "cpu", 1, 1, null_text, kA, 1), "name of a tag");
  REFUSED(marigram_insert(db, "t", "cpu", 1, 1, kHost, null_text, 1), "value of a tag");
  REFUSED(marigram_insert_batch(db, "t", "cpu", NULL, &value, 1, NULL, NULL, 0), "times");
  REFUSED(marigram_insert_batch(db, "t", "cpu", &time, NULL, 1, NULL, NULL, 0), "values");
  CHECK(marigram_insert_batch(db, "t", "cpu", NULL, NULL, 0, NULL, NULL, 0) == MARIGRAM_OK);
  REFUSED(marigram_append(db, "t", "cpu", NULL, NULL), "stream");
  marigram_asof_options asof = {.size = 4};
  REFUSED(marigram_asof(db, "t", "cpu", NULL, NULL, &stream), "probes");
  REFUSED(marigram_asof(db, "t", "cpu", &stream, NULL, NULL), "stream");
  REFUSED(marigram_asof(db, "t", "cpu", &stream, &asof, &stream), "size");
  asof.size = sizeof(asof);
  asof.direction = (marigram_asof_direction)9;
  REFUSED(marigram_asof(db, "t", "cpu", &stream, &asof, &stream), "direction is 9");
  asof.direction = MARIGRAM_ASOF_BACKWARD;
  asof.column_count = 1;
  REFUSED(marigram_asof(db, "t", "cpu", &stream, &asof, &stream), "columns");
  marigram_window_join_options windows = {.size = 4};
  marigram_latest_options latest = {.size = 4};
  REFUSED(marigram_window_join(db, "t", "cpu", NULL, &windows, &stream), "probes");
  REFUSED(marigram_window_join(db, "t", "cpu", &stream, NULL, &stream), "options");
  REFUSED(marigram_window_join(db, "t", "cpu", &stream, &windows, &stream), "size");
  REFUSED(marigram_latest(db, "t", "cpu", NULL, NULL), "stream");
  REFUSED(marigram_latest(db, "t", "cpu", &latest, &stream), "size");
  windows.size = sizeof(windows);
  windows.aggregates = null_text;
  windows.aggregate_count = 1;
  REFUSED(marigram_window_join(db, "t", "cpu", &stream, &windows, &stream), "aggregate");
  latest.size = sizeof(latest);
  latest.column_count = 1;
  REFUSED(marigram_latest(db, "t", "cpu", &latest, &stream), "columns");
  memset(&stream, 0, sizeof(stream));
  REFUSED(marigram_append(db, "t", "cpu", &stream, NULL), "released");

  const marigram_selection no_list = {0, 1, NULL, 1};
  const marigram_matcher no_tag = {NULL, "=", "a"};
  const marigram_matcher no_op = {"host", NULL, "a"};
  const marigram_matcher no_value = {"host", "=", NULL};
  const marigram_matcher* const halves[] = {&no_tag, &no_op, &no_value};
  const marigram_aggregate no_groups = {"max", 0, NULL, 1, 0};
  const marigram_aggregate no_group = {"max", 0, null_text, 1, 0};
  REFUSED(marigram_query(NULL, "t", "cpu", NULL, NULL, &stream), "database");
  REFUSED(marigram_query(db, "t", "cpu", NULL, NULL, NULL), "stream");
  REFUSED(marigram_query(db, "t", "cpu", &no_list, NULL, &stream), "conditions");
  for (int i = 0; i < 3; ++i) {
    const marigram_selection half = {0, 1, halves[i], 1};
    REFUSED(marigram_query(db, "t", "cpu", &half, NULL, &stream), "of a condition");
    REFUSED(marigram_remove(db, "t", "cpu", &half, NULL), "of a condition");
  }
  REFUSED(marigram_query(db, "t", "cpu", NULL, &no_groups, &stream), "groups");
  REFUSED(marigram_query(db, "t", "cpu", NULL, &no_group, &stream), "group");
  REFUSED(marigram_remove(NULL, "t", "cpu", NULL, NULL), "database");
  REFUSED(marigram_flush(NULL), "database");
  REFUSED(marigram_compact(NULL), "database");
  REFUSED(marigram_snapshot(NULL, "x"), "database");
  REFUSED(marigram_snapshot(db, NULL), "path");
  REFUSED(marigram_restore(NULL, "x"), "snapshot");
  REFUSED(marigram_restore("x", NULL), "path");
}

int main(void) {
  marigram_database* db = NULL;
  double sum = 0;
  CHECK(marigram_open("memory:", NULL, &db) == MARIGRAM_OK);
  CHECK(marigram_insert(db, "t", "cpu", 1, 1.5, kHost, kA, 1) == MARIGRAM_OK);
  const int64_t times[] = {2, 3, 4};
  const double values[] = {2, 3, 4};
  CHECK(marigram_insert_batch(db, "t", "cpu", times, values, 3, kHost, kB, 1) == MARIGRAM_OK);
  CHECK(count_rows(db, NULL, NULL, &sum) == 4 && sum == 10.5);

  const marigram_matcher only_b = {"host", "=", "b"};
  const marigram_selection some = {3, INT64_MAX, &only_b, 1};
  CHECK(count_rows(db, &some, NULL, &sum) == 2 && sum == 7);
  const marigram_aggregate largest = {"max", 0, kHost, 1, 0};
  CHECK(count_rows(db, NULL, &largest, &sum) == 2 && sum == 5.5);

  uint64_t removed = 0;
  CHECK(marigram_remove(db, "t", "cpu", &some, &removed) == MARIGRAM_OK && removed == 2);
  CHECK(count_rows(db, NULL, NULL, &sum) == 2 && sum == 3.5);
  CHECK(marigram_flush(db) == MARIGRAM_OK);
  CHECK(marigram_compact(db) == MARIGRAM_OK);

  const char* const value[] = {"value"};
  const uint64_t one = 1;
  marigram_asof_options join = {.size = sizeof(join), .columns = value, .column_count = 1, .suffix = "_then", .matched_time = ""};
  CHECK(join_values(db, &join) == 0); /* buckets begin before all rows */
  join.direction = MARIGRAM_ASOF_FORWARD;
  CHECK(join_values(db, &join) == 3.5);
  join.tolerance = &one;
  CHECK(join_values(db, &join) == 1.5);

  CHECK(join_windows(db, 1, "sum(value)") == 1.5);
  CHECK(join_windows(db, 2, "vwap(value,value)") == 3.5);
  const int64_t at_one = 1;
  const marigram_latest_options early = {.size = sizeof(early), .on_ns = &at_one, .columns = value, .column_count = 1};
  const marigram_latest_options first = {.size = sizeof(first), .first = 1};
  CHECK(sum_latest(db, NULL) == 3.5);
  CHECK(sum_latest(db, &first) == 3.5);
  CHECK(sum_latest(db, &early) == 1.5);

  struct ArrowArrayStream stream;
  CHECK(marigram_query(db, "t", "none", NULL, NULL, &stream) == MARIGRAM_NOT_FOUND);
  CHECK(strstr(marigram_last_error(), "t.none") != NULL);
  const marigram_matcher bad = {"host", "~", "b"};
  const marigram_selection wrong = {0, 1, &bad, 1};
  CHECK(marigram_query(db, "t", "cpu", &wrong, NULL, &stream) == MARIGRAM_INVALID_INPUT);
  check_bad_arguments(db);
  CHECK(count_rows(db, NULL, NULL, &sum) == 2 && sum == 3.5);
  CHECK(marigram_close(db) == MARIGRAM_OK);
  CHECK(marigram_close(NULL) == MARIGRAM_OK);
  puts("ok");
  return 0;
}
