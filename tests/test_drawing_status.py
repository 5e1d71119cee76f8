"""The line at the bottom of the picture."""

from visu.drawing.history import History
from visu.drawing.status import Pace, status_texts


def test_the_pace_is_that_of_the_last_seconds():
    pace = Pace(10000)
    assert pace.parts() == []
    for second in range(100):
        pace.set(100 * second, second)  # 100 iterations a second
    assert pace.parts() == ["100 iterations/s", "0:01 left"]
    for second in range(20):
        pace.set(9900 + second, 100 + second)  # and then 1
    assert pace.parts() == ["1.0 iterations/s", "1:21 left"]
    pace.set(10000, 121)
    assert pace.parts() == []


def test_a_long_time_is_left_in_hours():
    pace = Pace(1000000)
    for second in range(11):
        pace.set(50 * second, second)
    assert pace.parts() == ["50 iterations/s", "5:33:10 left"]
    assert Pace(10).parts() == []


def test_the_status_line_says_how_far_and_how_well():
    history = History()
    history.add_point("training", 100, 0.9, 20, 0.00312)
    history.add_point("test", 0, 0.1, 200, epoch=1)
    history.add_point("test", 100, 0.95, 20, epoch=2)
    history.add_point("test", 200, 0.94, 20, epoch=3)

    def texts(*arguments):
        return [text.replace("\u00a0", " ") for text in status_texts("lesson", history, *arguments)]

    left, right = texts(201, 10000, ["90 iterations/s", "1:48 left"])
    assert left == "lesson · epoch 3 · best test accuracy 0.9500"
    assert right == "iteration 201 of 10,000 · 90 iterations/s · 1:48 left · learning rate 0.00312"
    assert texts(201, 10000, [], "paused")[0].endswith(" · PAUSED")
    assert texts(201, 10000, [], "stopped: KeyError, see the terminal")[0].endswith(
        " · stopped: KeyError, see the terminal"
    )
