"""How much processor time did another program's own measured part take? `python benchmarks/marked.py PROGRAM [argument...]`.

The peers' programs tell seconds on the wall between their last two looks at the clock (`time.perf_counter()`); on a busy machine
those say little. This runs such a program unchanged, reads the processor's clock at the same two moments, and prints one more JSON
line: `{"cpu_s": seconds}`. Needs nothing but the standard library: it runs in the peers' environment. For Node.js: marked.cjs.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import NoReturn

_now = time.perf_counter
_leave = os._exit
_marks: list[float] = []


def _look() -> float:
    """The clock, as always; when the program itself asks (and no library), the processor's is noted too."""
    if sys._getframe(1).f_globals.get("__name__") == "__main__":  # noqa: SLF001  who asks is the question
        _marks.append(time.process_time())
    return _now()


def _tell(status: int) -> NoReturn:
    """Print the difference of the last two marks before the program ends, which they all do in this way."""
    print(json.dumps({"cpu_s": round(_marks[-1] - _marks[-2], 4)}), flush=True)
    _leave(status)


def main() -> None:
    """Run the program as if it had been started itself."""
    program = Path(sys.argv[1])
    sys.argv = sys.argv[1:]
    sys.path[0] = str(program.parent)
    time.perf_counter, os._exit = _look, _tell
    runpy.run_path(str(program), run_name="__main__")
    _tell(0)


if __name__ == "__main__":
    main()
