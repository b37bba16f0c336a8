"""Policies in YAML, for those who prefer it: needs the extra `yaml` (PyYAML). `ar_core` never imports this by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from ar_core.cadence.documents import TOO_DEEP, DocumentError, Problem, bounded, said_twice
from ar_core.cadence.places import Path

__all__ = ["YamlError", "parse_yaml", "yaml_lines"]

_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


class YamlError(DocumentError):
    """The text is not YAML, or holds something a policy cannot; the message says the line."""


class _Loader(yaml.SafeLoader):
    """The safe loader, in which a value that is not what its tag says is an error of YAML too, with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"the value cannot be read as {kind}", node.start_mark
            ) from error


def parse_yaml(text: str) -> Any:
    """Read YAML with the safe loader: plain data only, `<<` merges included, of the size that `ar_core.cadence.documents` allows.

    Raises `YamlError`, also for a name that a table says twice: the loader would keep the last.
    """
    try:
        return _read(_Loader(text))
    except yaml.MarkedYAMLError as error:
        said = ": ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        raise YamlError(Problem((), said, mark.line + 1 if mark else None)) from error
    except yaml.YAMLError as error:  # a character that no text has
        raise YamlError(Problem((), " ".join(str(error).split()))) from error
    except RecursionError as error:
        raise YamlError(Problem((), TOO_DEEP)) from error
    except DocumentError as error:
        raise YamlError(*error.problems) from error


def _read(loader: _Loader) -> Any:
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        # Before the data is made: a merge copies what its alias names, and a level may name the one below it many times.
        bounded(root, _parts, _line)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _parts(node: yaml.Node, place: Path) -> Iterable[tuple[str | int, yaml.Node]]:
    """What lies in a node. Raises `DocumentError` for a name that is no text, or there already."""
    if isinstance(node, yaml.SequenceNode):
        return enumerate(node.value)
    if not isinstance(node, yaml.MappingNode):
        return ()
    first: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag not in (_TEXT, _MERGE):
            named = (
                f"{key.value} is none: put it in quotes"
                if isinstance(key, yaml.ScalarNode)
                else "got a list or a table"
            )
            raise DocumentError(Problem(place, f"the name of a setting is a text; {named}", _line(key)))
        if key.value in first:
            raise DocumentError(said_twice((*place, key.value), first[key.value], _line(key)))
        first[key.value] = _line(key)
    return [(key.value, value) for key, value in node.value]


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
