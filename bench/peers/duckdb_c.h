// The part of DuckDB's C API that its appender needs, as its documentation declares it: the package that has the
// library has no header.
#pragma once

#include <cstdint>

extern "C" {

struct DuckdbHandle;  // opaque
using duckdb_database = DuckdbHandle*;
using duckdb_connection = DuckdbHandle*;
using duckdb_appender = DuckdbHandle*;
using idx_t = std::uint64_t;

enum duckdb_state : int { DuckDBSuccess = 0, DuckDBError = 1 };

struct duckdb_result {
  idx_t deprecated_column_count;
  idx_t deprecated_row_count;
  idx_t deprecated_rows_changed;
  void* deprecated_columns;
  char* deprecated_error_message;
  void* internal_data;
};

duckdb_state duckdb_open(const char* path, duckdb_database* database);
void duckdb_close(duckdb_database* database);
duckdb_state duckdb_connect(duckdb_database database, duckdb_connection* connection);
void duckdb_disconnect(duckdb_connection* connection);
duckdb_state duckdb_query(duckdb_connection connection, const char* sql, duckdb_result* result);
void duckdb_destroy_result(duckdb_result* result);
std::int64_t duckdb_value_int64(duckdb_result* result, idx_t column, idx_t row);
double duckdb_value_double(duckdb_result* result, idx_t column, idx_t row);
duckdb_state duckdb_appender_create(duckdb_connection connection, const char* schema, const char* table,
                                    duckdb_appender* appender);
duckdb_state duckdb_appender_end_row(duckdb_appender appender);
duckdb_state duckdb_appender_flush(duckdb_appender appender);
duckdb_state duckdb_appender_destroy(duckdb_appender* appender);
duckdb_state duckdb_append_int64(duckdb_appender appender, std::int64_t value);
duckdb_state duckdb_append_double(duckdb_appender appender, double value);
duckdb_state duckdb_append_varchar_length(duckdb_appender appender, const char* value, idx_t length);
}
