"""The layers in the window, in Tk and Qt, and on the page of WebAgg: put a digit on the pad, look, point."""

import numpy as np

from helpers import made_up_training, own_lines, run_script, wait_until
from programs import Program
from screens import HEIGHT, WIDTH, WindowedProgram

LAYERED = """
tiles = np.zeros([100, 28, 28, 1], np.float32)
tiles[:, 5:15, 5:15] = 1
tiles[:, 20, 20, 0] = np.arange(100) / 255
pixels = np.uint8(255 - 255 * tiles).repeat(3, axis=3)
pixels[90:][tiles[90:, ..., 0] == 0] = 255, 160, 160  # ten on red, as of digits that are misread
squares = pixels.reshape(10, 10, 28, 28, 3).swapaxes(1, 2).reshape(280, 280, 3)
tested = [0, 1, 2, *range(90, 95)]  # most of them on red
strips = pixels[tested].reshape(2, 4, 28, 28, 3).swapaxes(1, 2).reshape(56, 112, 3)


def read_digits(images):
    probabilities = np.eye(10)[[7] * len(images)]
    print("read", len(images), float(images.sum()), flush=True)
    return [probabilities, images * [1, -1, 0], images.reshape(len(images), -1)[:, :5]]

"""


def layered_training():
    """A made-up training whose batch shows 100 squares on white, its test 8 of them on two lines.

    Its network has two layers.
    """
    source = made_up_training(301).replace("\ndatavis.animate(", f"{LAYERED}\ndatavis.animate(")
    source = source.replace("test_data_update_freq=50", "test_data_update_freq=50, read_digits=read_digits")
    source = source.replace("datavis.update_image1(digits(280, 280, 0.5))", "datavis.update_image1(squares, tiles)")
    return source.replace(
        "datavis.update_image2(digits(700, 1120, 0.3))", "datavis.update_image2(strips, tiles[tested])"
    )


BLUE, RED, RED_GROUND = (31, 78, 156), (214, 39, 40), (255, 160, 160)


def has_about(picture, colour, difference):
    """Where a screenshot is of a colour, with less than this difference in red, green and blue."""
    return (np.abs(picture.astype(int) - colour) < difference).all(axis=2)


def share(picture, colour):
    """How much of a screenshot is of about this colour."""
    return has_about(picture, colour, 40).mean()


def place_of(picture, colour):
    """x and y, in pixels, in the middle of what has just this colour."""
    rows, columns = np.nonzero(has_about(picture, colour, 20))
    return int(np.median(columns)), int(np.median(rows))


def place_of_tile(picture, column):
    """x and y, in pixels, in a tile of the last line of panel 3, which is red, in a screenshot of six panels."""
    left = 2 * picture.shape[1] // 3
    rows, columns = np.nonzero(has_about(picture[: picture.shape[0] // 2, left:], RED_GROUND, 3))
    return left + columns.min() + (column + 0.5) * np.ptp(columns) / 10, np.median(rows)


def test_in_the_window_a_digit_is_put_on_the_pad_its_layers_are_seen_and_the_run_stays_what_it_is(
    folder, screen, toolkit
):
    run = WindowedProgram(layered_training(), folder, screen, toolkit)
    try:
        run.read_until("^Finished")
        run.press("b")  # the first square of panel 3, which makes room for it
        total = float(run.read_until(r"^read 1 (\S+)").group(1))
        assert total == 100
        before = run.still_picture()
        run.press("l")
        run.read_until(r"^read 1 100\.0")
        shown = run.still_picture()
        right = shown[:700, WIDTH // 3 :]
        assert share(right, BLUE) > 0.008 and share(right, RED) > 0.008
        assert share(before[:700, WIDTH // 3 :], BLUE) < share(right, BLUE) / 2
        x, y = place_of(right, BLUE)
        top = 0 if toolkit == "TkAgg" else run.geometry()[3] - HEIGHT
        left, above = run.geometry()[:2]
        for shift in (0, 1):
            run.xdotool("mousemove", left + WIDTH // 3 + x + shift, above + top + y)
        run.read_until(r"^read 112 ")
        run.press("b")
        run.read_until(r"^read 1 100\.0039")  # the second square
        for ink in ("100.0", r"100\.0039", r"100\.0078"):
            run.press("t")
            run.read_until(f"^read 1 {ink}")
        run.stroke((60, 120), (80, 120))
        run.read_until(r"^read 1 ")
        run.press("0")
        run.stroke(place_of_tile(run.still_picture(), 2))
        run.read_until(r"^read 1 100\.3607")  # the 92nd
        run.press("0")
        run.press("q")
        output, errors, status = run.end()
    finally:
        run.stop()
    assert (errors, status) == ("", 0)
    assert own_lines(output) == own_lines(run_script(layered_training(), folder, MPLBACKEND="agg").stdout)


def test_on_a_page_a_digit_is_put_on_the_pad_its_layers_are_seen_and_pointed_at(tmp_path, forks, browser):
    program = Program(layered_training(), tmp_path, start=forks.start, MPLBACKEND="WebAgg")
    page = browser.open(program.read_address())

    def right():
        """What is beside the pad, as on a screen."""
        picture = 255 * page.picture()[..., :3]
        return picture[:, picture.shape[1] // 3 :]

    try:
        program.read_until("^Finished")
        page.press("b")
        program.read_until(r"^read 1 100\.0$")
        few = share(right(), BLUE)
        page.press("l")
        wait_until(lambda: share(right(), BLUE) > max(0.008, 2 * few), "layers are seen")
        assert share(right(), RED) > 0.008
        box, (x, y) = page.box(), place_of(right(), BLUE)
        for shift in (0, 1):
            place = {"x": box["x"] + box["width"] / 3 + x + shift, "y": box["y"] + y}
            page.tools.call("Input.dispatchMouseEvent", type="mouseMoved", **place)
        program.read_until(r"^read 112 ")
    finally:
        page.close()
        program.stop()
    assert "Traceback" not in program.text()
