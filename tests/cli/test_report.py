"""The plan as a page: what is on it, that nothing of a customer's text becomes markup, and how it looks in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

import ar_core as core
from ar_connectors.cli.main import cli
from ar_connectors.cli.report import gather, render
from ar_connectors.cli.report.charts import scale_of
from ar_connectors.cli.report.markup import Markup, joined, tag
from ar_connectors.cli.report.words import compact, day_text, figure_text, money
from ar_connectors.store import open_store
from ar_core.metrics import formulas
from tests.auth.chromium import Chromium
from tests.cadence import books as b
from tests.store.books import CONNECTION, customer, invoice, page

HOSTILE = "<script>window.hacked = 1</script> & Sons \"'"


@pytest.fixture(scope="module")
def html() -> str:
    """The page of a small book with something of everything; one customer has a hostile name."""
    snapshot = b.book(
        b.customer("c1").model_copy(update={"name": HOSTILE}),
        *(b.invoice(f"i{n}", 10 * n - 15, f"c{n % 4 + 1}") for n in range(12)),
        b.invoice("e1", 40, "c2", currency="EUR"),
        b.invoice("x1", -20, "c1", balance_due=Decimal("1234567.891"), total=Decimal("1234567.891")),
        b.payment(ago=30, unapplied="20"),
        b.promise(on=-9, given=14, covers=("i4",)),
        b.dispute(about="i8", reason="<b>price</b>"),
        b.touch("t1", ago=12, step="first", covers=("i4",)),
        b.touch("t2", ago=11, direction=core.Direction.INBOUND, intent=core.Intent.QUESTION),
    )
    as_of = b.as_of()
    policy = b.policy_of("balanced")
    evaluation = core.evaluate(snapshot, policy, as_of, tiers=b.tier())
    chosen = next(c for c in snapshot.customers if c.id == b.customer_id("c1"))
    return render(gather(snapshot, policy, as_of, evaluation, customer=chosen))


class _Outline(HTMLParser):
    """Tags that open and close, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(name)
        self.links += [
            v or "" for k, v in attrs if k in {"src", "href", "action", "srcset", "data", "xlink:href"}
        ]
        if name not in {"meta", "br"}:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_startendtag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attrs)
        self.open.pop()


def test_the_page_is_well_formed_and_refers_to_nothing_outside(html: str) -> None:
    outline = _Outline()
    outline.feed(html)
    assert outline.open == []
    assert outline.links == []
    assert "script" not in outline.seen
    assert "link" not in outline.seen
    assert not re.search(r"@import|url\(|https?://", html)
    assert outline.seen.count("h1") == 1


def test_what_a_customer_is_called_never_becomes_markup(html: str) -> None:
    assert "<script>" not in html
    assert "&lt;script&gt;window.hacked = 1&lt;/script&gt; &amp; Sons" in html
    assert "<b>price" not in html


@pytest.mark.parametrize(
    "text",
    [
        "Key figures",
        "How old is what is owed",
        "Worklist",
        "Simulated load, 30 days",
        "1,234,567.891 USD",  # all digits
        "Promised to pay: broken",
        "Customer: question",
        "The invoice is disputed.",
        "nobody answers, nobody pays",
        "balanced@1",
    ],
)
def test_the_page_says(html: str, text: str) -> None:
    assert text in html


def test_what_is_overdue_is_a_share_of_what_is_open_before_credits() -> None:
    snapshot = b.book(
        b.invoice("i1", 20), b.invoice("i2", -20, balance_due=Decimal(25)), b.payment(ago=3, unapplied="60")
    )
    policy = b.policy_of("balanced")
    evaluation = core.evaluate(snapshot, policy, b.as_of(), tiers=b.tier())
    written = render(gather(snapshot, policy, b.as_of(), evaluation))
    assert "65.00 USD" in written  # outstanding, less than the 100.00 that are overdue
    assert "80 % of what is open before credits" in written
    assert "before credits" not in render(
        gather(core.Snapshot(), policy, b.as_of(), core.evaluate(core.Snapshot(), policy, b.as_of()))
    )


def test_a_book_without_anything_open_is_a_page_too() -> None:
    snapshot = core.Snapshot()
    policy = b.policy_of("balanced")
    page_ = render(gather(snapshot, policy, b.as_of(), core.evaluate(snapshot, policy, b.as_of())))
    assert "Nothing is open." in page_
    assert "Nothing to do today." in page_


