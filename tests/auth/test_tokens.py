"""Token sets, credentials and the vault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.auth import ClientCredentials, TokenSet, Vault, new_key
from ar_connectors.errors import ConfigurationError, ContractError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXT = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
INSTANTS = st.none() | st.datetimes(timezones=st.just(UTC))


@given(
    st.builds(
        TokenSet,
        access_token=TEXT,
        refresh_token=st.none() | TEXT,
        issued_at=INSTANTS,
        access_expires_at=INSTANTS,
        refresh_expires_at=INSTANTS,
        refresh_hard_expires_at=INSTANTS,
        scope=st.lists(TEXT, max_size=3).map(tuple),
        extra=st.dictionaries(TEXT, TEXT, max_size=2),
    )
)
def test_tokens_survive_the_store_as_json(tokens: TokenSet) -> None:
    assert TokenSet.from_document(json.loads(json.dumps(tokens.to_document()))) == tokens


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "a", "issued_at": "yesterday"},
        {"access_token": "a", "issued_at": "2026-01-01T00:00:00"},
        {"access_token": "a", "issued_at": 5},
        {"access_token": "a", "extra": 5},
    ],
)
def test_damaged_documents_are_told(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="damaged"):
        TokenSet.from_document(document)


def test_a_refresh_token_alone_will_do_and_is_refreshed_at_once() -> None:
    tokens = TokenSet.from_document({"refresh_token": "r", "access_token": None})
    assert tokens.expires_within(timedelta(0), NOW)


@pytest.mark.parametrize(
    ("seconds", "life"),
    [
        (3600, timedelta(hours=1)),
        ("3600", timedelta(hours=1)),
        (0, timedelta(0)),
        (10**30, timedelta(seconds=3_155_760_000)),
    ],
)
def test_lifetimes_are_numbers_or_text(seconds: Any, life: timedelta) -> None:
    tokens = TokenSet.from_answer({"access_token": "a", "expires_in": seconds}, NOW)
    assert tokens.access_expires_at == NOW + life


@pytest.mark.parametrize("seconds", [None, "soon", True, -5, [], float("nan"), float("inf")])
def test_a_lifetime_that_is_none_is_unknown_and_not_zero(seconds: Any) -> None:
    tokens = TokenSet.from_answer({"access_token": "a", "expires_in": seconds}, NOW)
    assert tokens.access_expires_at is None
    assert not tokens.expires_within(timedelta(days=9999), NOW)


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a", "refresh_token": 5}]
)
def test_an_answer_without_an_access_token_is_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        TokenSet.from_answer(answer, NOW)


# The first letter makes sure that no secret is by chance a piece of a field's name.
@given(secret=st.text(min_size=12, max_size=60).filter(str.isprintable).map(lambda text: "Ω" + text))
def test_reprs_show_no_secret(secret: str) -> None:
    tokens = TokenSet(secret, secret, extra={"id_token": secret})
    keys = ClientCredentials("id", secret.strip() or "x" * 12)
    for text in (repr(tokens), str(tokens), f"{tokens}", repr(keys), str(keys)):
        assert repr(secret)[1:-1] not in text
        assert secret not in text
    assert tokens.secrets() == (secret, secret, secret)


@pytest.mark.parametrize(("client_id", "secret"), [("", "s"), ("i", ""), ("i", " s"), ("i\n", "s")])
def test_credentials_with_blanks_are_refused_without_being_shown(client_id: str, secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientCredentials(client_id, secret)
    assert "copy it from the app's page" in str(caught.value)


@given(st.binary(max_size=200))
def test_the_vault_gives_back_what_it_took(data: bytes) -> None:
    vault = Vault(new_key())
    sealed = vault.encrypt(data)
    assert vault.decrypt(sealed) == data
    if len(data) > 8:
        assert data not in sealed


def test_another_key_opens_nothing_and_says_what_to_do() -> None:
    sealed = Vault(new_key()).encrypt(b"secret")
    with pytest.raises(ConfigurationError, match="another key") as caught:
        Vault(new_key()).decrypt(sealed)
    assert caught.value.__context__ is None
    assert "secret" in str(caught.value)  # the word, not the value: "the stored secrets"


def test_keys_are_changed_by_putting_the_new_one_first() -> None:
    old, new = new_key(), new_key()
    sealed = Vault(old).encrypt(b"data")
    both = Vault(f"{new}, {old}")
    rotated = both.rotate(sealed)
    assert Vault(new).decrypt(rotated) == b"data"
    assert both.decrypt(sealed) == b"data"


@pytest.mark.parametrize(
    "keys", [(), ("",), (" , ",), ("too-short",), (b"\xff" * 44,), (new_key(), "not a key"), ("schlüssel",)]
)
def test_what_is_no_key_is_refused_and_not_repeated(keys: tuple[str | bytes, ...]) -> None:
    with pytest.raises(ConfigurationError, match="key") as caught:
        Vault(*keys)
    assert "new_key" in str(caught.value)
    assert "too-short" not in str(caught.value)


def test_a_vault_shows_no_key() -> None:
    key = new_key()
    assert key not in repr(Vault(key))


def test_the_line_of_a_token_keeps_its_beginning_and_its_latest() -> None:
    first = now = TokenSet("access", "refresh-0")
    seen = [first]
    for number in range(1, 200):
        answer = {"access_token": "access", "refresh_token": f"refresh-{number}"}
        now = TokenSet.from_answer(answer, NOW, previous=now)
        seen.append(now)
    assert len(now.ancestors) <= 41
    assert now.descends_from(first)
    assert now.descends_from(now)
    assert now.descends_from(seen[-30])
    assert not first.descends_from(now)
    assert TokenSet.from_document(now.to_document()) == now
