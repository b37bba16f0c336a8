"""Policies in YAML, for those who prefer it: needs the extra `yaml` (PyYAML). `ar_core` never imports this by itself."""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["YamlError", "parse_yaml", "yaml_lines"]


class YamlError(ValueError):
    """The text is not YAML, or holds something a policy cannot; the message says the line."""


def parse_yaml(text: str) -> Any:
    """Read YAML with the safe loader: plain data only. Raises `YamlError`."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise YamlError(str(error)) from error


def yaml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line on which each setting begins, by its path, of a text that can be read. What an anchor repeats stands where it is written."""
    found: dict[tuple[str | int, ...], int] = {}

    def note(node: yaml.Node, path: tuple[str | int, ...], line: int) -> None:
        found.setdefault(path, line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                note(value, (*path, str(key.value)), key.start_mark.line)
        elif isinstance(node, yaml.SequenceNode):
            for place, value in enumerate(node.value):
                note(value, (*path, place), value.start_mark.line)

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None:
        note(root, (), root.start_mark.line)
    return found
