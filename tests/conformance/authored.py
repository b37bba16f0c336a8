"""The cases of the conformance pack, decided by hand from docs/rules.md. `python -m tests.conformance.authored` writes the files.

The default moment is Wednesday, November 25, 2026, noon in New York; the default policy `balanced`; customers are of tier core. An
invoice is of 100 USD and so many days past due; `first` is due on day 3, `demand` on 8, `call` on 22, `letter` on 46, `decide` on 76.
"""

from __future__ import annotations

from tests.conformance import cases_pauses, cases_plan, cases_sequence, cases_settings, notation

__all__ = ["cases_pauses", "cases_plan", "cases_sequence", "cases_settings"]

if __name__ == "__main__":
    notation.write()
