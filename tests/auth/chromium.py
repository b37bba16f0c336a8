"""A headless Chromium, driven over the W3C WebDriver protocol with plain HTTP; nothing of it leaves this machine."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import requests

__all__ = ["Chromium", "Person"]

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Chromium:
    """One browser with an empty profile. Use with `with`."""

    def __init__(self, browser: str, driver: str, profile: Path) -> None:
        self._browser, self._driver, self._profile = browser, driver, profile

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._session = ""
        try:
            self._base = f"http://127.0.0.1:{self._port()}"
            arguments = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={self._profile}",
            ]
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {"binary": self._browser, "args": arguments},
            }
            made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._ask("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(20)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def visit(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._ask("POST", f"{self._session}/url", {"url": url})

    def click(self, selector: str) -> None:
        """Click the element a CSS selector finds."""
        self._ask("POST", f"{self._session}/element/{self._find(selector)}/click", {})

    def text(self, selector: str) -> str:
        """What a person reads there; waits for it to appear."""
        return str(self._ask("GET", f"{self._session}/element/{self._find(selector)}/text"))

    def run(self, script: str) -> Any:
        """What a script returns that runs in the page."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._ask("POST", f"{self._session}/window/rect", {"width": width, "height": height})

    def url(self) -> str:
        """The address shown."""
        return str(self._ask("GET", f"{self._session}/url"))

    def _find(self, selector: str) -> str:
        deadline = time.monotonic() + 20
        while True:
            try:
                found = self._ask(
                    "POST", f"{self._session}/element", {"using": "css selector", "value": selector}
                )
            except LookupError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return str(found[_ELEMENT])

    def _port(self) -> int:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                return int(found[1])
        raise RuntimeError("the browser's driver did not start")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, self._base + path, json=body, timeout=60)
        value = answer.json()["value"]
        if answer.status_code == 404:
            raise LookupError(f"{value['error']}: {value['message'][:200]}")
        if answer.status_code >= 400:
            raise RuntimeError(f"{value['error']}: {value['message'][:500]}")
        return value


class Person:
    """Sits before the browser while the program waits: opens the consent page and decides (`connect` or `deny`)."""

    def __init__(
        self, chromium: Chromium, decision: str, *, first: Callable[[str], None] | None = None
    ) -> None:
        self._chromium, self._decision, self._first = chromium, decision, first
        self._pool = ThreadPoolExecutor(1)
        self.read: Future[tuple[str, str]] | None = None

    def open(self, url: str) -> None:
        self.read = self._pool.submit(self._act, url)

    def _act(self, url: str) -> tuple[str, str]:
        if self._first is not None:
            self._first(url)
        self._chromium.visit(url)
        self._chromium.click(f"#{self._decision}")
        return self._chromium.text("#result"), self._chromium.text("#detail")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
