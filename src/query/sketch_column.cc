#include "query/sketch_column.h"

#include "query/quantile_sketch.h"
#include "query/visit_numbers.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

/// What is emitted is for those below.
class SketchColumn : public AggregateColumn {
 public:
  using AggregateColumn::add;
  using AggregateColumn::emit;

  explicit SketchColumn(std::string name) : name_(std::move(name)) {}

  void clear(Slot slot) final {
    if (slot >= states_.size()) states_.resize(slot + std::size_t{1});
    states_[slot] = {};
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) final {
    QuantileSketch& sketch = states_[slot];
    if (values.rollup) return add_rollup(sketch, *values.rollup, rows);
    visit_numbers(*values.values, [&](const auto& value_of) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        if (!values.values->IsNull(row)) sketch.add(value_of(row));
      }
    });
  }

  bool is_enough(const RowsSummary& rows, const BlockSummary& block) const final { return !has_values(rows, block); }
  void add(Slot /*slot*/, const RowsSummary& /*rows*/, const BlockSummary& /*block*/) final {}

  void merge(Slot slot, AggregateColumn& other, Slot others) final {
    auto& from = static_cast<SketchColumn&>(other);
    states_[slot].merge(from.states_[others]);
    is_damaged_ |= from.is_damaged_;
  }

  Status emit(Slot slot) final {
    if (!is_damaged_) return append(states_[slot]);
    return fail(ErrorCode::kCorruption, fmt::format("cannot compute {}: a level of rollups has what is no sketch; "
                                                    "choose the table's rollups anew",
                                                    name_));
  }

 protected:
  virtual Status append(const QuantileSketch& sketch) = 0;
  const std::string& name() const { return name_; }

 private:
  void add_rollup(QuantileSketch& sketch, const RollupValues& values, const RowSlice& rows) {
    const auto& sketches = static_cast<const arrow::BinaryArray&>(*values.of(model::RollupPart::kSketch));
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      if (!sketches.IsNull(row)) is_damaged_ |= !sketch.merge_bytes(sketches.GetView(row));
    }
  }

  std::string name_;
  std::vector<QuantileSketch> states_;  // by slot
  bool is_damaged_ = false;
};

class SketchBytes final : public SketchColumn {
 public:
  using SketchColumn::SketchColumn;

  std::shared_ptr<arrow::DataType> type() const override { return arrow::binary(); }
  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name()); }

 private:
  Status append(const QuantileSketch& sketch) override {
    return from_builder(sketch.empty() ? builder_.AppendNull() : builder_.Append(sketch.bytes()), name());
  }

  arrow::BinaryBuilder builder_;
};

class SketchQuantile final : public SketchColumn {
 public:
  SketchQuantile(std::string name, double percentile) : SketchColumn(std::move(name)), fraction_(percentile / 100) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::float64(); }
  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name()); }

 private:
  Status append(const QuantileSketch& sketch) override {
    const auto quantile = sketch.quantile(fraction_);
    return from_builder(quantile ? builder_.Append(*quantile) : builder_.AppendNull(), name());
  }

  double fraction_;
  arrow::DoubleBuilder builder_;
};

}  // namespace

std::unique_ptr<AggregateColumn> make_sketch(std::string name, const model::Aggregate& wanted) {
  if (wanted.kind == model::AggregateKind::kSketch) return std::make_unique<SketchBytes>(std::move(name));
  return std::make_unique<SketchQuantile>(std::move(name), wanted.percentile);
}

}  // namespace marigram::query
