// CSV, JSON lines and aligned tables.
#include "base/try.h"
#include "cli/batch_writer.h"
#include "cli/cell_format.h"
#include "cli/output.h"
#include "cli/text_table.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace marigram::cli {

namespace {

// RFC 4180: quoted where it must be, and where it is empty, since an empty cell is a null.
void append_csv_text(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class CsvWriter final : public BatchWriter {
 public:
  CsvWriter(const arrow::Schema& schema, Output& out) : out_(out) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      if (i > 0) line_ += ',';
      append_csv_text(schema.field(i)->name(), line_);
    }
    if (!line_.empty()) line_ += '\n';  // a table without columns yet has no header
  }

  Status write(const arrow::RecordBatch& batch) override {
    const arrow::ArrayVector& columns = batch.columns();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) line_ += ',';
        append_cell(*columns[i], row);
      }
      line_ += '\n';
      MARIGRAM_TRY(flush());
    }
    return {};
  }

  Status finish() override { return flush(); }

 private:
  void append_cell(const arrow::Array& column, std::int64_t row) {
    if (column.IsNull(row)) return;
    if (is_number(column)) {
      append_text(column, row, line_);
      return;
    }
    cell_.clear();
    append_text(column, row, cell_);
    append_csv_text(cell_, line_);
  }

  Status flush() {
    const Status written = out_.write(line_);
    line_.clear();
    return written;
  }

  Output& out_;
  std::string line_;  // begun with the header
  std::string cell_;
};

class JsonWriter final : public BatchWriter {
 public:
  JsonWriter(const arrow::Schema& schema, Output& out) : out_(out) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      std::string key = i == 0 ? "{" : ",";
      append_json_string(schema.field(i)->name(), key);
      keys_.push_back(key + ':');
    }
  }

  Status write(const arrow::RecordBatch& batch) override {
    const arrow::ArrayVector& columns = batch.columns();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      line_.clear();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        line_ += keys_[i];
        append_json(*columns[i], row, line_);
      }
      line_ += "}\n";
      MARIGRAM_TRY(out_.write(line_));
    }
    return {};
  }

  Status finish() override { return {}; }

 private:
  Output& out_;
  std::vector<std::string> keys_;  // `{"a":`, `,"b":`
  std::string line_;
};

class TableWriter final : public BatchWriter {
 public:
  TableWriter(TextTable table, Output& out, bool color) : table_(std::move(table)), out_(out), color_(color) {}

  Status write(const arrow::RecordBatch& batch) override {
    const arrow::ArrayVector& columns = batch.columns();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::vector<std::string> cells(columns.size());
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i]->IsNull(row)) {
          cells[i] = "null";
        } else {
          append_text(*columns[i], row, cells[i]);
        }
      }
      table_.add_row(std::move(cells));
      if (table_.rows() >= kTableWidthRows) MARIGRAM_TRY(out_.write(table_.render(color_)));
    }
    return {};
  }

  Status finish() override { return out_.write(table_.render(color_)); }

 private:
  TextTable table_;
  Output& out_;
  bool color_;
};

bool aligns_right(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id());
}

}  // namespace

std::unique_ptr<BatchWriter> make_csv_writer(const arrow::Schema& schema, Output& out) {
  return std::make_unique<CsvWriter>(schema, out);
}

std::unique_ptr<BatchWriter> make_json_writer(const arrow::Schema& schema, Output& out) {
  return std::make_unique<JsonWriter>(schema, out);
}

std::unique_ptr<BatchWriter> make_table_writer(const arrow::Schema& schema, Output& out, bool color) {
  std::vector<TextTable::Column> columns;
  for (const auto& field : schema.fields()) {
    columns.push_back({field->name(), aligns_right(*field->type()) ? Align::kRight : Align::kLeft});
  }
  return std::make_unique<TableWriter>(TextTable(std::move(columns)), out, color);
}

}  // namespace marigram::cli
