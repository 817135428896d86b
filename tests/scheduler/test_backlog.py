"""Which ticks are still to be fired: after a start, an outage, a pause of the process."""

from scheduler.backlog import HELD_UP_MS, KEPT_TICKS, Backlog

NOW = 1_800_000_000_000
EVERY = 1_000


def begun(every_ms: int = EVERY) -> Backlog:
    """One that has fired all up to NOW."""
    backlog = Backlog(every_ms, 0.0)
    backlog.begin(NOW + every_ms)
    backlog.tell(NOW, 0.0)
    return backlog


def fired(backlog: Backlog) -> list[int]:
    """What it gives up in order, when every tick can be fired."""
    ticks = []
    while (tick := backlog.head()) is not None:
        assert backlog.fired(tick) == 0
        ticks.append(tick)
    return ticks


def test_nothing_is_fired_before_it_has_begun():
    backlog = Backlog(EVERY, 0.0)
    backlog.tell(NOW, 0.0)

    assert not backlog.has_begun
    assert backlog.head() is None


def test_tick_is_fired_once():
    backlog = begun()

    assert fired(backlog) == []
    backlog.tell(NOW + EVERY, 1.0)
    assert fired(backlog) == [NOW + EVERY]
    assert fired(backlog) == []


def test_tick_that_was_not_fired_stays_at_the_head():
    backlog = begun()
    backlog.tell(NOW + EVERY, 1.0)
    backlog.tell(NOW + 2 * EVERY, 2.0)

    assert backlog.head() == backlog.head() == NOW + EVERY


def test_ticks_of_an_outage_stay_in_order():
    backlog = begun()
    for k in range(1, 101):
        backlog.tell(NOW + k * EVERY, float(k))

    assert fired(backlog) == [NOW + k * EVERY for k in range(1, 101)]


def test_of_a_long_outage_the_newest_ticks_are_kept_and_the_others_counted():
    backlog = begun()
    for k in range(1, KEPT_TICKS + 8):
        backlog.tell(NOW + k * EVERY, float(k))

    head = backlog.head()

    assert head == NOW + 8 * EVERY
    assert backlog.fired(head) == 7
    assert len(fired(backlog)) == KEPT_TICKS - 1


def test_ticks_between_are_fired_when_the_process_was_held_up_a_moment():
    backlog = begun()

    backlog.tell(NOW + EVERY + HELD_UP_MS, 11.0)

    assert fired(backlog) == [NOW + k * EVERY for k in range(1, 12)]


def test_process_that_was_held_up_for_long_begins_anew():
    backlog = begun(100)
    backlog.tell(NOW + 3_600_000, 50.0)

    assert not backlog.has_begun
    assert backlog.head() is None
    assert backlog.first_tick(NOW + 3_600_020, 50.0) == NOW + 3_600_000
    backlog.begin(NOW + 3_600_000)
    assert fired(backlog) == [NOW + 3_600_000]


def test_long_interval_alone_is_no_hold_up():
    backlog = begun(3_600_000)

    backlog.tell(NOW + 3_600_000, 3_600.0)

    assert fired(backlog) == [NOW + 3_600_000]


def test_tick_under_way_when_it_begins_anew_does_not_count():
    backlog = begun()
    backlog.tell(NOW + EVERY, 1.0)
    under_way = backlog.head()
    assert under_way
    backlog.tell(NOW + 100 * EVERY, 100.0)

    assert backlog.fired(under_way) == 0
    assert not backlog.has_begun


def test_first_tick_is_that_of_the_start_however_late_the_server_answers():
    backlog = Backlog(EVERY, 100.0)

    assert backlog.first_tick(NOW + 30_400, 130.0) == NOW
