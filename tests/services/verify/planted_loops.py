"""Repetitions: turns that come again, and answers that go round in a circle until the tokens end."""

import random

from planting import answering, with_turns

from streams.samples import Sample

_SENTENCES = (
    "The king is not amused.",
    "And then he went on to the next town.",
    "It is important to remember that every person has a story of their own.",
    "I have told you all that I know.",
    "The night was dark and the wind was cold and nobody came.",
    "We are the best of friends, and we will always be the best of friends.",
    "This is a good example of how it works.",
)
_PHRASES = ("and on", "very", "the same", "over and over", "he said", "no", "of the king", "in the end of the day")
_ITEMS = ("Check the lock.", "The importance of family", "Take a deep breath and relax.", "Milk", "Wash your hands.")
_NAMES = ("Anna", "Ben", "Clara", "David", "Eva", "Frank", "Greta", "Hans", "Ida", "Karl", "Lena", "Max")


def loop(sample: Sample, rng: random.Random) -> Sample:
    """Plant an end that goes round: a phrase, a sentence, two sentences, a line, often cut in the middle."""
    head = " ".join(sample.turns[-1].text.split(" ")[: rng.choice((5, 20, 60))])
    one, other = rng.sample(_SENTENCES, 2)
    kinds = (
        " ".join([rng.choice(_PHRASES)] * rng.randrange(30, 90)),
        " ".join([one] * rng.randrange(8, 30)),
        " ".join([one, other] * rng.randrange(5, 20)),
        "\n".join([one] * rng.randrange(8, 30)),
        "\n\n".join([f"{one} {other} {head[:120]}"] * rng.randrange(5, 12)),
    )
    tail = rng.choice(kinds)
    return answering(sample, f"{head} {tail[: len(tail) - rng.randrange(12)]}")


def counted(sample: Sample, rng: random.Random) -> Sample:
    """Plant a list whose items differ in their number alone."""
    item, first = rng.choice(_ITEMS), rng.randrange(1, 5)
    mark = rng.choice(("{}. ", "{}) ", "Step {}: ", "- [{}] "))
    lines = [mark.format(n) + item for n in range(first, first + rng.randrange(12, 50))]
    return answering(sample, f"{sample.turns[-1].text[:200]}\n" + "\n".join(lines))


def varied(sample: Sample, rng: random.Random) -> Sample:
    """Plant a sentence that comes again and again with another name in it."""
    frame = rng.choice(
        (
            "{} is a very good friend of mine and I like {} very much.",
            "Then {} came to the house and asked for a glass of water.",
            "The name of the next student in the list is {}.",
        )
    )
    said = [frame.format(name, name) for name in rng.choices(_NAMES, k=rng.randrange(12, 30))]
    return answering(sample, f"{sample.turns[-1].text[:150]} " + " ".join(said))


def marks(sample: Sample, rng: random.Random) -> Sample:
    """Plant an end of nothing but marks or letters."""
    unit = rng.choice(("!", ".", "ha", "- ", "\\n", "0", "AAA", "_ ", "?!", "= ", "🙂", "~"))
    return answering(sample, f"{sample.turns[-1].text[:200]} {unit * rng.randrange(90, 400)}")


def repeated_turn(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer that an earlier answer gave already, or that only says the question again."""
    text = sample.turns[-1].text
    words = text.split(" ")
    changed = list(words)
    changed[rng.randrange(len(words))] = rng.choice(("indeed", "truly", "thus"))
    question = rng.choice(("And then?", "Are you sure of that?", "Say it in other words, please.", "Go on with it."))
    again = rng.choice((text, " ".join(changed), text.upper(), "\n".join(words), text + " So."))
    if rng.random() < 0.2:
        return with_turns(sample, ("user", text), ("assistant", rng.choice((text, text.rstrip(".") + "."))))
    return with_turns(sample, ("user", "Go on."), ("assistant", text), ("user", question), ("assistant", again))
