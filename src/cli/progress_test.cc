// Without these, the progress line could wrap and fill the terminal.
#include "cli/progress.h"

#include "cli/terminal.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>

namespace marigram::cli {
namespace {

TEST(Progress, ShowsPartRowsAndRate) {
  EXPECT_EQ(Progress::render("import x.csv", 26'115, 0.5, 50, 100, 100, false),
            "import x.csv  ############............  50 %  26,115 rows  52,230 rows/s");
  EXPECT_EQ(Progress::render("import x.csv", 10, 1, 0, std::nullopt, 100, false), "import x.csv  10 rows  10 rows/s");
  EXPECT_EQ(Progress::render("x", 10, 0, 200, 100, 100, true), "x  ████████████████████████ 100 %  10 rows  0 rows/s");
}

TEST(Progress, FitsItsLine) {
  for (std::size_t width = 1; width < 90; ++width) {
    EXPECT_LE(display_width(Progress::render("import x.csv", 26'115, 0.5, 50, 100, width, true)), width);
    EXPECT_LE(display_width(Progress::render("import x.csv", 26'115, 0.5, 50, std::nullopt, width, false)), width);
  }
}

}  // namespace
}  // namespace marigram::cli
