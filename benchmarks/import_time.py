"""What does `import ar_core` cost beyond pydantic? `python -m benchmarks.import_time`.

Whole interpreters are started in turn, so that noise is shared; the least of many rounds counts, as nothing makes an import faster than it
is. Goal: below 150 ms beyond pydantic (docs/benchmarks.md).
"""

from __future__ import annotations

import resource
import subprocess
import sys

ROUNDS = 15
PROGRAMS = {
    "pydantic and one model": "from pydantic import BaseModel\nclass One(BaseModel):\n    n: int",
    "import ar_core": "import ar_core",
    "and the evaluator": "import ar_core; ar_core.evaluate; ar_core.load_policy",
}


def cpu_of(code: str) -> float:
    """CPU seconds of an interpreter that runs some code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the least CPU time of each, and what it is beyond pydantic."""
    least = dict.fromkeys(PROGRAMS, 1e9)
    for _ in range(ROUNDS):
        for name, code in PROGRAMS.items():
            least[name] = min(least[name], cpu_of(code))
    base = least["pydantic and one model"]
    for name, seconds in least.items():
        print(f"{name}: {seconds * 1000:.0f} ms, beyond pydantic {(seconds - base) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
