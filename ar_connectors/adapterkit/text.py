"""What text can a company's books keep? No control characters anywhere; some companies store ISO-8859-1 only.

Text that a company cannot store is spelled out in ASCII where there is a usual spelling, so a note never arrives as
question marks and never makes a write fail.
"""

from __future__ import annotations

import unicodedata

__all__ = ["ENCODABLE_EVERYWHERE", "clean_text"]

ENCODABLE_EVERYWHERE = "iso-8859-1"

_SPELLED = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"',
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2010": "-", "\u2011": "-",
    "\u2026": "...", "\u20ac": "EUR", "\u2022": "*", "\u2122": "(TM)", "\u0153": "oe", "\u0152": "OE",
    "\u2192": "->", "\u2190": "<-", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    "\u0142": "l", "\u0141": "L", "\u0131": "i",
}  # fmt: skip
"""Usual ASCII spellings of characters outside ISO-8859-1 that have no decomposition of their own."""


def clean_text(text: str, *, latin1_only: bool) -> str:
    """Text that the company can store: no control characters but newline and tab, no lone surrogates, and with
    `latin1_only` nothing outside ISO-8859-1 (a character without a known spelling becomes `?`)."""
    kept = "".join(character if _is_storable(character) else "?" for character in text.replace("\r\n", "\n"))
    kept = kept.replace("\x00", "")
    if not latin1_only:
        return kept
    try:
        kept.encode(ENCODABLE_EVERYWHERE)
    except UnicodeEncodeError:
        return "".join(_spell(character) for character in unicodedata.normalize("NFC", kept))
    return kept


def _is_storable(character: str) -> bool:
    if character in "\n\t":
        return True
    category = unicodedata.category(character)
    return category not in {"Cc", "Cs"}


def _spell(character: str) -> str:
    if ord(character) < 0x100:
        return character
    if character in _SPELLED:
        return _SPELLED[character]
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    plain = "".join(_SPELLED.get(part, part) for part in plain)
    return plain if plain and all(ord(part) < 0x100 for part in plain) else "?"
