"""A loop in a thread of its own, and what ends it."""

import asyncio
import signal
import threading
from contextvars import ContextVar

import pytest

from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError, Stop, run_in_thread

NAME = ContextVar("NAME", default="nobody")


def wait_for(stop, began=None):
    """Make a coroutine that lasts until *stop* is set."""

    async def main():
        if began is not None:
            began.set()
        await stop.wait()

    return main


def test_it_runs_to_its_end_elsewhere():
    """The coroutine runs in another thread, with the context of the calling one, and is waited for."""
    seen = []

    async def main():
        await asyncio.sleep(0)
        seen.extend([threading.current_thread().name, NAME.get()])

    token = NAME.set("kitobkhona")
    run_in_thread(main, Stop())
    NAME.reset(token)

    assert seen == ["osonsms-campaign", "kitobkhona"]


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_comes_out_where_it_is_waited_for(error):
    """What the coroutine raises is raised in the calling thread, whatever it is."""

    async def main():
        raise error

    with pytest.raises(type(error)) as caught:
        run_in_thread(main, Stop())
    assert caught.value is error


def test_a_stop_before_the_loop_runs():
    """A stop that is set beforehand ends the coroutine as soon as it waits."""
    stop = Stop()
    stop.set(CampaignStoppedError("early"))

    run_in_thread(wait_for(stop), stop)

    assert stop.is_set


def test_a_stop_from_inside():
    """The coroutine may set its own stop."""
    stop = Stop()

    async def main():
        stop.set(CampaignStoppedError("done"))
        await stop.wait()

    run_in_thread(main, stop)

    assert str(stop.cause) == "done"


def test_a_stop_from_another_thread():
    """A stop that is set by another thread wakes the loop."""
    stop, began = Stop(), threading.Event()

    def set_later():
        began.wait(5)
        stop.set(CampaignStoppedError("told"))

    other = threading.Thread(target=set_later)
    other.start()
    run_in_thread(wait_for(stop, began), stop)
    other.join()

    assert str(stop.cause) == "told"


def test_the_first_cause_counts():
    """A stop keeps the cause that was there first; a later one is only a consequence."""
    stop = Stop()
    assert (stop.is_set, stop.cause) == (False, None)
    stop.set(CampaignStoppedError("first"))
    stop.set(CampaignStoppedError("second"))

    assert str(stop.cause) == "first"


def test_a_stop_after_the_end():
    """A stop that comes when the loop is closed is kept and harms nobody."""
    stop = Stop()

    async def main():
        await asyncio.sleep(0)

    run_in_thread(main, stop)
    stop.set(CampaignStoppedError("late"))

    assert stop.is_set


@pytest.fixture
def interrupt():
    """Make an exception come up in the main thread, as the handler of a signal does."""

    def raise_timeout(_number, _frame):
        raise TimeoutError("the task is out of time")

    before = signal.signal(signal.SIGUSR1, raise_timeout)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_an_exception_in_the_calling_thread_ends_the_coroutine_in_order(interrupt):
    """A timeout that comes up while the loop runs is raised after the coroutine has put away its things."""
    stop, ended = Stop(), []

    async def main():
        interrupt()
        await stop.wait()
        await asyncio.sleep(0)
        ended.append(True)

    with pytest.raises(TimeoutError, match="out of time"):
        run_in_thread(main, stop)

    assert ended == [True]
    assert isinstance(stop.cause, CampaignStoppedError)


def test_a_cause_of_its_own_is_kept_when_the_caller_is_interrupted(interrupt):
    """If the loop had a reason to stop before the signal, that stays the reason."""
    stop = Stop()

    async def main():
        stop.set(CampaignStoppedError("balance"))
        interrupt()
        await asyncio.sleep(0.02)

    with pytest.raises(TimeoutError):
        run_in_thread(main, stop)

    assert str(stop.cause) == "balance"
