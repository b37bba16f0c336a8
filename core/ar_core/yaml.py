"""Policies in YAML, for those who prefer it: needs the extra `yaml` (PyYAML). `ar_core` never imports this by itself."""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["YamlError", "parse_yaml"]


class YamlError(ValueError):
    """The text is not YAML, or holds something a policy cannot; the message says the line."""


def parse_yaml(text: str) -> Any:
    """Read YAML with the safe loader: plain data only. Raises `YamlError`."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise YamlError(str(error)) from error
