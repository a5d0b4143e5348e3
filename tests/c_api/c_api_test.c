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

  struct ArrowArrayStream stream;
  CHECK(marigram_query(db, "t", "none", NULL, NULL, &stream) == MARIGRAM_NOT_FOUND);
  CHECK(strstr(marigram_last_error(), "t.none") != NULL);
  const marigram_matcher bad = {"host", "~", "b"};
  const marigram_selection wrong = {0, 1, &bad, 1};
  CHECK(marigram_query(db, "t", "cpu", &wrong, NULL, &stream) == MARIGRAM_INVALID_INPUT);
  CHECK(marigram_insert(db, NULL, "cpu", 1, 1, NULL, NULL, 0) == MARIGRAM_INVALID_INPUT);
  CHECK(marigram_close(db) == MARIGRAM_OK);
  CHECK(marigram_close(NULL) == MARIGRAM_OK);
  puts("ok");
  return 0;
}
