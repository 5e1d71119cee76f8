# SPDX-License-Identifier: Apache-2.0
"""The process that draws: a program of its own, which gets what a run records and shows it.

    __main__    the way in
    window      a way to show: a window, with a pad to draw a digit on
    files       other ways: pictures for a notebook and for a file, and a film
    picture     six panels and the line of text at the bottom, drawn from a record
    pad         what is drawn on the pad, and its panels
    backends    a figure in a window, by whichever back end of matplotlib works here
    pages       what the back end that shows it in a browser lacks

TensorFlow is not imported here, and nothing of the process that trains. What both know is visu.record, visu.channel,
visu.style, visu.screen and visu.words, and ink.
"""
