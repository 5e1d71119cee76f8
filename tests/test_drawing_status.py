"""The line at the bottom of the picture."""

import re

from made_up_run import RUN, point
from visu.channel import FINISHED, PAUSED, TRAINING, Progress
from visu.drawing.picture import Pace, pace_texts, status_texts
from visu.record import Record

NAME = "a-name-with-hyphens_that_is_longer_than_a_whole_line_of_a_narrow_window_is"


def test_the_pace_is_that_of_the_last_seconds():
    pace = Pace()
    assert pace.rate() is None
    for iterations in (0, 1):  # in one tick of a coarse clock
        pace.take(Progress(iterations, 0, False, TRAINING))
        assert pace.rate() is None
    for second in range(100):
        pace.take(Progress(100 * second, second, False, TRAINING))
    assert pace_texts(pace.rate(), 100) == ["100 iterations/s", "0:01 left"]
    for second in range(20):
        pace.take(Progress(9900 + second, 100 + second, False, TRAINING))
    assert pace_texts(pace.rate(), 81) == ["1.0 iterations/s", "1:21 left"]


def test_the_last_seconds_are_ten_however_often_it_is_told():
    pace, iterations = Pace(), 0.0
    for quarter in range(101):  # of a second: 20 s of 10 iterations each, 5 s of 100
        pace.take(Progress(iterations, quarter / 4, False, TRAINING))
        iterations += (10 if quarter < 80 else 100) / 4
    assert pace.rate() == (5 * 10 + 5 * 100) / 10


def test_a_long_time_is_left_in_hours():
    assert pace_texts(50, 999500) == ["50 iterations/s", "5:33:10 left"]
    assert pace_texts(2.5, 9063) == ["2.5 iterations/s", "1:00:25 left"]


def test_many_iterations_a_second_are_said_in_thousands_and_few_with_a_decimal_place():
    assert pace_texts(1234.5, 4e6) == ["1,234 iterations/s", "54:00 left"]
    assert pace_texts(10, 99) == ["10 iterations/s", "0:10 left"]
    assert pace_texts(9.5, 0) == ["9.5 iterations/s", "0:00 left"]


def test_the_status_line_says_how_far_and_how_well():
    record = Record()
    record.add(point("training", 100, 0.9, 20, 0.00312))
    record.add(point("test", 0, 0.1, 200, epoch=1))
    record.add(point("test", 100, 0.95, 20, epoch=2))
    record.add(point("test", 200, 0.94, 20, epoch=3))
    run = RUN._replace(name="lesson", iterations=10000)

    def texts(iterations, state, rate=None):
        progress = Progress(iterations, 1.0, False, state)
        return [text.replace("\u00a0", " ") for text in status_texts(run, record, progress, rate)]

    left, right = texts(280, TRAINING, 90)
    assert left == "lesson · epoch 3 · best test accuracy 0.9500"
    assert right == "iteration 280 of 10,000 · 90 iterations/s · 1:48 left · learning rate 0.00312"
    assert texts(10000, TRAINING, 90)[1] == "iteration 10,000 of 10,000 · learning rate 0.00312"
    assert texts(201, PAUSED, 90) == [left + " · PAUSED", "iteration 201 of 10,000 · learning rate 0.00312"]
    assert texts(10000, FINISHED)[0].endswith(" · FINISHED")
    failure = "stopped: KeyError, see the terminal"
    assert texts(201, failure)[0].endswith(f" · {failure}")


def test_what_is_not_known_is_left_out_and_what_is_zero_is_not():
    run, record, progress = RUN._replace(name="lesson"), Record(), Progress(0, 0.0, False, TRAINING)
    assert status_texts(run, record, progress)[0] == "lesson"
    record.add(point("training", 0, 0.1, 20))
    record.add(point("test", 0, 0, 20))
    words = [text.replace("\u00a0", " ") for text in status_texts(run, record, progress)]
    assert words == ["lesson · best test accuracy 0.0000", "iteration 0 of 1,000"]
    record.add(point("training", 1, 0.1, 20, 0))
    record.add(point("test", 1, 0, 20, epoch=0))
    words = [text.replace("\u00a0", " ") for text in status_texts(run, record, progress)]
    assert words == ["lesson · epoch 0 · best test accuracy 0.0000", "iteration 0 of 1,000 · learning rate 0"]


def test_in_a_narrow_window_lines_break_between_two_things_and_in_none(picture, record):
    record.add(point("training", 220, 0.9, 20, 0.00312))
    record.add(point("test", 220, 0.95, 20, epoch=3))
    progress = Progress(280, 1.0, False, TRAINING)
    texts = status_texts(RUN._replace(name=NAME), record, progress, 90)
    picture.figure.set_size_inches(4, 4)
    picture.fit_to_size()
    picture.update(texts)
    for text, line in zip(texts, (picture.status.left, picture.status.right)):
        assert "\n" in line.get_text()
        assert re.split(r"[ \n]·[ \n]", line.get_text()) == text.split(" · ")
