// What the terminal behind a stream can show, and how wide text is on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace marigram::cli {

struct Terminal {
  bool present = false;  ///< the stream is a terminal
  bool color = false;    ///< present, NO_COLOR unset or empty, and not a dumb one
  bool unicode = false;  ///< the locale's encoding is UTF-8
  std::size_t width = 80;
};

/// Looks at a file descriptor and at the environment (NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG).
Terminal inspect_terminal(int descriptor);

/// Columns that UTF-8 text takes: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1; a byte
/// that is not UTF-8 counts 1. Control characters are not expected (see printable).
std::size_t display_width(std::string_view utf8);

/// The text with control characters spelt out (`\n`, `\x1b`), so that data cannot steer the terminal.
std::string printable(std::string_view text);

}  // namespace marigram::cli
