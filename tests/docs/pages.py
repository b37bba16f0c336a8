"""Pages whose code is run: each `python` block in order, and a `text` block after one holds what it prints.

`python -m tests.docs.pages docs/tutorial.md` writes what the code prints today into the page; read it before you commit it.
"""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

__all__ = ["run"]

_BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def run(page: str) -> str:
    """The page with the output that its code really has. Raises what the code raises."""
    names: dict[str, Any] = {"__name__": "page"}
    printed = ""

    def replaced(match: re.Match[str]) -> str:
        nonlocal printed
        if match[1] == "text":
            return f"```text\n{printed}```"
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(match[2], "page", "exec"), names)
        printed = out.getvalue()
        return match[0]

    return _BLOCK.sub(replaced, page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(run(file.read_text(encoding="utf-8")), encoding="utf-8")
