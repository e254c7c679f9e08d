"""Texts whose words are right and whose order, or number, is not, as models write them when they fail.

Each takes a human text and returns a spoilt one; none is made as the local judge's own training faults are.
"""

import random


def swapped(text: str, rng: random.Random) -> str:
    """Mix the words within windows of eight: each part of the text keeps its subject."""
    words = text.split()
    return " ".join(
        word
        for start in range(0, len(words), 8)
        for word in rng.sample(words[start : start + 8], len(words[start : start + 8]))
    )


def stuck(text: str, rng: random.Random) -> str:
    """Begin well, then say one sentence again with a word changed each time."""
    words = text.split()
    start = rng.randrange(len(words) // 3)
    phrase = words[start : start + rng.randint(6, 12)]
    said = words[: start + len(phrase)]
    while len(said) < len(words):
        changed = list(phrase)
        changed[rng.randrange(len(phrase))] = rng.choice(words)
        said += changed
    return " ".join(said)


def telegraphic(text: str, rng: random.Random) -> str:
    """Leave out four of five short words, as a model does that was trained on headlines."""
    return " ".join(word for word in text.split() if len(word) > 3 or rng.random() < 0.2)


def stuttered(text: str, rng: random.Random) -> str:
    """Say every pair of words twice now and then, as a model does that samples at too low a temperature."""
    words = text.split()
    pairs = [words[start : start + 2] for start in range(0, len(words), 2)]
    return " ".join(word for pair in pairs for word in pair * (1 + (rng.random() < 0.25)))
