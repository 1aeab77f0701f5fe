"""Waits that share an event loop share its questions."""

import asyncio
from contextlib import ExitStack

import pytest

from airflow_provider_osonsms.delivery import share as module
from airflow_provider_osonsms.delivery.share import MAX_UNDER_WAY, Share, find_share
from airflow_provider_osonsms.delivery.workers import Workers


class Gateway:
    """Answers each question some turns of the loop later, and notes how many are under way then."""

    def __init__(self):
        self.asked = []
        self.under_way = 0
        self.history = []

    async def ask(self, number):
        """Answer."""
        self.asked.append(number)
        self.under_way += 1
        for _ in range(3):
            await asyncio.sleep(0)
        self.history.append(self.under_way)
        self.under_way -= 1
        return True


@pytest.mark.parametrize(("waits", "most"), [(0, 100), (1, 100), (2, 50), (3, 33), (100, 1), (500, 1)])
def test_each_has_a_part(waits, most):
    """All together have at most a hundred, and each has one."""
    share = Share()
    with ExitStack() as asking:
        for _ in range(waits):
            asking.enter_context(share)
        assert share.most == most
    assert share.most == MAX_UNDER_WAY


def run(gateway, *lengths, share=None, most=16):
    """Run workers for so many questions each at the same time."""
    share = share or Share()

    async def main():
        await asyncio.gather(
            *(Workers(gateway.ask, iter(range(length)), most=most, share=share).run() for length in lengths)
        )

    asyncio.run(main())


def test_no_more_than_one_wait_may():
    """A wait has its concurrency under way, as long as there are questions, and asks each once."""
    gateway = Gateway()

    run(gateway, 100, most=16)

    assert max(gateway.history) == 16
    assert gateway.history[50] == 16
    assert sorted(gateway.asked) == list(range(100))


def test_many_waits_settle_on_their_parts(monkeypatch):
    """Waits that begin while others ask leave room for each other, and each question is asked once."""
    monkeypatch.setattr(module, "MAX_UNDER_WAY", 10)
    gateway = Gateway()

    run(gateway, *[100] * 5)

    assert {8, 9, 10} >= set(gateway.history[100:400])
    assert sorted(gateway.asked) == sorted(list(range(100)) * 5)


def test_who_is_left_has_more(monkeypatch):
    """When the others are at their end, the last wait has its whole concurrency again."""
    monkeypatch.setattr(module, "MAX_UNDER_WAY", 10)
    gateway = Gateway()

    run(gateway, *[20] * 4, 300)

    assert gateway.history[-30] == 10
    assert len(gateway.asked) == 380


def test_a_worker_that_does_not_go_on_is_replaced_by_an_answer_only():
    """When every question fails for good, all workers end; the rest of the queue is left."""
    queue, asked = iter(range(100)), []

    async def ask(number):
        asked.append(number)
        await asyncio.sleep(0)
        return False

    async def main():
        await Workers(ask, queue, most=4, share=Share()).run()

    asyncio.run(main())

    assert asked == [0, 1, 2, 3]
    assert next(queue) == 4


def test_an_error_ends_all():
    """What one question raises ends the round."""

    async def ask(number):
        await asyncio.sleep(0)
        if number == 2:
            raise LookupError("refused")
        return True

    async def main():
        await Workers(ask, iter(range(100)), most=4, share=Share()).run()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    assert [str(error) for error in raised.value.exceptions] == ["refused"]


def test_each_gateway_and_each_loop_has_its_own():
    """A gateway that hangs holds up nobody who asks another one."""

    async def find():
        return find_share("https://one"), find_share("https://one"), find_share("https://two")

    first, again, second = asyncio.run(find())
    assert first is again
    assert first is not second
    assert asyncio.run(find())[0] is not first
