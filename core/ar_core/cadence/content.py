"""What must a message hold? The requirements an action lists for whoever writes it: words of one list, each with its rule.

(R14-R16, R27, R28, R31-R34, C6, docs/rules.md)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ar_core.cadence.vocabulary import Purpose, Tone
from ar_core.model.documents import Invoice
from ar_core.model.parties import Channel

__all__ = ["COPY", "SEND_COPY", "Content", "content_of"]

SEND_COPY: Final = "send_copy"
"""The name under which a copy of an invoice is on record, as a step of a plan is under its id (R63)."""


class Content(StrEnum):
    """What a message has to hold or do. Append-only."""

    INVOICE_NUMBER = "invoice_number"
    """The number of every covered invoice (R15)."""
    AMOUNT_DUE = "amount_due"
    """What is to be paid of every covered invoice, and the sum per currency (R15, R34)."""
    DUE_DATE = "due_date"
    """The due date of every covered invoice (R15)."""
    GOOD_FAITH_OPENING = "good_faith_opening"
    """It opens on the assumption that the customer means to pay (R4, R14)."""
    SUBJECT_HAS_IDENTIFIER = "subject_has_identifier"
    """The subject line names the invoice or the account (R27)."""
    PAYMENT_LINK = "payment_link"
    """The link to pay with (R16, R34)."""
    BILLING_CONTACT = "billing_contact"
    """Without a link: whom to ask and how to pay (R16)."""
    ATTACH_INVOICE_PDF = "attach_invoice_pdf"
    """The invoices themselves (R28)."""
    ATTACH_STATEMENT = "attach_statement"
    """The statement of account (R16)."""
    MENTION_ATTACHMENT = "mention_attachment"
    """The text says what is attached (R28)."""
    BRIEF_OPEN_ITEMS = "brief_open_items"
    """For a call: what is open (R31)."""
    BRIEF_LAST_TOUCHES = "brief_last_touches"
    """For a call: the last contacts and what came of them (R31)."""
    BRIEF_PROMISES = "brief_promises"
    """For a call: promises and whether they were kept (R31)."""
    BRIEF_DISPUTES = "brief_disputes"
    """For a call: what is disputed (R31)."""
    ASK_PAYMENT_DATE_OPEN_QUESTION = "ask_payment_date_open_question"
    """An open question that ends in a date (R32)."""
    RECORD_OUTCOME = "record_outcome"
    """What came of the call is recorded at once (R33)."""
    NO_OVERDUE_WORDING = "no_overdue_wording"
    """Nothing in it speaks of lateness: it is not late yet (C6)."""


_EVERY = (Content.INVOICE_NUMBER, Content.AMOUNT_DUE, Content.DUE_DATE)
_CALL = (
    Content.BRIEF_OPEN_ITEMS,
    Content.BRIEF_LAST_TOUCHES,
    Content.BRIEF_PROMISES,
    Content.BRIEF_DISPUTES,
    Content.ASK_PAYMENT_DATE_OPEN_QUESTION,
    Content.RECORD_OUTCOME,
)
COPY = tuple(
    c.value for c in (Content.INVOICE_NUMBER, Content.ATTACH_INVOICE_PDF, Content.MENTION_ATTACHMENT)
)
"""Of the copy that a customer asked for (R63)."""


def content_of(
    purpose: Purpose, attach: tuple[str, ...], channel: Channel, tone: Tone, lead: Invoice
) -> tuple[str, ...]:
    """What a message by a step with this purpose and these attachments must hold, led by an invoice."""
    found = list(_EVERY)
    if tone is Tone.FRIENDLY:
        found.append(Content.GOOD_FAITH_OPENING)
    if channel is Channel.SMS:
        found.append(Content.PAYMENT_LINK)
    elif channel is Channel.VOICE:
        found += _CALL
    else:
        if channel is Channel.EMAIL:
            found.append(Content.SUBJECT_HAS_IDENTIFIER)
        has_link = lead.payment_link is not None
        found.append(Content.PAYMENT_LINK if has_link else Content.BILLING_CONTACT)
        if "invoice" in attach and lead.has_pdf is not False:
            found += [Content.ATTACH_INVOICE_PDF, Content.MENTION_ATTACHMENT]
        if "statement" in attach:
            found += [Content.ATTACH_STATEMENT, Content.MENTION_ATTACHMENT]
    if purpose in {Purpose.DUE_CONFIRMATION, Purpose.PRE_DUE}:
        found.append(Content.NO_OVERDUE_WORDING)
    return tuple(dict.fromkeys(content.value for content in found))
