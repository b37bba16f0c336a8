"""Numbered steps from an old schema to the present one; `runner.py` takes them."""

from ar_connectors.store.migrations.runner import STEPS, migrate

__all__ = ["STEPS", "migrate"]
