// The executable `marigram`.
#include "cli/app.h"

int main(int argc, char** argv) {
  return marigram::cli::run(argc, argv);
}
