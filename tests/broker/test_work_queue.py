"""What waits for the threads of a worker is taken once, soon, and in its order."""

import threading
import time
from queue import Empty

import pytest

from tests.waiting import wait_until
from worker_service.broker.work_queue import WorkQueue


def test_items_come_in_their_order():
    queue = WorkQueue()
    for number in range(5):
        queue.put(number)
    assert [queue.get(timeout=1) for _ in range(5)] == list(range(5))


def test_it_is_empty_after_the_timeout_and_not_before():
    begin = time.monotonic()
    with pytest.raises(Empty):
        WorkQueue().get(timeout=0.05)
    assert time.monotonic() - begin >= 0.05


def test_thread_that_waits_is_woken():
    queue = WorkQueue()
    threading.Timer(0.02, queue.put, ["here"]).start()
    begin = time.monotonic()
    assert queue.get(timeout=30) == "here"
    assert time.monotonic() - begin < 10


def test_what_is_taken_back_is_not_waited_for():
    queue = WorkQueue()
    queue.put("one")
    queue.put("two")
    assert queue.get_nowait() == "one"
    assert queue.get(timeout=1) == "two"
    assert queue.unfinished_tasks == 1
    queue.task_done()
    queue.join()
    with pytest.raises(Empty):
        queue.get_nowait()


def test_many_threads_take_each_item_once_and_none_waits_for_ever():
    queue, taken, ends = WorkQueue(), [], threading.Event()

    def take() -> None:
        while not ends.is_set():
            try:
                item = queue.get(timeout=0.0005)  # so that threads give up while items come
            except Empty:
                continue
            taken.append(item)
            queue.task_done()

    def put(numbers: range) -> None:
        for number in numbers:
            queue.put(number)
            if number % 50 == 0:
                time.sleep(0.001)

    takers = [threading.Thread(target=take) for _ in range(8)]
    putters = [threading.Thread(target=put, args=[range(at, at + 2_000)]) for at in (0, 2_000, 4_000)]
    for thread in [*takers, *putters]:
        thread.start()
    for thread in putters:
        thread.join()
    queue.join()
    ends.set()
    for thread in takers:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in takers)
    assert sorted(taken) == list(range(6_000))
    wait_until(lambda: queue.qsize() == 0 and not queue._idle)
