"""What docs/inside.py counts and adds up, of a network that is made up."""

import types

import numpy as np

import inside

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
    trained = []

    def stage(source, path, iterations):
        trained.append((path.name, iterations))
        return types.SimpleNamespace(run=lambda train: {"read": read, "mnist": parts})

    monkeypatch.setattr(inside, "Stage", stage)
    monkeypatch.setattr("sys.argv", ["inside.py", "--iterations", "7", "3.1"])
    inside.main()
    assert trained == [("mnist_3.1_convolutional_bigger_dropout.py", 7)]
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("| ")] == [
        "| layer | neurons or channels | silent | dead | active |",
        "| 1 | 3 | 1 | 1 | 2.0 of 2 |",
        "| 2 | 4 | 2 | 1 | 0.5 of 2 |",
        "| channel | across | down |",
        "| 1 | 60.0 | 48.0 |",  # 4 lines of 15 pixels with another to the right; 16 lines of 3
        "| 2 | 48.0 | 60.0 |",
        "| 3 | -60.0 | -48.0 |",
    ]
