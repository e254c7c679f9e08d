"""Damaged characters, and samples without what their task needs."""

import random
from dataclasses import replace

from planting import answering, conversation, with_turns

from streams.samples import Sample

_WORDS = ("café", "naïve", "Müller", "señor", "“yes”", "it’s", "the end — or not", "5 £", "20 °C", "façade", "Ångström")
_FOREIGN = ("привет мир", "добрый вечер", "καλημέρα κόσμε", "日本語の文章", "l’été déjà", "większość", "žlutý kůň")
_MARKS = [chr(code) for code in range(0x300, 0x36F)]


def mojibake(sample: Sample, rng: random.Random) -> Sample:
    """Plant UTF-8 that was read as another encoding, once or twice."""
    damaged = rng.choice((*_WORDS, *_FOREIGN))
    for _ in range(rng.choice((1, 1, 1, 2))):
        damaged = damaged.encode().decode("cp1252", errors="replace").replace("�", rng.choice(("�", "")))
    return _among(sample, damaged, rng)


def replaced(sample: Sample, rng: random.Random) -> Sample:
    """Plant the character that stands for one that was lost."""
    word = rng.choice(sample.turns[-1].text.split(" "))
    place = rng.randrange(len(word) + 1)
    return _among(sample, word[:place] + "�" * rng.randrange(1, 3) + word[place:], rng)


def surrogate(sample: Sample, rng: random.Random) -> Sample:
    """Plant half of a character."""
    return _among(sample, "so " + chr(rng.randrange(0xD800, 0xE000)) + " it goes", rng)


def flood(sample: Sample, rng: random.Random) -> Sample:
    """Plant a word under a heap of marks."""
    word = rng.choice(("come", "void", "he who waits", "hello"))
    return _among(sample, "".join(c + "".join(rng.choices(_MARKS, k=rng.randrange(5, 12))) for c in word), rng)


def incomplete(sample: Sample, rng: random.Random) -> Sample:
    """Plant a sample without an answer, a question or a label, as its task needs it."""
    text, kind = sample.turns[-1].text, rng.randrange(6)
    if kind == 0:
        return with_turns(replace(sample, task="chat"), ("user", "Hello."), ("assistant", "Yes?"), ("user", text))
    if kind == 1:
        return with_turns(replace(sample, task="instruction"), ("user", text))
    if kind == 2:
        return with_turns(replace(sample, task="instruction"), ("assistant", text))
    if kind == 3:
        return with_turns(replace(sample, task="chat"), ("user", "Hi."), ("assistant", "Hm."), ("assistant", text))
    if kind == 4:
        label = rng.choice((None, "", "  "))
        return replace(conversation(sample, rng), task="classification", label=label)
    return replace(with_turns(sample, ("user", text)), task="math", answer=rng.choice((None, "", " ")))


def _among(sample: Sample, planted: str, rng: random.Random) -> Sample:
    words = sample.turns[-1].text.split(" ")
    place = rng.randrange(len(words) + 1)
    return answering(sample, " ".join([*words[:place], planted, *words[place:]]))
