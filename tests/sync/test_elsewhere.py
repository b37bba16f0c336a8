"""A process that helps is used when it pays, is never needed, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from ar_connectors.connector import Answer, Fetch, Page
from ar_connectors.errors import ConfigurationError
from ar_connectors.store import staging
from ar_connectors.store.contract import StagedPage
from ar_connectors.syncing import elsewhere
from ar_connectors.syncing.elsewhere import Elsewhere
from ar_connectors.syncing.window import Window
from tests.sync.helpers import pages_of, quits_elsewhere, ready_at_once, refuses, works_only_in


def finish(page: Page, process: int) -> Page:
    """Says in the page's kind where it was decoded."""
    return Page(records=page.records, stream=page.stream, rows=page.rows, kind=str(process), raw=page.raw)


def answer(body: bytes = b"a body", decode: Callable[..., Any] | None = None) -> Answer:
    return Answer(body, decode or partial(pages_of, stream="invoices"), finish)


@pytest.fixture
def helping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """One process that is ready, for bodies of any size."""
    ready_at_once(monkeypatch, many=1, large=1)
    with Elsewhere(1) as made:
        made.begin()
        yield made


def pid(place: Elsewhere) -> int:
    return place._started[0]._process.pid


def test_an_answer_is_decoded_there_and_finished_here(helping: Elsewhere) -> None:
    staged = helping.stage(answer(), staging.stage_page)
    assert staged.page.kind == str(pid(helping))
    assert (staged.page.stream, staged.page.rows) == ("invoices", 6)
    assert zlib.decompress(staged.blob or b"") == b"a body"


def test_many_threads_get_what_is_theirs(helping: Elsewhere) -> None:
    bodies = [bytes(length) for length in range(1, 60)]
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda body: helping.stage(answer(body), staging.stage_page), bodies))
    assert [one.page.rows for one in pages] == [len(body) for body in bodies]
    assert {one.page.kind for one in pages} <= {str(pid(helping)), str(os.getpid())}


def test_while_it_has_enough_one_answer_at_a_time_is_decoded_here(
    helping: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "_QUEUE", 0)
    at_once, most = 0, 0
    lock = threading.Lock()

    def stage(page: Page) -> StagedPage:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        return staging.stage_page(page)

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: helping.stage(answer(), stage), range(12)))
    assert {one.page.kind for one in pages} == {str(os.getpid())}
    assert most == 1


def test_a_small_body_is_not_sent(helping: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "LARGE", 7)
    assert helping.stage(answer(b"123456"), staging.stage_page).page.kind == str(os.getpid())
    assert helping.stage(answer(b"1234567"), staging.stage_page).page.kind == str(pid(helping))


def test_an_error_is_raised_whole(helping: Elsewhere) -> None:
    with pytest.raises(ValueError, match="cannot read b'a body'"):
        helping.stage(answer(decode=refuses), staging.stage_page)
    assert helping.stage(answer(), staging.stage_page).page.kind == str(pid(helping)), "it goes on"


def test_what_cannot_be_read_there_is_read_here_and_said_once(
    helping: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            odd = answer(decode=lambda body: pages_of(body, stream="x"))
            assert helping.stage(odd, staging.stage_page).page.kind == str(os.getpid())
    assert [one.getMessage() for one in caplog.records] == [
        "a process that decodes could not read an answer that can be read here"
    ]
    assert helping.stage(answer(), staging.stage_page).page.kind == str(pid(helping))


def test_records_that_are_replaced_here_are_what_is_stored(helping: Elsewhere) -> None:
    def emptied(page: Page, process: int) -> Page:
        return Page(rows=page.rows, kind=str(process), raw=page.raw)

    found = helping.stage(Answer(b"a body", partial(pages_of, stream="x"), emptied), staging.stage_page)
    assert found.page.records == ()
    assert zlib.decompress(found.blob or b"") == b"a body", "its body is kept all the same"


def test_a_process_that_dies_is_told_of_and_done_without(
    helping: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    decode = partial(works_only_in, process=os.getpid())
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: helping.stage(answer(decode=decode), staging.stage_page), range(8)))
    assert {one.page.kind for one in pages} == {str(os.getpid())}
    assert [one.getMessage() for one in caplog.records] == [
        "a process that decodes has ended; answers are decoded here from now on"
    ]
    assert helping.stage(answer(), staging.stage_page).page.kind == str(os.getpid())


def test_a_process_that_is_killed_while_it_works_loses_nothing(helping: Elsewhere) -> None:
    with ThreadPoolExecutor(4) as pool:
        pages = [pool.submit(helping.stage, answer(bytes(200_000)), staging.stage_page) for _ in range(40)]
        os.kill(pid(helping), signal.SIGKILL)
        assert [one.result().page.rows for one in pages] == [200_000] * 40


