"""Airflow's page of Connections: the form that adds one, and the button that tests one."""

from chromium import Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

_DIALOG = "[role=dialog]"
_TOAST = "[data-scope=toast][data-part=root]"


class ConnectionsPage:
    """The page of a running Airflow.

    Args:
        browser: A browser that is logged in.
        url: The address of Airflow.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = f"{url}/connections"

    def add(self, conn_id: str, fields: dict[str, str], *, extra: dict[str, str]) -> None:
        """Add a Connection of type OsonSMS with the form.

        Args:
            conn_id: Its id.
            fields: What a person writes into the standard fields, by name.
            extra: The same for the extra fields.
        """
        browser = self._browser
        browser.get(self._url).click("button", "Add Connection")
        browser.type(f"{_DIALOG} input[name=connection_id]", conn_id)
        kind = browser.wait_for(f"{_DIALOG} [role=combobox]")
        kind.send_keys("OsonSMS")
        browser.wait_for("[role=option]", "OsonSMS")
        kind.send_keys(Keys.ENTER)
        for name, text in fields.items():
            browser.type(f"{_DIALOG} input[name={name}]", text)
        browser.click(f"{_DIALOG} button", "Extra Fields")  # which closes the others
        for name, text in extra.items():
            browser.type(f"{_DIALOG} input[name=element_{name}]", text)
        browser.click(f"{_DIALOG} button", "Save")
        browser.wait_until_gone(_DIALOG)

    def test(self, conn_id: str) -> str:
        """Press the button of a Connection, and return what Airflow answers."""
        browser = self._browser
        browser.get(self._url).wait_for("tbody tr", conn_id)
        (row,) = [row for row in browser.all("tbody tr") if conn_id in row.text]
        row.find_element(By.CSS_SELECTOR, "button[aria-label='Test Connection']").click()
        return browser.read(_TOAST)
