"""HTML and SVG from Python values: text is escaped where it enters, once, and nowhere else."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "joined", "tag"]

_VOID = frozenset({"br", "circle", "line", "meta", "path", "rect"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element. Children that are no `Markup` are escaped; None is left out.

    `class_` and `for_` lose their underscore, every other underscore becomes a hyphen; an attribute that is None or False is left
    out, True stands alone.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-") if key != "viewBox" else key
        parts.append(f" {attribute}" if value is True else f' {attribute}="{escape(str(value))}"')
    if name in _VOID and not children:
        return Markup("".join([*parts, "/>" if name not in {"br", "meta"} else ">"]))
    return Markup("".join([*parts, ">", joined(*children), f"</{name}>"]))


def joined(*children: object) -> Markup:
    """Children one after the other."""
    return Markup(
        "".join(str(c) if isinstance(c, Markup) else escape(str(c)) for c in children if c is not None)
    )
