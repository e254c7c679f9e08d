"""Marks that show that a model wrote a text, however human its file says that it is.

What a chat's interface leaves in what is copied from it, a chat template's tokens, a model that speaks of itself, an
assistant's opening, and many of the words that models use far more than people do (Kobak et al., "Delving into
LLM-assisted writing in biomedical publications through excess vocabulary", 2025). What is quoted does not count.
A text without a mark may still be a model's: nobody can tell from one text alone.
"""

import re
from collections.abc import Iterator

from services.faults.fault import Fault
from services.faults.leaks import control_token
from services.faults.quoted import unquoted
from streams.samples import Sample
from streams.words import words

_LONGEST = 80
_WRITERS = frozenset({"document", "assistant"})
_INTERFACE_CUES = ("cite", "citation", "†", "utm_source=", "grok", "attached_file", "turn0")
_INTERFACE = re.compile(
    r"contentReference\[oaicite|\[?oaicite:\d|\boai_?citation\b|\bcite(?:turn\d+[a-z]+\d+)+"
    r"|\bturn0(?:search|view|news|file|fetch|image)\d|【\d+(?::\d+)?†[^】\n]{0,60}】"
    r"|[?&]utm_source=(?:chatgpt\.com|openai|copilot\.com|perplexity|claude\.ai)\b"
    r"|\[cite_start\]|\[cite: ?\d|\bgrok_(?:card|render)|<grok:|\[attached_file:\d"
)
_ALONE = r"(?:(?:a|an|just|only|merely|simply) )*"
_MODEL = (
    r"(?:(?:large |ai |text-based ai )?language model|ai(?: (?:assistant|model|chatbot))?|artificial intelligence|llm)"
)
_MAKER = r"(?:(?:trained|developed|created|designed) by [\w ]{2,30},? )?"
_SELF_CUES = (
    " ai", "language model", "llm", "artificial", "my knowledge", "my training", "my last", "not have", "n't have",
)  # fmt: skip
_SELF = re.compile(
    rf"\bas {_ALONE}{_MODEL},? {_MAKER}i(?:'m|'ve)?\b"
    rf"|\bi(?:'m| am) {_ALONE}{_MODEL}(?=[,.;]| (?:and|so|trained|created|developed|designed|without|that|built)\b)"
    r"|\bmy (?:knowledge cut-?off|training data|last (?:knowledge |training )?update)\b"
    r"|\bas of my (?:last|latest) (?:knowledge |training )?(?:update|cut-?off)"
    r"|\bi (?:don't|do not) have (?:real-time access|access to (?:real-time|current|the internet)"
    r"|the ability to browse|personal (?:opinions|experiences|feelings|beliefs))"
)
_OPENING = re.compile(
    r"(?:certainly|absolutely|of course|sure(?: thing)?|great question|good question)!\s+(?:here(?:'s| is| are)\b"
    r"|below (?:is|are)\b|i(?:'d| would) be (?:happy|glad|delighted) to\b|let(?:'s| me)\b|i'll\b|i can\b)"
    r"|here(?:'s| is) (?:a|the|your) (?:\w+ ){0,2}(?:rewritten|rephrased|revised|polished|paraphrased|condensed)"
    r" (?:\w+ )?(?:version|draft|text|passage|paragraph|sentence)\b"
)
_EXCESS = re.compile(
    r"\b(?:delv(?:e|es|ed|ing)|tapestry|multifaceted|underscor(?:es|ed|ing)|showcas(?:e|es|ed|ing)|pivotal"
    r"|intricat(?:e|ely|acies)|meticulous(?:ly)?|realm|seamless(?:ly)?|foster(?:s|ing)|nuanced?s?|vibrant"
    r"|embark(?:s|ing)?|leverag(?:e|es|ing)|holistic|transformative|groundbreaking|commendable|noteworthy|invaluable"
    r"|unwavering|bolster(?:s|ing)?|harness(?:es|ing)?|elevat(?:es|ing)|unveil(?:s|ing)?|resonat(?:es|ing)|robust"
    r"|comprehensive|crucial|ever-evolving|game-changer|testament to|treasure trove|rich history|stands as"
    r"|plays a (?:crucial|vital|pivotal|significant) role|it(?:'s| is) (?:important|worth|crucial) to note"
    r"|in today's (?:\w+ ){0,2}world|whether you're|not only .{3,60} but also|in conclusion"
    r"|navigat(?:e|ing) the (?:complexities|landscape|world))\b"
)
_FEWEST_EXCESS = 5  # distinct ones
_WORDS_EACH = 40  # words of the text to one of them at most


def model_mark(sample: Sample) -> Fault | None:
    """Return the first mark: the interface's and a template's in any turn, the others where an author speaks."""
    return control_token(sample) or next(_marks(sample), None)


def _marks(sample: Sample) -> Iterator[Fault]:
    for number, turn in enumerate(sample.turns):
        if any(cue in turn.text for cue in _INTERFACE_CUES) and (found := _INTERFACE.search(turn.text)):
            yield _fault("interface", "what a chat's interface leaves", number, found.start(), found[0])
        if turn.role in _WRITERS:
            yield from _spoken(number, unquoted(turn.text.lower().replace("’", "'")))


def _spoken(number: int, said: str) -> Iterator[Fault]:
    if any(cue in said for cue in _SELF_CUES) and (found := _SELF.search(said)):
        yield _fault("self", "a model that speaks of itself", number, found.start(), found[0])
    if found := _OPENING.match(said.lstrip()):
        yield _fault("opening", "an assistant's opening", number, 0, found[0])
    excess = list(_EXCESS.finditer(said))
    distinct = sorted({match[0] for match in excess})
    if len(distinct) >= _FEWEST_EXCESS and len(distinct) * _WORDS_EACH >= len(words(said)):
        told = f"{len(distinct)} words that models use far more than people do, the first"
        yield _fault("vocabulary", told, number, excess[0].start(), ", ".join(distinct))


def _fault(kind: str, what: str, number: int, place: int, text: str) -> Fault:
    evidence = {"kind": kind, "turn": str(number), "place": str(place), "text": text[:_LONGEST]}
    return Fault(evidence, f"Turn {number} holds {what} at character {place}.")