def test_a_process_that_quits_in_the_middle_is_done_without(helping: Elsewhere) -> None:
    """It waits for the next body meanwhile, and that must not keep its end of the line open."""
    staged = helping.stage(answer(decode=partial(quits_elsewhere, process=os.getpid())), staging.stage_page)
    assert staged.page.kind == str(os.getpid())


def test_it_is_gone_when_the_sync_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ready_at_once(monkeypatch, many=1, large=1)
    with Elsewhere(2) as place:
        place.begin()
        place.begin()
        processes = [one._process for one in place._started]
        assert len(processes) == 2, "started once"
    assert [one.returncode for one in processes] == [0, 0]


def test_a_sync_that_ends_soon_does_not_wait_until_it_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Elsewhere(1) as place:
        place.begin()
        (process,) = [one._process for one in place._started]
    assert process.returncode == -signal.SIGKILL
    assert not caplog.records, "that is no news"


def test_a_program_that_is_no_python_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with caplog.at_level(logging.WARNING), Elsewhere(1) as place:
        place.begin()
        place._started[0]._receiver.join(10)
        assert place.stage(answer(bytes(elsewhere.LARGE)), staging.stage_page).page.kind == str(os.getpid())
    assert "has ended" in caplog.text


def test_ctrl_c_is_left_to_the_process_that_started_it(helping: Elsewhere) -> None:
    os.kill(pid(helping), signal.SIGINT)
    assert helping.stage(answer(), staging.stage_page).page.kind == str(pid(helping))


def test_none_is_started_for_a_short_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    ready_at_once(monkeypatch, many=3, large=1)
    with Elsewhere(1) as place, Window(2, place) as window:
        kinds = [one.page.kind for one in window.pages([Fetch("one", answer)] * 2, staging.stage_page)]
        assert kinds == [str(os.getpid())] * 2
        assert not place._started
        kinds = [one.page.kind for one in window.pages([Fetch("one", answer)] * 3, staging.stage_page)]
        assert str(pid(place)) in kinds


def test_none_is_started_where_none_is_wanted() -> None:
    with Elsewhere(0) as place:
        place.begin()
        assert place.stage(answer(bytes(elsewhere.LARGE)), staging.stage_page).page.kind == str(os.getpid())
        assert not place._started


def test_where_none_can_be_started_it_is_said_and_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with caplog.at_level(logging.WARNING), Elsewhere(1) as place:
        place.begin()
        place.begin()
        assert place.stage(answer(bytes(elsewhere.LARGE)), staging.stage_page).page.kind == str(os.getpid())
    assert len(caplog.records) == 1
    assert "no process that decodes can be started" in caplog.text


def test_an_answer_that_comes_to_a_process_that_has_ended_is_decoded_here(helping: Elsewhere) -> None:
    helper = helping._started[0]
    os.kill(pid(helping), signal.SIGKILL)
    helper._receiver.join(10)
    helper.busy += 1
    assert helper.staged(answer()) is None
    assert helper.busy == 0


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be -1 processes"):
        Elsewhere(-1)


def test_a_system_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "_POSSIBLE", False)
    with pytest.raises(ConfigurationError, match="processes=0"):
        Elsewhere(1)
    with Elsewhere(0):
        pass


# ---- the line between the two


def test_messages_of_any_length_arrive_whole() -> None:
    one, other = socket.socketpair()
    sent = [(b"", b""), (b"head", b""), (b"", b"tail"), (b"h" * 3_000_000, b"t" * 5_000_000)]
    with one, other, ThreadPoolExecutor(1) as pool:
        done = [pool.submit(staging.send, one, *message) for message in sent]
        assert [staging.receive(other) for _ in sent] == sent
        assert [one.result() for one in done] == [None] * len(sent)
        one.shutdown(socket.SHUT_RDWR)
        assert staging.receive(other) is None


@pytest.mark.parametrize("cut", [1, 15, 16, 20, 30])
def test_a_message_that_breaks_off_is_none(cut: int) -> None:
    one, other = socket.socketpair()
    with other:
        with one:
            one.sendall((staging._LENGTHS.pack(10, 10) + b"0123456789abcdefghij")[:cut])
        assert staging.receive(other) is None


def test_the_process_serves_until_its_line_ends() -> None:
    one, other = socket.socketpair()
    served = threading.Thread(target=staging.serve, args=(other,))
    served.start()
    with one:
        assert staging.receive(one) == (staging.READY, b"")
        staging.send(one, pickle.dumps(partial(pages_of, stream="s")), b"12345")
        found = staging.receive(one)
        assert found is not None
        staged, told = pickle.loads(found[0]).together()
        assert (staged.page.rows, staged.page.raw, told) == (5, None, os.getpid())
        staging.send(one, pickle.dumps(refuses), b"12345")
        assert staging.receive(one) == (b"", b"")
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    served.join(10)
    other.close()
    assert not served.is_alive()
