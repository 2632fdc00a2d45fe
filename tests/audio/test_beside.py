import threading
import time

import pytest

from covermaker.audio.beside import Beside, through


def beside_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("beside")]


def test_items_are_consumed_in_order_on_one_other_thread():
    seen, threads = [], set()

    def consume(item):
        seen.append(item)
        threads.add(threading.get_ident())

    with Beside(consume) as beside:
        for item in range(200):
            beside.push(item)
    assert seen == list(range(200))
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert not beside_threads()


def test_no_more_items_wait_than_allowed():
    gate = threading.Event()
    pushed = []

    def push_all():
        with Beside(lambda _: gate.wait(), waiting=2) as beside:
            for item in range(10):
                beside.push(item)
                pushed.append(item)

    pusher = threading.Thread(target=push_all)
    pusher.start()
    while len(pushed) < 3:  # one at work, two waiting
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(pushed) == 3
    gate.set()
    pusher.join()
    assert len(pushed) == 10


def test_an_error_comes_out_of_push():
    def consume(item):
        raise ValueError(f"item {item}")

    pushed = []

    def body():
        with Beside(consume) as beside:
            for item in range(100):
                beside.push(item)
                pushed.append(item)

    with pytest.raises(ValueError, match="item 0"):
        body()
    assert len(pushed) < 10
    assert not beside_threads()


def test_an_error_on_the_last_item_comes_out_of_the_end():
    def consume(item):
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"), Beside(consume) as beside:
        beside.push(0)
    assert not beside_threads()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_body_that_raises_drops_what_waits(error):
    gate, begun, seen = threading.Event(), threading.Event(), []

    def consume(item):
        seen.append(item)
        begun.set()
        gate.wait()

    def body():
        with Beside(consume) as beside:
            for item in range(4):
                beside.push(item)
            begun.wait()
            threading.Timer(0.1, gate.set).start()
            raise error

    with pytest.raises(error):
        body()
    assert seen == [0]
    assert not beside_threads()


def test_results_come_in_order_from_one_other_thread_and_items_from_this_one():
    made_on, read_on = set(), set()

    def make(item):
        made_on.add(threading.get_ident())
        return 10 * item

    def items():
        for item in range(50):
            read_on.add(threading.get_ident())
            yield item

    assert list(through(make, items())) == list(range(0, 500, 10))
    assert read_on == {threading.get_ident()}
    assert len(made_on) == 1
    assert not made_on & read_on
    assert not beside_threads()


def test_only_so_many_results_are_under_way():
    read = []

    def items():
        for item in range(20):
            read.append(item)
            yield item

    results = through(str, items(), waiting=2)
    assert next(results) == "0"
    assert read == [0, 1, 2]
    results.close()
    assert not beside_threads()


@pytest.mark.parametrize("where", ["made", "read"])
def test_what_fails_comes_out_with_its_own_words(where):
    def make(item):
        if where == "made" and item == 3:
            raise ValueError("item 3")
        return item

    def items():
        yield from range(4)
        if where == "read":
            raise ValueError("item 3")
        yield from range(4, 20)

    seen = []

    def body():
        for made in through(make, items()):
            seen.append(made)

    with pytest.raises(ValueError, match="item 3"):
        body()
    assert seen == [0, 1, 2][: len(seen)]
    assert not beside_threads()
