"""What docs/inside.py counts and adds up, of a network that is made up."""

import types

import numpy as np

import inside
from stage_runs import text_only

ALWAYS = 5  # what the channels are above, even of an empty image


def read(images):
    """Channels that count pixels with ink to the right of them, and below them, and one that is never above 0.

    The second layer has neurons that see ink in a test digit only, in a training digit only, in both, and in none.
    """
    ink = images[..., 0]
    beside = ink[:, :-1, :-1] * ink[:, :-1, 1:]
    below = ink[:, :-1, :-1] * ink[:, 1:, :-1]
    maps = np.stack([beside + ALWAYS, below + ALWAYS, -beside], axis=3)
    first, second = ink[:, 0, 0], ink[:, 0, 1]
    return [np.zeros([len(images), 10]), maps, np.stack([first, second, first + second, -first], axis=1)]


def test_what_is_silent_dead_and_active_and_what_bars_add_up_to(monkeypatch, capsys):
    test, training = np.zeros([1000, 28, 28, 1], np.float32), np.zeros([1500, 28, 28, 1], np.float32)
    test[:250, 0, 0], training[700:, 0, 1] = 1, 1
    parts = types.SimpleNamespace(
        test=types.SimpleNamespace(images=test, num_examples=1000), train=types.SimpleNamespace(images=training)
    )

    class Stage:
        def __init__(self, source, path, iterations):
            assert source == path.read_text(encoding="utf-8") and iterations == 7
            self.is_dense = path.name == "mnist_2.1_five_layers_relu_lrdecay.py"

        def run(self, train):
            print("what the training says")
            assert train is text_only
            return {"read": read_dense if self.is_dense else read, "mnist": parts}

    def read_dense(images):
        answers, _, dense = read(images)
        return [answers, dense]

    monkeypatch.setattr(inside, "Stage", Stage)
    monkeypatch.setattr("sys.argv", ["inside.py", "--iterations", "7", "1.0", "2.1", "3.1"])
    inside.main()
    head = ["", "| layer | neurons or channels | silent | dead | active |", "|---|---|---|---|---|"]
    assert capsys.readouterr().out.splitlines() == [
        "",
        "mnist_1.0_softmax.py",  # whose layer is no convolution
        *head,
        "| 1 | 3 | 1 | 1 | 2.0 of 2 |",
        "| 2 | 4 | 2 | 1 | 0.5 of 2 |",
        "",
        "mnist_2.1_five_layers_relu_lrdecay.py",
        *head,
        "| 1 | 4 | 2 | 1 | 0.5 of 2 |",
        "",
        "mnist_3.1_convolutional_bigger_dropout.py",
        *head,
        "| 1 | 3 | 1 | 1 | 2.0 of 2 |",
        "| 2 | 4 | 2 | 1 | 0.5 of 2 |",
        "",
        "| channel | across | down |",
        "|---|---|---|",
        "| 1 | 60.0 | 48.0 |",  # 4 lines of 15 pixels with another to the right; 16 lines of 3
        "| 2 | 48.0 | 60.0 |",
        "| 3 | -60.0 | -48.0 |",
    ]


def test_without_numbers_of_stages_it_is_those_that_the_lesson_looks_into_as_long_as_they_train(monkeypatch):
    reported = []
    monkeypatch.setattr(inside, "report", lambda *arguments: reported.append(arguments))
    monkeypatch.setattr("sys.argv", ["inside.py"])
    inside.main()
    assert reported == [(number, None) for number in ("1.0", "2.1", "2.2", "3.1")]


def test_a_bar_is_in_the_middle_and_lies_or_stands():
    lying, standing = inside.bar(lies=True)[0, :, :, 0], inside.bar(lies=False)[0, :, :, 0]
    assert (lying == lying[::-1, ::-1]).all() and (standing == lying.T).all()
    assert lying.any(axis=1).sum() == 4 and lying.any(axis=0).sum() == 16
