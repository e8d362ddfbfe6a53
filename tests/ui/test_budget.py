import gc
import threading

import numpy as np

from tta_demo.pictures.reading import Picture
from tta_demo.ui.kit.budget import Holdings
from tta_demo.ui.kit.visitor import Case, Viewer


class Holder:
    def __init__(self, nbytes):
        self.nbytes, self.turn = nbytes, threading.Lock()

    def lighten(self):
        self.nbytes = 0


def test_who_acted_longest_ago_makes_room_but_nobody_who_acts_or_is_gone():
    holdings = Holdings(100)
    idle, busy, late, gone = (Holder(30) for _ in range(4))
    for one in (gone, idle, busy, late):
        holdings.acted(one)
    assert gone.nbytes == 0
    holdings.acted(large := Holder(30))
    assert [one.nbytes for one in (idle, busy, late, large)] == [0, 30, 30, 30]
    del gone, late
    gc.collect()
    with busy.turn:
        large.nbytes = 200
        holdings.acted(large)  # its own is not taken from it
        assert (busy.nbytes, large.nbytes) == (30, 200)
    holdings.acted(last := Holder(1))
    assert [one.nbytes for one in (busy, large, last)] == [0, 0, 1]


def test_a_viewer_holds_pictures_and_can_forget_them():
    viewer = Viewer()
    assert viewer.nbytes == 0
    picture = Picture.of(np.zeros((4, 5, 3), np.uint8))
    viewer.case = Case(picture=picture, settings=None, truth=np.zeros((4, 5), np.uint8))
    assert viewer.nbytes == 4 * 5 * 4
    viewer.lighten()
    assert viewer.nbytes == 0
