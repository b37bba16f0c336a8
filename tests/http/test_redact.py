"""Secrets: wherever they turn up, they do not come out."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.errors import ARError, FieldError, RejectedError
from ar_connectors.http import (
    Endpoints,
    Redactor,
    Replay,
    Request,
    Response,
    Transport,
    TransportSettings,
    excerpt,
)
from ar_connectors.http.redact import redact
from ar_connectors.http.retry import RetryPolicy
from tests.http.little_server import FakeClock, Heard, LittleServer, Reply, answer, cut, gzipped

TOKEN_TEXT = st.text(
    st.characters(codec="ascii", categories=("Lu", "Ll", "Nd"), include_characters="-._~+/"),
    min_size=16,
    max_size=80,
)
ANY_SECRET = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=60
).filter(lambda text: len(text.strip()) >= 8 and "***" not in text)

PLACES = {
    "bearer header": lambda s: f"Authorization: Bearer {s}",
    "basic header in a repr": lambda s: repr({"Authorization": f"Basic {s}", "Accept": "x"}),
    "curl": lambda s: f"curl -H 'authorization: bearer {s}' https://x",
    "OAuth 1 header": lambda s: f'Authorization: OAuth realm="1", oauth_token="{s}", oauth_signature="{s}"',
    "token answer": lambda s: json.dumps({"access_token": s, "refresh_token": s, "expires_in": 3600}),
    "token answer, repr": lambda s: repr({"access_token": s, "refresh_token": s}),
    "token answer, cut off": lambda s: json.dumps({"x": 1, "refresh_token": s})[:-2],
    "form": lambda s: urlencode({"grant_type": "refresh_token", "refresh_token": s, "client_secret": s}),
    "keyword repr": lambda s: f"Credentials(client_secret='{s}')",
    "redirect": lambda s: f"http://127.0.0.1:1/callback?code={s}&state={s}&realmId=9",
    "assertion": lambda s: f"client_assertion={s}&x=1",
    "xml": lambda s: f"<RefreshToken>{s}</RefreshToken><access_token>{s}</access_token>",
    "address": lambda s: f"https://user:{quote(s, safe='')}@proxy.example/",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@given(secret=TOKEN_TEXT)
def test_a_secret_in_a_known_place_is_masked_without_being_known(place: object, secret: str) -> None:
    text = place(secret)  # type: ignore[operator]
    masked = redact(text)
    assert secret not in masked
    assert "***" in masked
    assert redact(masked) == masked


@given(secret=ANY_SECRET, before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_known_value_is_masked_in_any_place_and_spelling(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    spellings = [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        b64encode(secret.encode()).decode(),
    ]
    for spelling in spellings:
        assert spelling not in redactor.text(f"{before} {spelling} {after}").replace("***", "")


def test_what_people_need_to_see_stays() -> None:
    text = (
        '{"Fault":{"Error":[{"Message":"message=ThrottleExceeded; errorCode=003001; statusCode=429","code":"3200"}]}} '
        "intuit_tid=1-6581d1c5-0b5f0e6e2f3c4d5e6f7a8b9c invoice 1045 of O'Neil & Sons, state: open, code=6240"
    )
    assert redact(text) == text


def test_excerpts_are_short_and_cut_after_masking() -> None:
    body = b"x" * 480 + b' {"access_token": "' + b"s" * 900 + b'"}'
    text = excerpt(body)
    assert len(text) == 500
    assert "sss" not in text


def test_very_many_values_do_not_grow_for_ever() -> None:
    redactor = Redactor()
    for number in range(1000):
        redactor.add(f"token-number-{number}")
    assert redactor.text("token-number-999") == "***"
    assert repr(redactor) == "Redactor(100 values)"


def test_an_error_is_cleaned_in_all_its_parts() -> None:
    error = RejectedError(
        "refused Bearer abcdefgh1234",
        excerpt="hush-hush-1" * 100,
        field_errors=(FieldError("about hush-hush-1", detail="hush-hush-1"),),
    )
    cleaned = Redactor(["hush-hush-1"]).clean(error)
    assert cleaned is error
    for text in (str(error), repr(error), str(error.args), json.dumps(error.to_json())):
        assert "hush-hush" not in text
        assert "abcdefgh1234" not in text
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


class Gossip:
    """A dialect that repeats the whole answer and the request in its error."""

    def error(self, request: Request, response: Response) -> ARError | None:
        if response.status == 200:
            return None
        text = response.body.decode(errors="replace")
        return RejectedError(f"{text} {request}", excerpt=text, field_errors=(FieldError(text),))


class Badge:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, _: Request) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._secret}"}

    def refused(self, _: Request, __: Response) -> bool:
        return False


def _echo(status: int) -> Reply:
    """Says everything back that it heard, headers included, as careless servers do."""

    def write(connection: object, heard: Heard) -> None:
        body = f"{heard.headers} {heard.target} {heard.headers.get('authorization', '').split()[-1]} {heard.body!r}"
        answer(status, body.encode())(connection, heard)  # type: ignore[arg-type]

    return write


@pytest.mark.parametrize(
    "reply",
    [_echo(400), _echo(401), _echo(429), _echo(500), _echo(302), cut, gzipped(b"x" * 99, keep=9)],
    ids=["400", "401", "429", "500", "302", "cut", "gzip"],
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=TOKEN_TEXT)
def test_no_failure_of_the_transport_tells_a_secret(
    reply: Reply, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    events: list[object] = []
    clock = FakeClock()
    with LittleServer([reply]) as server:
        sender = Transport(
            "acme",
            "42",
            Endpoints(server.url),
            Gossip(),
            Badge(secret),
            clock=clock,
            jitter=lambda: 0.5,
            observer=events.append,
            policy=RetryPolicy(attempts=2),
            settings=TransportSettings(read_timeout=5),
        )
        request = Request(
            "POST", f"{server.url}/x", "op", body=f"client_secret={secret}".encode(), replay=Replay.SAFE
        )
        with sender, pytest.raises(ARError) as caught:
            sender.send(request)
    error = caught.value
    told = [str(error), repr(error), json.dumps(error.to_json()), repr(events), caplog.text, repr(sender)]
    chain: BaseException | None = error
    while chain is not None:
        told += [repr(chain), *traceback.format_exception(chain)]
        # No exception of the HTTP library may travel along: it would carry the request with its headers.
        assert isinstance(chain, ARError)
        chain = chain.__cause__ or chain.__context__
    assert not [text for text in told if secret in text]
