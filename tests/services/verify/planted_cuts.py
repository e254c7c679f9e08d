"""Answers that stop in the middle, as they do when the tokens run out."""

import random
import re

from planting import answering, conversation

from streams.samples import Sample

_CODE = (
    "```python\ndef total(items):\n    all = 0\n    for item in items:\n        all += item\n    return all\n```",
    "```js\nconst names = people.map((p) => p.name);\nconsole.log(names.join(', '));\n```",
    "```sql\nSELECT name, count(*)\nFROM plays\nGROUP BY name\nORDER BY 2 DESC;\n```",
    "```\n$ make all\n$ make test\n$ make install\n```",
)
_POINTS = (
    "**Prepare the ground.** Remove all stones and weeds.",
    "**Sow the seeds.** Put them two inches apart.",
    "**Water them.** Do it in the morning.",
    "**Wait.** It takes ten days.",
    "**Thin them out.** Keep the strongest ones.",
    "**Harvest.** Do so before the first frost.",
)
_PROSE = (
    (
        "The castle stands on a rock above the river. Nobody has lived in it for a hundred years. Its walls are thick, "
        "and its windows are so narrow that little light gets in. In the great hall there is still a table."
    ),
    (
        "A solar eclipse happens when the moon comes between the sun and the earth. The shadow is small, so only a few "
        "people see it at a time. It is dangerous to look at it without a filter. The next one is years away."
    ),
    (
        "First you should think about what you want to say. Then write it down in short sentences. Read it aloud, "
        "because "
        "the ear hears what the eye does not see. At last, ask someone else to read it and listen to what they say."
    ),
)


def cut_prose(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer of some sentences that ends in the middle of one, perhaps of a word."""
    asked = conversation(sample, rng)
    text = rng.choice((" ", "\n\n", "\n")).join(rng.sample(_PROSE, 3))
    text = text[: rng.randrange(len(text) // 3, len(text))]
    return answering(asked, re.sub(r"[\s.!?]+$", "", text))


def cut_code(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer whose block of code never ends."""
    asked, code = conversation(sample, rng), rng.choice(_CODE)
    place = rng.randrange(code.index("\n") + 4, len(code) - 5)
    said = rng.choice(("Do it like this:", "This program does it.", "Here you see how it works:"))
    return answering(asked, f"{said}\n\n{code[:place]}")


def cut_list(sample: Sample, rng: random.Random) -> Sample:
    """Plant a list whose last item has only begun."""
    asked, count = conversation(sample, rng), rng.randrange(2, 6)
    points = rng.sample(_POINTS, count)
    mark = rng.choice(("{}. ", "{}) ", "- ", "* "))
    lines = [mark.format(n) + point for n, point in enumerate(points, 1)]
    last = mark.format(count + 1) + rng.choice(("", "**", "**Keep", "**Mind the"))
    said = rng.choice(("These steps are needed.", "It goes like this.", "Mind the order."))
    return answering(asked, "\n".join([said, "", *lines, last.rstrip()]))


def cut_phrase(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer that ends on a comma, an opened bracket or quotation, or a word that can't be the last."""
    asked = conversation(sample, rng)
    ends = ("the road was long,", "he met an old man (who", 'and she said, "I will', "because of the", "they came to a")
    more = ("the most important of these is that the", "it depends on the kind of", "this leads to an", "[see the")
    return answering(asked, f"{rng.choice(_PROSE)} Then {rng.choice((*ends, *more))}")
