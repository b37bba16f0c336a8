"""Your own data in, the worklist and its reasons out, with nothing but `ar_core`: python -m examples.cadence_only.plan [FOLDER].

FOLDER (default: the current one) keeps `touches.json`, what has been done. Run it twice: the second run repeats nothing.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import ar_core as ar
from ar_core.cadence.explain import title

HERE = Path(__file__).parent
AS_OF = ar.AsOf(instant=datetime(2026, 11, 25, 15, tzinfo=UTC), zone="America/New_York")


def read_book(rows: Sequence[dict[str, str]], touches: Sequence[ar.Touch] = ()) -> ar.Snapshot:
    """The rows of an export as a snapshot; a missing address stays unknown."""
    customers: dict[str, ar.Customer] = {}
    contacts: dict[str, ar.Contact] = {}
    profiles: dict[str, ar.CustomerProfile] = {}
    invoices = []
    for row in rows:
        name = row["customer"]
        owner = ar.record_id("shop", "main", ar.RecordKind.CUSTOMER, name)
        customers[owner] = ar.Customer(id=owner, name=name, currency="USD", country="US")
        contacts[owner] = ar.Contact(
            id=ar.record_id("shop", "main", ar.RecordKind.CONTACT, name),
            customer_id=owner,
            role=ar.ContactRole.BILLING,
            email=row["email"] or None,
            phone=row["phone"] or None,
        )
        profiles[owner] = ar.CustomerProfile(
            customer_id=owner, lifetime_value=Decimal(row["lifetime_value"]), account_manager="Sam Poe"
        )
        invoices.append(
            ar.Invoice(
                id=ar.record_id("shop", "main", ar.RecordKind.INVOICE, row["number"]),
                number=row["number"],
                customer_id=owner,
                currency="USD",
                issue_date=date.fromisoformat(row["issued"]),
                due_date=date.fromisoformat(row["due"]),
                total=Decimal(row["total"]),
                balance_due=Decimal(row["open"]),
                document_status=ar.DocumentStatus.POSTED,
            )
        )
    return ar.Snapshot(
        organization=ar.Organization(id="shop", base_currency="USD", time_zone=AS_OF.zone),
        customers=tuple(customers.values()),
        contacts=tuple(contacts.values()),
        profiles=tuple(profiles.values()),
        invoices=tuple(invoices),
        touches=tuple(touches),
    )


def main(folder: Path) -> None:
    """Plan, say why, and put what is due on record."""
    file = folder / "touches.json"
    done = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    with (HERE / "invoices.csv").open(encoding="utf-8", newline="") as lines:
        book = read_book(list(csv.DictReader(lines)), [ar.Touch.model_validate(one) for one in done])
    evaluation = ar.evaluate(book, ar.load_policy(HERE / "policy.toml"), AS_OF)

    names = {customer.id: customer.name for customer in book.customers}
    for item in evaluation.worklist:
        action = evaluation.by_key[item.action_key]
        print(f"{item.rank}. {names[item.customer_id]}: {title(action)}, {action.channel.value}")
    print(ar.explain(evaluation, invoice=book.invoices[0].id))

    commands = [action.record(AS_OF.instant) for action in evaluation.actions]
    done += [touch_of(command).model_dump(mode="json") for command in commands]
    file.write_text(json.dumps(done, indent=1), encoding="utf-8")
    print(f"{len(commands)} actions put on record")


def touch_of(command: ar.RecordTouch) -> ar.Touch:
    """A command as the record it makes."""
    fields = command.model_dump(exclude={"type"})
    return ar.Touch(id=command.local_record_id, recorded_at=command.at, **fields)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
