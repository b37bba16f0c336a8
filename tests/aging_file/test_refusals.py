"""What cannot be read, or could be read in two ways, is refused with its place; nothing is guessed, run or evaluated."""

from __future__ import annotations

import struct
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ar_connectors.aging_file.settings import ListSettings, load_column_map, read_settings
from ar_connectors.aging_file.spool import Spool
from ar_connectors.aging_file.survey import Survey, survey
from ar_connectors.errors import ARError, ConfigurationError, ContractError

HEADINGS = [
    "Customer Name",
    "Customer Number",
    "Transaction Number",
    "Transaction Date",
    "Due Date",
    "Outstanding Amount",
]


def look(file: Path, **settings: object) -> Survey:
    spool = Spool()
    try:
        return survey(ListSettings.model_validate({"file": file, **settings}), spool)
    finally:
        spool.close()


def refused(file: Path, **settings: object) -> str:
    with pytest.raises(ARError) as caught:
        look(file, **settings)
    return str(caught.value)


def csv_of(folder: Path, *rows: str) -> Path:
    file = folder / "aging.csv"
    file.write_text("\n".join([",".join(HEADINGS), *rows]) + "\n")
    return file


def workbook(folder: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [HEADINGS, *rows]:
        sheet.append(row)
    file = folder / "aging.xlsx"
    book.save(file)
    return file


class TestDates:
    def test_both_orders_fit_and_no_hint_is_given(self, tmp_path: Path) -> None:
        file = csv_of(tmp_path, "A,1,10,03/04/2026,05/04/2026,1.00", "A,1,11,01/02/2026,02/03/2026,2.00")
        text = refused(file)
        assert "aging.csv, row 2, column D (Transaction Date)" in text
        assert "'03/04/2026'" in text
        assert "--dates day-first or --dates month-first" in text
        assert look(file, dates="day-first").items == 2

    def test_one_cell_decides_for_its_column_and_its_sister(self, tmp_path: Path) -> None:
        found = look(
            csv_of(tmp_path, "A,1,10,03/04/2026,05/04/2026,1.00", "A,1,11,01/02/2026,31/03/2026,2.00")
        )
        assert {order.value for order in found.styles.dates.values()} == {"day-first"}

    def test_two_cells_of_a_column_contradict_each_other(self, tmp_path: Path) -> None:
        text = refused(
            csv_of(tmp_path, "A,1,10,2026-01-01,13/04/2026,1.00", "A,1,11,2026-01-01,04/13/2026,2.00")
        )
        assert "row 2, column E (Due Date): this cell and that of row 3 ('04/13/2026')" in text

    def test_the_same_day_either_way_is_no_question(self, tmp_path: Path) -> None:
        assert look(csv_of(tmp_path, "A,1,10,03/03/2026,04/04/2026,1.00")).items == 1


class TestNumbers:
    def test_a_thousand_or_a_little_more_than_one(self, tmp_path: Path) -> None:
        file = csv_of(tmp_path, "A,1,10,2026-01-01,2026-02-01,1.234", "A,1,11,2026-01-01,2026-02-01,2.500")
        assert "--decimal point or --decimal comma" in refused(file)
        assert look(file, decimal="comma").balances == {None: Decimal(3734)}
        assert look(file, decimal="point").balances == {None: Decimal("3.734")}

    def test_whole_numbers_are_no_question(self, tmp_path: Path) -> None:
        assert look(csv_of(tmp_path, "A,1,10,2026-01-01,2026-02-01,1234")).balances == {None: Decimal(1234)}

    def test_a_total_may_decide(self, tmp_path: Path) -> None:
        rows = ["A,1,10,2026-01-01,2026-02-01,1.234", 'Total,,,,,"1,23"']
        assert "differs from its rows" in refused(csv_of(tmp_path, *rows))


class TestWorkbooks:
    def test_a_formula_in_an_item_is_set_aside_and_never_evaluated(self, tmp_path: Path) -> None:
        good: list[Any] = ["A", "1", "10", date(2026, 1, 1), date(2026, 2, 1), 5]
        file = workbook(tmp_path, good, ["A", "1", "11", date(2026, 1, 1), date(2026, 2, 1), "=1+1"])
        found = look(file)
        assert found.balances == {None: Decimal(5)}
        assert "row 3, column F (Outstanding Amount)" in found.rejected[0].reason
        assert "formulas are never evaluated" in found.rejected[0].reason

    def test_a_total_that_is_a_formula_is_said_not_to_be_checked(self, tmp_path: Path) -> None:
        good: list[Any] = ["A", "1", "10", date(2026, 1, 1), date(2026, 2, 1), 5.10]
        found = look(workbook(tmp_path, good, ["Total", None, None, None, None, "=SUM(F2:F2)"]))
        assert found.totals_checked == 0
        assert found.notes[0].startswith("the total in row 3 was not checked: a formula")

    def test_numbers_are_exact_to_the_digits_a_spreadsheet_keeps(self, tmp_path: Path) -> None:
        rows: list[list[Any]] = [
            ["A", "1", str(n), date(2026, 1, 1), None, value]
            for n, value in enumerate((0.1 + 0.2, 1234567.89, 70.10))
        ]
        assert look(workbook(tmp_path, *rows)).balances == {None: Decimal("1234638.29")}

    def test_a_number_beyond_those_digits_is_set_aside(self, tmp_path: Path) -> None:
        found = look(workbook(tmp_path, ["A", "1", "10", date(2026, 1, 1), None, 12345678901234567.5]))
        assert "more than 15 digits" in found.rejected[0].reason

    def test_macros(self, tmp_path: Path) -> None:
        file = workbook(tmp_path)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("xl/vbaProject.bin", b"\0")
        assert "the workbook has macros" in refused(file)
        (tmp_path / "list.xlsm").write_bytes(file.read_bytes())
        assert ".xlsm files are not read" in refused(tmp_path / "list.xlsm")

    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/styles.xml"])
    def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(
        self, tmp_path: Path, part: str
    ) -> None:
        file = workbook(tmp_path, ["A", "1", "10", date(2026, 1, 1), None, 1])
        raw = bytearray(file.read_bytes())
        at = raw.rindex(part.encode()) - 46  # its entry in the directory at the end of the archive
        assert raw[at : at + 4] == b"PK\x01\x02"
        struct.pack_into("<I", raw, at + 24, 0xF000_0000)
        file.write_bytes(raw)
        assert "unpacks to 4,0" in refused(file)

    def test_a_sheet_with_one_cell_in_its_last_corner_is_refused(self, tmp_path: Path) -> None:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(HEADINGS)
        sheet.append(["A", "1", "10", date(2026, 1, 1), None, 1])
        sheet["XFD1048576"] = "here"
        book.save(tmp_path / "aging.xlsx")
        assert "row 1048576, column XFD: more than 256 columns" in refused(tmp_path / "aging.xlsx")

    @pytest.mark.parametrize(
        ("start", "said"),
        [(b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old or encrypted"), (b"PK\x03\x04 cut", "no readable .xlsx")],
    )
    def test_what_is_no_workbook(self, tmp_path: Path, start: bytes, said: str) -> None:
        (tmp_path / "aging.xlsx").write_bytes(start)
        assert said in refused(tmp_path / "aging.xlsx")

    def test_a_sheet_that_is_not_there(self, tmp_path: Path) -> None:
        assert "the sheets are Sheet" in refused(workbook(tmp_path), sheet="Open items")


class TestCsv:
    def test_a_cell_of_ten_megabytes(self, tmp_path: Path) -> None:
        assert "a line of more than 1,000,000 characters" in refused(
            csv_of(tmp_path, "A,1,10,2026-01-01,,1", "x" * 10_000_000)
        )

    def test_a_cell_that_is_only_too_long(self, tmp_path: Path) -> None:
        assert "no readable CSV" in refused(csv_of(tmp_path, "A,1,10,2026-01-01,,1", "x" * 200_000))

    def test_a_quote_that_is_never_closed(self, tmp_path: Path) -> None:
        text = refused(csv_of(tmp_path, 'A,1,"10,2026-01-01,,1', *["A,1,11,2026-01-01,,1"] * 400))
        assert "row 2" in text
        assert "never closed" in text

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        file = csv_of(tmp_path, "Café,1,10,2026-01-01,,1")
        file.write_bytes(file.read_bytes().replace("é".encode(), b"\xe9"))
        assert look(file).facts["encoding"] in {"cp1252", "latin_1", "cp1250", "iso8859_15"}
        assert "is not utf-8" in refused(file, encoding="utf-8")
        assert "no encoding 'klingon'" in refused(file, encoding="klingon")

    def test_a_nul_in_a_name_is_one_bad_row(self, tmp_path: Path) -> None:
        found = look(csv_of(tmp_path, "A\0B,1,10,2026-01-01,,1", "A,1,11,2026-01-01,,2"))
        assert found.items == 1
        assert found.rejected[0].code == "bad_text"

    @pytest.mark.parametrize(
        ("text", "said"),
        [("", "the file is empty"), ("\n\n", "the file is empty"), ("just some prose\n", "no known layout")],
    )
    def test_what_is_no_list(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "aging.csv").write_text(text)
        assert said in refused(tmp_path / "aging.csv")

    def test_headings_and_nothing_below(self, tmp_path: Path) -> None:
        assert "no items below them" in refused(csv_of(tmp_path))

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert "there is no such file" in refused(tmp_path / "nothing.csv")

    def test_a_file_that_is_mostly_unreadable_is_misread_as_a_whole(self, tmp_path: Path) -> None:
        bad = [f"A,1,{n},2026-01-01,,about ten" for n in range(30)]
        with pytest.raises(
            ContractError, match=r"30 of 31 rows cannot be read; the first: aging\.csv, row 2"
        ):
            look(csv_of(tmp_path, *bad, "A,1,99,2026-01-01,,1"))

    def test_an_amount_with_neither_number_nor_date_is_set_aside(self, tmp_path: Path) -> None:
        found = look(csv_of(tmp_path, "A,1,10,2026-01-01,,1", "Somebody,,,,,7"))
        assert found.rejected[0].code == "odd_row"


class TestSettings:
    def test_a_setting_that_cannot_be(self) -> None:
        with pytest.raises(ConfigurationError, match=r"setting decimal: .*got 'dot'"):
            read_settings({"file": "x.csv", "decimal": "dot"}, "acme")
        with pytest.raises(ConfigurationError, match="setting file is missing"):
            read_settings({}, "acme")

    def test_a_column_map_that_names_a_heading_which_is_not_there(self, tmp_path: Path) -> None:
        columns = tmp_path / "map.toml"
        columns.write_text(
            '[columns]\ncustomer = "Customer Name"\nbalance = "Open"\nnumber = "Transaction Number"\n'
        )
        text = refused(csv_of(tmp_path, "A,1,10,2026-01-01,,1"), columns=columns)
        assert "'Open'" in text
        assert "'Outstanding Amount'" in text

    @pytest.mark.parametrize(
        ("text", "said"),
        [("[columns", "cannot be read"), ('[columns]\nbalnce = "x"\n', "the roles are"), ("", "columns")],
    )
    def test_a_column_map_that_is_none(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "map.toml").write_text(text)
        with pytest.raises(ConfigurationError, match=said):
            load_column_map(tmp_path / "map.toml")
