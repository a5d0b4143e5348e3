"""The README's C++ example is examples/quickstart.cc, letter for letter. Otherwise it would rot."""

import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
shown = re.search(r"```cpp\n(.*?)```", (root / "README.md").read_text(), re.DOTALL).group(1)
if shown != (root / "examples" / "quickstart.cc").read_text():
    sys.exit("README.md does not show examples/quickstart.cc; copy the file into its C++ block")
