"""How panels stand in the picture, and that what is redrawn looks as if it were drawn anew."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from made_up_run import RUN, STATUS, pixels, point
from visu.drawing.picture import file_picture
from visu.record import Bands, Picture
from visu.style import LAYOUTS


def texts_of(picture):
    """All texts that can be seen."""
    texts = [picture.status.left, picture.status.right]
    for panel in picture.panels:
        if panel.is_visible():
            axes = panel.axes
            texts.append(axes.title)
            for labels, (low, high) in (
                (axes.get_xticklabels(), sorted(axes.get_xlim())),
                (axes.get_yticklabels(), sorted(axes.get_ylim())),
            ):
                texts += [label for label in labels if low <= max(label.get_position(), key=abs) <= high]
            texts += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in texts if text.get_text()]


@pytest.mark.parametrize("size", [(19.2, 10.8), (54.9, 30.9), (6, 4), (10, 20), (24, 5)])
@pytest.mark.parametrize("key", sorted(LAYOUTS))
def test_a_layout_shows_its_panels_and_nothing_overlaps_or_is_cut_off(picture, key, size):
    picture.figure.set_size_inches(*size)
    picture.fit_to_size()
    picture.show_layout(key)
    name = "mnist_2.2_five_layers_relu_lrdecay_dropout \u00b7 epoch 17 \u00b7 best test accuracy 0.9820 \u00b7 finished"
    pace = "iteration 10,000 of 10,000 \u00b7 1,000 iterations/s \u00b7 0:00:01 left \u00b7 learning rate 0.00012"
    picture.update([name, pace])
    picture.figure.canvas.draw()
    shown = {number for line in LAYOUTS[key] for number in line}
    visible = {number for number, panel in enumerate(picture.panels, start=1) if panel.is_visible()}
    assert visible == shown
    frames = [picture.panels[number - 1].axes.get_position() for number in shown]
    for frame in frames:
        assert 0 < frame.x0 < frame.x1 < 1 and 0 < frame.y0 < frame.y1 < 1
        assert sum(frame.overlaps(other) for other in frames) == 1  # itself
    whole, boxes = picture.figure.bbox, [text.get_window_extent() for text in texts_of(picture)]
    for text, box in zip(texts_of(picture), boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, text
        assert sum(box.overlaps(other) for other in boxes) == 1, text


def test_what_is_redrawn_looks_like_what_is_drawn_anew(picture, record):
    """After new data, a zoom and its reset, and other layouts: each is shown after several others."""
    picture.figure.canvas.draw()
    anew = file_picture(RUN, record)
    for key in "0160zh01z20h3z6h045678902":
        for each in (picture, anew):
            if key == "z":
                for panel in each.panels:
                    panel.axes.set_xlim(100, 200)
                each.figure.canvas.draw()
            elif key == "h":  # of panels, too, that are hidden and were zoomed when they were seen
                each.reset_zooms()
            else:
                each.show_layout(key)
        record.add(point("training", 200, 0.7, 30))
        record.add(Picture("test", 0, np.full([700, 1120, 3], ord(key), np.uint8)))
        picture.redraw(picture.update(["new", key]))
        anew.fit_to_size()  # nothing is remembered then
        anew.update(["new", key])
        anew.figure.canvas.draw()
        assert key == "z" or (pixels(picture) == pixels(anew)).all()


def test_a_file_looks_as_the_screen_does(picture):
    picture.figure.canvas.draw()
    shown, file = pixels(picture), io.BytesIO()
    picture.figure.savefig(file, format="png")
    assert (np.array(Image.open(file))[..., :3] == shown).all()


def test_dollars_in_a_name_are_letters_and_begin_no_formula(picture):
    widths = []
    for name in ("$x$", "xx", "x"):
        picture.update([name, ""])
        picture.figure.canvas.draw()
        widths.append(picture.status.left.get_window_extent().width)
    assert widths[0] > widths[1] > widths[2]


def test_digits_are_as_large_in_a_file_of_shapes_as_on_the_screen(picture):
    file = io.StringIO()
    picture.figure.savefig(file, format="svg", dpi=picture.figure.dpi)
    sizes = [
        tuple(float(re.search(rf' {side}="([\d.]+)"', image).group(1)) for side in ("width", "height"))
        for image in re.findall(r"<image [^>]*>", file.getvalue())
    ]
    frames = [picture.panels[number].axes.get_window_extent() for number in (2, 5)]
    points = [(72 * frame.width / picture.figure.dpi, 72 * frame.height / picture.figure.dpi) for frame in frames]
    assert len(sizes) == 2 and np.allclose(sizes, points, atol=1.5)


def test_only_what_changed_is_redrawn(picture, record):
    assert picture.update(STATUS) == []
    record.add(point("training", 220, 0.7, 30))
    assert picture.update(STATUS) == picture.panels[:2]
    record.add(point("test", 220, 0.7, 30))
    assert picture.update(STATUS) == picture.panels[:2]
    record.add(Bands(220, np.arange(8), np.arange(8), None, None))
    assert picture.update(STATUS) == picture.panels[3:5]
    record.add(Picture("test", 0, record.pictures["test"].pixels.copy()))
    assert picture.update(["changed", STATUS[1]]) == [picture.panels[5], picture.status]
    record.add(Picture("training", 0, record.pictures["training"].pixels.copy()))
    assert picture.update(["changed", "changed"]) == [picture.panels[2], picture.status]
    picture.show_layout("6")
    record.add(point("training", 240, 0.7, 30))
    assert picture.update(STATUS) == [picture.panels[5], picture.status]


def test_letters_grow_with_the_window_up_to_three_times_and_shrink_to_three_quarters(picture):
    for size, points in (((19.2, 10.8), 15), ((38.4, 30), 30), ((50, 21.6), 30), ((80, 45), 45), ((4, 3), 11.25)):
        picture.figure.set_size_inches(*size)
        picture.fit_to_size()
        assert {panel.axes.title.get_fontsize() for panel in picture.panels} == {points}


def test_in_a_flat_or_narrow_window_what_is_drawn_keeps_most_of_the_room(picture):
    for size in ((10, 2), (2, 10), (3, 1)):
        picture.figure.set_size_inches(*size)
        picture.fit_to_size()
        box = picture.panels[1].axes.get_position()  # of six, beside and below margins, and above the last line
        assert box.width > 0.59 / 3 and box.height > 0.59 / 2 * 0.59
        assert picture.status.left.get_position()[0] < 0.051


def test_a_window_may_be_as_small_as_a_pixel(picture):
    for size in ((1 / 70, 1 / 70), (19.2, 1 / 70)):
        picture.figure.set_size_inches(*size)
        picture.fit_to_size()
        picture.update([f"{size}", "smaller"])
        picture.figure.canvas.draw()
