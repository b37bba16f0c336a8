"""SuiteQL: statements parsed by a SQL parser, checked against what an account has, and run over tables made from the books."""

from __future__ import annotations

from ar_connectors.testkit.netsuite.suiteql.answer import Queries

__all__ = ["Queries"]
