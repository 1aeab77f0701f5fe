"""A headless Chromium: the page's tests and the screenshots look through it."""

import base64
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_SECONDS = 15
_FIND = """
    return [...document.querySelectorAll(arguments[0])].find(
        (element) => element.innerText.includes(arguments[1])) ?? null
"""
_READ = f"const find = function () {{ {_FIND} }}; return find(...arguments)?.innerText ?? null"


def why_no_browser() -> str | None:
    """Return what is missing to look at a page; None when nothing is."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    advice = "not installed: apt-get install chromium chromium-driver"
    return f"{' and '.join(missing)} {advice}" if missing else None


class Browser:
    """What the tests need of a browser, waiting where a person would wait."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def get(self, url: str) -> Self:
        """Open a page."""
        self.driver.get(url)
        return self

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that are there now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait_for(self, selector: str, text: str = "") -> WebElement:
        """Return the first element of *selector* whose text holds *text*, once it is there."""
        return self._wait(_FIND, selector, text)

    def read(self, selector: str, text: str = "") -> str:
        """Return its text, in one step: a live page may write the element anew at any time."""
        return self._wait(_READ, selector, text).strip()

    def read_all(self, selector: str) -> list[str]:
        """Return the texts of all elements that are there now."""
        script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText)"
        return [text.strip() for text in self.driver.execute_script(script, selector)]

    def wait_until_gone(self, selector: str) -> None:
        """Return once no element of *selector* is there."""
        WebDriverWait(self.driver, _SECONDS).until(lambda _: not self.all(selector), f"{selector} stays")

    def click(self, selector: str, text: str = "") -> None:
        """Press a button, once it is there; one that was written anew meanwhile is looked for again."""

        def press(_: Any) -> bool:
            self.wait_for(selector, text).click()
            return True

        again = [StaleElementReferenceException]
        WebDriverWait(self.driver, _SECONDS, ignored_exceptions=again).until(press, f"no click on {selector}")

    def type(self, selector: str, text: str) -> None:
        """Write into a field, once it is shown."""

        def write(_: Any) -> bool:
            self.wait_for(selector).send_keys(text)
            return True

        early = [ElementNotInteractableException, StaleElementReferenceException]
        WebDriverWait(self.driver, _SECONDS, ignored_exceptions=early).until(write, f"no way into {selector}")

    def text(self) -> str:
        """Return everything that the page shows."""
        return self.driver.execute_script("return document.body.innerText")

    def value(self, script: str) -> Any:
        """Return what a JavaScript expression is."""
        return self.driver.execute_script(f"return {script}")

    def _wait(self, script: str, selector: str, text: str) -> Any:
        """Return what a script says of the selector and the text, once it is not null."""
        wait = WebDriverWait(self.driver, _SECONDS)
        return wait.until(
            lambda _: self.driver.execute_script(script, selector, text), f"no {selector} with {text!r}"
        )

    def requested_urls(self) -> list[str]:
        """Return the address of every request so far."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def errors(self) -> list[str]:
        """Return what the console complains about."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def save(self, file: Path) -> None:
        """Save a picture of the page."""
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        file.write_bytes(base64.b64decode(picture["data"]))


@contextmanager
def _quiet_driver() -> Iterator[None]:
    """Keep the driver's chatter away from the ear that listens for leaks: it quotes what is shown."""
    loggers = [logging.getLogger(name) for name in ("selenium", "urllib3.connectionpool")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def open_browser(*, size: tuple[int, int] = (1280, 860), scheme: str = "light") -> Iterator[Browser]:
    """Open a fresh browser window of *size* pixels that prefers *scheme*, in English."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    folder = tempfile.TemporaryDirectory(prefix="osonsms-browser-", ignore_cleanup_errors=True)
    with _quiet_driver(), folder as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}", "--lang=en-US"):
            options.add_argument(flag)
        environment = {**os.environ, "LANGUAGE": "en_US", "NO_PROXY": "127.0.0.1,localhost"}
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"), env=environment)
        driver = webdriver.Chrome(options=options, service=service)
        try:
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
            )
            feature = {"name": "prefers-color-scheme", "value": scheme}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            yield Browser(driver)
        finally:
            driver.quit()
