"""What did the client send? Bodies read with care: a wrong shape is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from ar_connectors.testkit.ledger import LedgerError
from ar_connectors.testkit.xero.errors import Invalid, from_ledger, invalid, malformed
from ar_connectors.testkit.xero.texts import Row, amount_of, date_of

__all__ = ["Step", "amount", "body_of", "day_in", "each", "elements", "inner", "text"]

Step = Callable[[], Row]
"""What an element asks for, checked and ready to be done; gives the row it leaves behind."""

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def body_of(raw: bytes) -> Any:
    """The body. Raises Refused (PostDataInvalidException)."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, ValueError, ArithmeticError) as error:
        raise malformed(f"JSON for post data was invalid,{error}") from error


def elements(body: Any, name: str) -> list[Row]:
    """The elements of a body: its list, or the one object that it is. Raises Refused."""
    found = body.get(name, [body]) if isinstance(body, dict) else body
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise malformed(f"The element '{name}' was not recognised or holds no objects")
    return found


def text(row: Row, name: str, *, longest: int = 4000) -> str | None:
    """A text, None for one that is not there or null. Raises Invalid."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise Invalid(f"{name} is no text.")
    if len(value) > longest:
        raise Invalid(f"The field {name} must be a string with a maximum length of {longest}.")
    return value


def day_in(row: Row, name: str) -> date | None:
    """A day, None for one that is not there, null or empty. Raises Invalid."""
    try:
        return date_of(row.get(name))
    except ValueError as error:
        raise Invalid(f"{name} is not a valid date: {error}.") from error


def amount(row: Row, name: str) -> Decimal | None:
    """A number, None for one that is not there or null. Raises Invalid."""
    if row.get(name) is None:
        return None
    try:
        return amount_of(row[name])
    except ValueError as error:
        raise Invalid(f"{name} is not a valid amount: {error}.") from error


def inner(row: Row, name: str) -> Row:
    """An object inside, empty when it is not there. Raises Invalid."""
    value = row.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{name} is no object.")
    return value


def each(
    rows: Sequence[Row], prepare: Callable[[Row], Step], *, summarize: bool, key: str = "Message"
) -> list[Row]:
    """Do what every element asks for, or none of it when one is refused and errors are summarized. Otherwise the refused ones
    stand among the others with their errors, under `key` (Message or Description). Raises Refused."""
    prepared: list[tuple[Row, Step | Invalid]] = []
    for row in rows:
        try:
            prepared.append((row, prepare(row)))
        except Invalid as error:
            prepared.append((row, error))
        except LedgerError as error:
            prepared.append((row, from_ledger(error)))
    if summarize and any(isinstance(step, Invalid) for _, step in prepared):
        raise invalid([_refusal(row, step, key) for row, step in prepared if isinstance(step, Invalid)])
    done = []
    for row, step in prepared:
        if isinstance(step, Invalid):
            done.append(_refusal(row, step, key, alone=False))
            continue
        try:
            left = step()
        except (Invalid, LedgerError) as error:
            wrong = from_ledger(error) if isinstance(error, LedgerError) else error
            if summarize:
                raise invalid([_refusal(row, wrong, key)]) from error
            done.append(_refusal(row, wrong, key, alone=False))
            continue
        done.append(left if summarize else {**left, "StatusAttributeString": "OK"})
    return done


def _refusal(row: Row, error: Invalid, key: str, *, alone: bool = True) -> Row:
    """The element as it was sent, with what is wrong with it."""
    known = {name: value for name, value in row.items() if value is not None}
    errors = [{key: message} for message in error.messages]
    if alone:
        return {**known, "ValidationErrors": errors}
    return {**known, "HasErrors": True, "StatusAttributeString": "ERROR", "ValidationErrors": errors}
