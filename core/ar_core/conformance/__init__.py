"""Does an evaluator decide as this one is meant to? Cases as data: a snapshot, a policy, a moment, and what must come out.

The files beside this module (`cases/*.json`, `policies.json`, README.md) need no Python: an implementation in any language can
read them.
"""

from ar_core.conformance.pack import Case, answer, cases, differences, policies, run

__all__ = ["Case", "answer", "cases", "differences", "policies", "run"]
