"""In which encoding was a file without a mark written? The one under which its letters make words of some language.

UTF-8 proves itself. The code pages of one byte a character do not: every file is readable in all of them, and `Peña` becomes
`Peńa` without an error. So each candidate is judged by the letters it gives: how many lie outside of every alphabet that is written
with it. The one of Western Europe and America holds until another is clearly better, because most files are written in it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from charset_normalizer import from_bytes

__all__ = ["BOMS", "encoding_by_letters", "encoding_of"]

BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 256 * 1024
_ENOUGH: Final = 64 * 1024
"""Bytes of lines with something to tell: more would tell no more."""
_WORST: Final = 2
"""If more than one character in so many is strange under the best code page, the text may not be of one byte a character."""

_WESTERN: Final = (
    "äöüß",  # German, Swedish and Finnish with the next
    "åäöé",
    "æøåéöü",  # Danish, Norwegian
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúü",  # Spanish
    "ãõáâàçéêíóôúü",  # Portuguese
    "àèéìíòóùú",  # Italian
    "ëïéèêöüó",  # Dutch
    "àçéèíïóòúü",  # Catalan
    "áðéíóúýþæö",  # Icelandic
)
_CENTRAL: Final = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýžöü",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţșț",  # Romanian
    "čćđšž",  # Croatian, Slovenian, Serbian in Latin letters
)
_CYRILLIC: Final = ("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґђјљњћџѓќ",)
_ALPHABETS: Final[dict[str, tuple[str, ...]]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": ("çğıöşüâîûİ",),  # Turkish
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),  # Lithuanian, Latvian, Estonian
    "cp1251": _CYRILLIC,
    "cp1253": ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",),
    "iso8859-15": _WESTERN,
    "iso8859-2": _CENTRAL,
    "mac-roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
    "cp866": _CYRILLIC,
    "koi8-r": _CYRILLIC,
}
"""Code pages, the likelier ones first, and the alphabets that people write with them."""
_OTHER_SCRIPTS: Final = frozenset({"cp1251", "cp1253", "cp866", "koi8-r"})
"""Their letters never touch a Latin one."""
_JOINTS: Final = frozenset("\u00a0\u2013\u2014\u2019\u00b7")
"""A space that does not break, dashes, the apostrophe and the middle dot may stand within a word."""
_MARKS: Final = frozenset("\u2018\u201a«»“”„…•®©™ªº")
"""Signs that may stand at the end of a word: between two letters, one is a letter misread."""
_SIGNS: Final = frozenset("£€¥§°¿¡½¼¾±№")
"""Signs apart from words: one that touches a letter, such as the first of `£ódzka`, is a letter misread."""


def encoding_of(path: Path) -> tuple[str | None, bool]:
    """The encoding of a text file, and whether that is a guess; None when nothing fits. Raises OSError."""
    with path.open("rb") as handle:
        sample = handle.read(_CHUNK)
        for bom, name in BOMS:
            if sample.startswith(bom):
                return name, False
        if sample.count(0) * 4 > len(sample):
            little = sample[1::2].count(0) >= sample[::2].count(0)
            return ("utf-16-le" if little else "utf-16-be"), False
        handle.seek(0)
        if _is_utf8(iter(lambda: handle.read(_CHUNK), b"")):
            return "utf-8", False
        handle.seek(0)
        return encoding_by_letters(_telling(iter(lambda: handle.readline(_ENOUGH), b""))), True


def _is_utf8(chunks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _telling(lines: Iterable[bytes]) -> bytes:
    """The lines that hold more than ASCII, as many as are enough."""
    found: list[bytes] = []
    size = 0
    for line in lines:
        if not line.isascii():
            found.append(line)
            size += len(line)
        if size >= _ENOUGH:
            break
    return b"".join(found)


def encoding_by_letters(sample: bytes) -> str | None:
    """The code page under which a sample reads best, or an encoding of East Asia if it reads badly in all; None when it is no text."""
    scores = {name: score for name in _ALPHABETS if (score := _misread(sample, name)) is not None}
    best = min(scores, key=lambda name: scores[name], default=None)
    if best is not None and "cp1252" in scores and sum(scores[best]) * 2 > sum(scores["cp1252"]):
        best = "cp1252"
    if best is not None and sum(scores[best]) * _WORST <= sum(byte > 127 for byte in sample):
        return best
    other = from_bytes(sample).best()
    return other.encoding if other is not None and other.multi_byte_usage else best


def _misread(sample: bytes, encoding: str) -> tuple[int, int] | None:
    """How many characters are in no alphabet of a code page, and how many are not in the alphabet that fits best; None when a byte
    means nothing in it."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    latin = encoding not in _OTHER_SCRIPTS
    counts = [0] * (len(_ALPHABETS[encoding]) + 1)
    for before, here, after in _letters(text):
        out_of_place = (before.islower() and here.isupper()) or (not latin and _latin(before + after))
        known = [not out_of_place and _is_in(here, alphabet) for alphabet in _ALPHABETS[encoding]]
        counts[0] += not any(known)
        for place, one in enumerate(known, start=1):
            counts[place] += not one
    return counts[0], min(counts[1:])


def _latin(neighbors: str) -> bool:
    return any(one.isascii() and one.isalpha() for one in neighbors)


def _is_in(letter: str, alphabet: str) -> bool:
    return letter in alphabet or letter.lower() in alphabet


def _letters(text: str) -> Iterator[tuple[str, str, str]]:
    """All characters beyond ASCII, each between its neighbors, but signs that stand where signs stand."""
    for before, here, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if here.isascii() or here in _JOINTS:
            continue
        touching = before.isalpha() + after.isalpha()
        if not ((here in _MARKS and touching < 2) or (here in _SIGNS and not touching)):
            yield before, here, after
