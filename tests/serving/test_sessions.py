from tta_demo.serving.sessions import GRACE, Sessions


class Here(Sessions):
    """Two safe pages and three guests; time goes on as one likes."""

    def __init__(self):
        self.now = 0.0
        super().__init__(visitors=2, guests=3, clock=lambda: self.now)


def test_new_sessions_push_out_each_other_but_nobody_whose_page_is_open():
    here = Here()
    here.opened("me")
    for number in range(510):
        here.asked(f"script {number}")
    assert here.leaving() == [f"script {number}" for number in range(507)]
    assert here.leaving() == []


def test_who_asked_last_stays_and_who_is_being_answered():
    here = Here()
    for name in "abcd":
        here.asked(name)
    here.asked("a")
    assert here.leaving({"b"}) == []
    assert here.leaving() == ["b"]


def test_a_page_is_remembered_for_a_while_after_it_was_closed():
    here = Here()
    here.opened("me")
    here.opened("me")  # twice: in two tabs, or anew before the old line was given up
    here.closed("me")
    here.now = 10 * GRACE
    assert here.leaving() == []
    here.closed("me")
    here.now += GRACE
    assert here.leaving() == []
    here.now += 1
    assert here.leaving() == ["me"]


def test_pages_beyond_the_limit_are_guests_until_others_leave():
    here = Here()
    assert here.opened("a")
    assert here.opened("b")
    assert not here.opened("c")
    here.closed("a")
    assert here.opened("c")