def test_a_long_worklist_says_how_many_more_there_are() -> None:
    snapshot = b.book(*(b.invoice(f"i{n}", 9, f"c{n}") for n in range(1, 10)))
    policy = b.policy_of("balanced")
    evaluation = core.evaluate(snapshot, policy, b.as_of(), tiers=b.tier())
    assert "and 4 more customers" in render(gather(snapshot, policy, b.as_of(), evaluation), limit=5)


def test_markup_is_escaped_once_and_where_it_enters() -> None:
    assert tag("p", "a < b", class_="x") == '<p class="x">a &lt; b</p>'
    assert tag("p", Markup("<b/>"), None, hidden=True, title=None) == "<p hidden><b/></p>"
    assert tag("rect", x=1, stroke_width=2) == '<rect x="1" stroke-width="2"/>'
    assert joined("<", Markup("<")) == "&lt;<"


def test_figures_in_words() -> None:
    assert money(Decimal("-1234.5"), "USD") == "\u22121,234.50 USD"
    assert money(None, "USD") == "\u2013"
    assert [compact(Decimal(n)) for n in ("87", "1000", "1250000", "-3400000000")] == [
        "87",
        "1k",
        "1.2m",
        "-3.4bn",
    ]
    assert figure_text(formulas.dso(Decimal(1), Decimal(0), 30)) == (
        "\u2013",
        "nothing was billed in the period",
    )
    assert figure_text(formulas.dso(Decimal(1), Decimal(3), 30)) == ("10.0 days", None)
    assert [day_text(n) for n in (-2, 0, 7)] == ["due in 2 days", "due today", "7 days late"]
    assert [scale_of(n) for n in (0, 1, 3, 5, 6, 11, 21, 99)] == [1, 1, 5, 5, 10, 20, 50, 100]


def test_plan_writes_the_page(tmp_path: Path) -> None:
    file, target = tmp_path / "ar.db", tmp_path / "report.html"
    late = date(2026, 11, 1)
    with open_store(f"sqlite:///{file}") as store:
        store.add_connection(CONNECTION, "quickbooks", "9341", {"time_zone": "America/New_York"})
        lease = store.acquire_lease("test", "test", timedelta(minutes=1))
        assert lease is not None
        records = (
            customer(name="O'Neil & Sons"),
            invoice(due_date=late, issue_date=late - timedelta(days=30)),
        )
        store.commit_page(CONNECTION, page(*records), lease)
    arguments = [
        "--store",
        f"sqlite:///{file}",
        "plan",
        "--html",
        str(target),
        "--customer",
        "o'neil",
        "--days",
        "7",
    ]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert f"page written to {target}" in result.output.replace("\n", "")
    written = target.read_text(encoding="utf-8")
    assert "Cadence of O&#x27;Neil &amp; Sons" in written
    assert "Simulated load, 7 days" in written


@pytest.fixture(scope="module")
def chromium(program: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = program("chromium", "chromium-browser", "google-chrome")
    with Chromium(browser, program("chromedriver"), tmp_path_factory.mktemp("chromium")) as running:
        yield running


DRAWN = """
return Array.from(document.querySelectorAll('svg')).map(one => {
  const box = one.getBoundingClientRect();
  return [one.getAttribute('aria-label'), box.width, box.height];
})
"""
INSIDE = """
return Array.from(document.querySelectorAll('svg text')).filter(one => {
  const text = one.getBoundingClientRect(), whole = one.closest('svg').getBoundingClientRect();
  return text.left < whole.left - 1 || text.right > whole.right + 1 || text.top < whole.top - 1;
}).map(one => one.textContent)
"""


@pytest.mark.browser
def test_a_browser_draws_it_without_asking_anybody_for_anything(
    html: str, chromium: Chromium, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    chromium.resize(1200, 900)
    chromium.visit(file.as_uri())
    assert chromium.run("return performance.getEntriesByType('resource').length") == 0
    assert chromium.run("return typeof window.hacked") == "undefined"
    drawn = chromium.run(DRAWN)
    assert len(drawn) == 5  # aging in two currencies, outcomes, cadence, load
    for label, width, height in drawn:
        assert label
        assert width > 600
        assert height >= 10
    assert chromium.run(INSIDE) == [], "no text is cut off"
    for width in (1200, 500):
        chromium.resize(width, 900)
        assert chromium.run("return document.documentElement.scrollWidth <= window.innerWidth"), width
    unlabelled = "return document.querySelectorAll('th:not([scope]), svg:not([aria-label]), section:not([aria-labelledby])').length"
    assert chromium.run(unlabelled) == 0
