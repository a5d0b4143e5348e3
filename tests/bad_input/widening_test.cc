// Numbers narrower than their column, as other programs write them. Without these, lossless widening could stop at
// what our own files can hold, or take what does not fit.
#include "subject.h"

#include <marigram/batch.h>

namespace marigram::bad_input {
namespace {

using Narrow = BadInput;

INSTANTIATE_TEST_SUITE_P(Widening, Narrow, ::testing::Values(Dialect::kV1, Dialect::kV7),
                         [](const auto& parameter) { return parameter.param == Dialect::kV1 ? "V1" : "V7"; });

const std::vector<std::shared_ptr<arrow::DataType>>& small_integers() {
  static const std::vector<std::shared_ptr<arrow::DataType>> kAll = {arrow::int8(), arrow::int16(), arrow::uint8(),
                                                                     arrow::uint16(), arrow::uint32()};
  return kAll;
}

std::shared_ptr<arrow::Table> with_count_as(const std::shared_ptr<arrow::DataType>& type, std::int64_t first) {
  const auto rows = hours(first, 3);
  return with_column(rows, "count", arrow::field("count", type), as(*rows, "count", type));
}

/// A table whose count has the type, declared before there are rows.
std::string declared(const std::filesystem::path& folder, const std::string& type, Dialect dialect) {
  const std::string path = (folder / ("of_" + type)).string();
  EXPECT_TRUE(Table::create(path, {.time_column = "ts",
                                   .unit = TimeUnit::kMicro,
                                   .tags = {{.name = "station", .type = "string"}},
                                   .fields = {{.name = "value", .type = "float64"}, {.name = "count", .type = type}},
                                   .dialect = dialect}));
  return path;
}

/// v1 widens nothing, and says so.
TEST_P(Narrow, IntegersAreWidenedWithoutLoss) {
  int widened = 0;
  for (const std::string wide : {"int32", "int64", "uint64"}) {
    if (v1() && wide == "uint64") continue;
    const std::string path = declared(folder_, wide, dialect());
    std::int64_t first = 0;
    for (const auto& type : small_integers()) {
      SCOPED_TRACE(type->ToString() + " to " + wide);
      const bool is_signed = type->ToString().front() == 'i';
      const bool fits = !v1() && is_signed == (wide != "uint64");
      const auto rows = with_count_as(type, first += 10);
      auto table = Table::open(path).value();
      const auto appended = append_rows(table, *rows);
      EXPECT_EQ(appended.has_value(), fits) << (appended ? "" : appended.error().message);
      if (!appended) {
        EXPECT_EQ(appended.error().code, ErrorCode::kSchemaMismatch);
        expect_words(appended.error().message, {"count", type->ToString(), wide});
        continue;
      }
      ++widened;
      auto stream = read(table, {.from = Instant{first * 3'600}, .columns = {"count"}}).value();
      const Batch batch = stream.next().value().value();
      for (std::size_t row = 0; row < 3; ++row) {
        const Value expected = wide == "uint64" ? Value(static_cast<std::uint64_t>(first) + row)
                                                : Value(first + static_cast<std::int64_t>(row));
        EXPECT_EQ(batch.at(row, 0), expected);
      }
      write_parquet(input("narrow.parquet"), *with_count_as(type, first + 1'000));
      const Ran ran = run_program({"append", path, input("narrow.parquet").string()});
      EXPECT_EQ(ran.status, 0) << ran.err;
      write_parquet(input("narrow.parquet"), *with_count_as(type, first + 2'000));
      const Ran imported = run_program({"import", path, input("narrow.parquet").string()});
      EXPECT_EQ(imported.status, 0) << imported.err;
    }
    EXPECT_TRUE(Table::verify(path)->problems.empty());
  }
  EXPECT_EQ(widened, v1() ? 0 : 7);
}

/// The columns that name a row widen too: tags as they were declared, an integer index as its first rows had it.
TEST_P(Narrow, KeysAreWidened) {
  if (v1()) GTEST_SKIP() << "v1 has neither integer indexes nor integer tags";
  const std::string path = (folder_ / "keys").string();
  auto table = Table::create(path, {.time_column = "seq",
                                    .tags = {{.name = "device", .type = "int64"}},
                                    .index_type = "uint64",
                                    .index_step = 1,
                                    .dialect = dialect()});
  ASSERT_TRUE(table) << table.error().message;
  const auto rows_of = [](const std::shared_ptr<arrow::DataType>& seq, const std::shared_ptr<arrow::DataType>& device,
                          std::int64_t first) {
    const auto rows = hours(first, 2);
    return arrow::Table::Make(arrow::schema({arrow::field("seq", seq, false), arrow::field("device", device, false)}),
                              {as(*rows, "count", seq), as(*rows, "count", device)});
  };
  ASSERT_TRUE(append_rows(*table, *rows_of(arrow::uint64(), arrow::int16(), 10)));
  EXPECT_EQ(table->info().tags.front().type, "int64");
  for (const auto& seq : {arrow::uint8(), arrow::uint16(), arrow::uint32()}) {
    static std::int64_t first = 20;
    const auto appended = append_rows(*table, *rows_of(seq, arrow::int8(), first += 10));
    EXPECT_TRUE(appended) << appended.error().message;
  }
  EXPECT_EQ(append_rows(*table, *rows_of(arrow::int32(), arrow::int8(), 90)).error().code, ErrorCode::kSchemaMismatch);
  EXPECT_EQ(count_rows(*table).value(), 8U);
  EXPECT_TRUE(Table::verify(path)->problems.empty());
}

/// A table without columns yet has no wider type to widen to, and its format knows none so small.
TEST_P(Narrow, NoTableIsMadeOfThem) {
  for (const auto& type : small_integers()) {
    SCOPED_TRACE(type->ToString());
    const std::string path = (folder_ / "fresh").string();
    std::filesystem::remove_all(path);
    auto table = Table::create(
        path, {.time_column = "ts", .tags = {{.name = "station", .type = "string"}}, .dialect = dialect()});
    ASSERT_TRUE(table);
    const Image before = image_of(path);
    const auto refused = append_rows(*table, *with_count_as(type, 0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput) << refused.error().message;
    expect_words(refused.error().message, {"count", type->ToString(), "want bool, int32, int64"});
    EXPECT_TRUE(same_image(before, image_of(path)));
  }
}

}  // namespace
}  // namespace marigram::bad_input
