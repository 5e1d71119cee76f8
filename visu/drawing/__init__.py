# SPDX-License-Identifier: Apache-2.0
"""The process that draws: a program of its own, which gets the numbers of a run and shows them.

    __main__    the way in: messages come through standard input, replies go out
    history     what there is to draw of a run
    status      the line at the bottom, in words
    parts       what is drawn by itself: a part of the picture, the line at the bottom
    panels      parts with axes: curves and bands
    digits_panel    and the pictures of digits
    picture     six panels and the line on a figure, from a history
    show        what all ways to show a run have in common
    window, files, film    the ways: a window, pictures for a notebook and for a file, a film
    pages       a window that is a page in a browser
    pad, pad_panels, pad_window, pen    a pad to draw a digit on
    backends    a window of whichever back end of matplotlib works here

TensorFlow is not imported here, and nothing of the process that trains. What both know is visu.style, visu.channel,
visu.screen and visu.words.
"""
