"""The encoding of a file without a mark: told from its letters, said aloud, and questioned by nobody when given."""

from __future__ import annotations

from pathlib import Path

import pytest

from ar_connectors.aging_file.csv_table import open_csv
from ar_connectors.aging_file.encodings import encoding_of

LANGUAGES = {
    "German": ("Bäckerei Groß; Müller & Söhne; fällig", "cp1252"),
    "Spanish": ("Peña y Muñoz S.A.; García Ibáñez; Número", "cp1252"),
    "French": ("Gérard Frères; Société Générale; Débiteur", "cp1252"),
    "Danish": ("Søren Ærø ApS; Blåbær A/S; Beløb", "cp1252"),
    "Portuguese": ("Conceição & Irmãos; João Gonçalves", "cp1252"),
    "Swedish": ("Åhléns Mjölk; Räntor från Malmö", "cp1252"),
    "several at once": ("Müller; Peña; Société Générale; Åhléns; Conceição; Sørensen", "cp1252"),
    "pounds": ("Acme £12.50", "cp1252"),
    "euros": ("€12,50; 100,00 €", "cp1252"),
    "euros of the standard": ("12,50 €; Müller", "iso8859-15"),
    "quotes": ("Café “Rouge” \u2013 Paris; O\u2019Neil", "cp1252"),
    "Polish": ("Łódzka Spółka z o.o.; Zażółć Gęślą Jaźń; Świątek", "cp1250"),
    "Czech": ("Příbramská pila s.r.o.; Železářství Dvořák; Částka", "cp1250"),
    "Hungarian": ("Kőbányai Sörgyár; Tűzőgép Kft", "cp1250"),
    "Romanian": ("Şantierul Naval Constanţa; Brăila Oţel", "cp1250"),
    "Lithuanian": ("Žalgirio šaltiniai UAB; Ąžuolų įmonė", "cp1257"),
    "Turkish": ("İstanbul Şekercilik; Güneş Boğaziçi A.Ş.; Müşteri", "cp1254"),
    "Russian": ("Ромашка; Иванов; Сумма", "cp1251"),
    "Greek": ("Λάρισα; Γιώργος; Πελάτης", "cp1253"),
    "Japanese": ("得意先; 株式会社山田; 東京商事", "cp932"),
    "Chinese": ("客户; 北京贸易有限公司; 上海东方", "gb18030"),
    "an old Macintosh": ("Bäckerei Groß; Müller", "mac-roman"),
    "DOS": ("Hämeenlinnan Säästöpankki", "cp850"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_tell_the_code_page(language: str, tmp_path: Path) -> None:
    text, encoding = LANGUAGES[language]
    raw = ("Customer;Balance\n" * 50 + text + "\n").encode(encoding)
    (tmp_path / "list.csv").write_bytes(raw)
    found, guessed = encoding_of(tmp_path / "list.csv")
    assert guessed
    assert found is not None
    assert raw.decode(found) == raw.decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_proves_itself_is_no_guess(encoding: str, tmp_path: Path) -> None:
    text = "Kunde;Offen\nBäckerei Groß;1,00\n"
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    found, guessed = encoding_of(tmp_path / "list.csv")
    assert not guessed
    assert (tmp_path / "list.csv").read_text(encoding=found) == text


def test_a_letter_at_the_very_end_of_a_large_file_is_heard(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"Acme;1\n" * 100_000 + "Peña;2\n".encode("cp1252"))
    assert encoding_of(tmp_path / "list.csv") == ("cp1252", True)


def test_a_guess_is_said_and_what_is_given_is_not_questioned(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("Customer;Balance\nPeña;2\n".encode("cp1252"))
    assert (
        "if names look wrong in cp1252, give another (--encoding)"
        in open_csv(tmp_path / "list.csv").doubts[0]
    )
    given = open_csv(tmp_path / "list.csv", encoding="cp1250")
    assert given.encoding == "cp1250"
    assert not given.doubts
