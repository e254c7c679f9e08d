"""Faults that `consistency` is for, as models make them; each takes a sample and gives it back with the fault."""

import random
from collections.abc import Callable
from dataclasses import replace

from streams.samples import Sample, Turn, content_hash, digest

_FOREIGN = {
    "de": "Der Zug fährt um acht Uhr vom alten Bahnhof ab und hält in jedem kleinen Dorf. Am Abend sitzen die Leute "
    "vor dem Haus und reden über das Wetter und die Ernte. Wer zu spät kommt, muss auf den nächsten Bus "
    "warten. Die Stadt hat in den letzten Jahren viele neue Schulen gebaut. Niemand weiß genau, warum die "
    "Brücke geschlossen wurde. Im Winter liegt der Schnee oft bis zum März auf den Feldern. Meine Großmutter "
    "erzählte uns jeden Sonntag eine andere Geschichte. Das Wasser im Fluss ist nach dem Regen stark "
    "gestiegen. Er legte den Brief auf den Tisch und ging wortlos hinaus. Zwischen den Bergen liegt ein See, "
    "den kaum ein Fremder kennt.",
    "fr": "Le train part à huit heures de la vieille gare et s'arrête dans chaque village. Le soir, les gens sont "
    "assis devant la maison et parlent du temps et de la récolte. Celui qui arrive trop tard doit attendre le "
    "bus suivant. La ville a construit beaucoup de nouvelles écoles ces dernières années. Personne ne sait "
    "exactement pourquoi le pont a été fermé. En hiver, la neige reste souvent sur les champs jusqu'en mars. "
    "Ma grand-mère nous racontait chaque dimanche une autre histoire. L'eau de la rivière a beaucoup monté "
    "après la pluie. Il posa la lettre sur la table et sortit sans un mot. Entre les montagnes se trouve un "
    "lac que peu d'étrangers connaissent.",
    "es": "El tren sale a las ocho de la vieja estación y se detiene en cada pueblo. Por la tarde la gente se sienta"
    " delante de la casa y habla del tiempo y de la cosecha. Quien llega tarde tiene que esperar el próximo "
    "autobús. La ciudad ha construido muchas escuelas nuevas en los últimos años. Nadie sabe exactamente por "
    "qué cerraron el puente. En invierno la nieve queda a menudo en los campos hasta marzo. Mi abuela nos "
    "contaba cada domingo otra historia. El agua del río ha subido mucho después de la lluvia. Dejó la carta "
    "sobre la mesa y salió sin decir palabra. Entre las montañas hay un lago que pocos forasteros conocen.",
    "cs": "Vlak odjíždí v osm hodin ze starého nádraží a staví v každé malé vesnici. Večer sedí lidé před domem a "
    "mluví o počasí a o úrodě. Kdo přijde pozdě, musí počkat na další autobus. Město v posledních letech "
    "postavilo mnoho nových škol. Nikdo přesně neví, proč byl most uzavřen. V zimě leží sníh na polích často "
    "až do března. Moje babička nám každou neděli vyprávěla jiný příběh. Voda v řece po dešti silně stoupla. "
    "Položil dopis na stůl a beze slova odešel. Mezi horami leží jezero, které zná málokterý cizinec.",
}
_REMARKS = (
    "In conclusion, it is important to note that this matter has many sides.",
    "Let me know if you would like me to continue.",
    "To summarise what was said above, the main point remains the same.",
    "There are several things to consider here, and each of them matters.",
    "Of course, the answer depends on the circumstances of the case.",
    "As mentioned before, one should look at the whole picture first.",
)


def gibberish(sample: Sample, rng: random.Random) -> Sample:
    """Put syllables that are no words in place of the words, as a model at far too high a temperature does."""
    count = len(_text(sample).split())
    said = ("".join(rng.choices("bcdfghjklmnprstvaeiouy", k=rng.randint(2, 9))) for _ in range(count))
    return _with(sample, " ".join(said), "gibberish", rng)


def foreign(sample: Sample, rng: random.Random) -> Sample:
    """Go on in another language."""
    sentences = _FOREIGN[rng.choice(sorted(_FOREIGN))].split(". ")
    rng.shuffle(sentences)
    return _with(sample, _cut(". ".join(sentences), sample), "foreign", rng)


def looping(sample: Sample, rng: random.Random) -> Sample:
    """Say the same few words of the text again and again, as a model at far too low a temperature does."""
    words = _text(sample).split()
    start = rng.randrange(len(words) - 8)
    loop = words[start : start + rng.randint(2, 6)]
    return _with(sample, " ".join(loop * (len(words) // len(loop) + 1)), "looping", rng)


def rambling(sample: Sample, rng: random.Random) -> Sample:
    """Do not come to an end."""
    said = [_text(sample), *rng.choices(_REMARKS, k=rng.randint(4, 30))]
    return _with(sample, " ".join(said), "rambling", rng)


def curt(sample: Sample, rng: random.Random) -> Sample:
    """Say next to nothing."""
    words = _text(sample).split()
    return _with(sample, " ".join(words[: rng.randint(3, 12)]) + ".", "curt", rng)


def off_domain(sample: Sample, rng: random.Random) -> Sample:
    """Answer with a table of figures, which nobody asked for."""
    rows = []
    while sum(map(len, rows)) < len(_text(sample).split()):
        rows.append(
            [f"region{rng.randint(1, 40)}", f"{rng.uniform(1, 900):.1f}", "percent", str(rng.randint(1990, 2030))]
        )
    return _with(sample, "\n".join(" ".join(row) for row in rows), "off domain", rng)


def mislabelled(sample: Sample, rng: random.Random) -> Sample:
    """Make up a label that is not one of the task's."""
    label = f"{sample.label or 'other'}{rng.choice(('s', ' (likely)', '?', '_2', ' or none'))}"
    return replace(sample, sample_id=_id(sample, "mislabelled", rng), label=label)


TEXTS: dict[str, Callable[[Sample, random.Random], Sample]] = {
    "gibberish": gibberish,
    "foreign": foreign,
    "looping": looping,
    "rambling": rambling,
    "curt": curt,
    "off domain": off_domain,
}


def _text(sample: Sample) -> str:
    return sample.turns[-1].text


def _cut(text: str, sample: Sample) -> str:
    return " ".join(text.split()[: len(_text(sample).split())])


def _with(sample: Sample, text: str, fault: str, rng: random.Random) -> Sample:
    turns = (*sample.turns[:-1], Turn(role=sample.turns[-1].role, text=text))
    contents = content_hash(sample.task, turns)
    return replace(sample, sample_id=_id(sample, fault, rng), content_hash=contents, turns=turns)


def _id(sample: Sample, fault: str, rng: random.Random) -> str:
    return digest(fault, sample.sample_id, rng.getrandbits(62))
