"""How assistants refuse, excuse themselves and make small talk at the beginning of a turn, and at its end.

What is quoted does not count, nor what lies in the middle: people in a novel refuse too. Wordings name what only an
assistant says: the acts that it is asked for, and itself. Few texts hold a wording's cue, so few meet its pattern.
"""

import re
from typing import Literal, NamedTuple

from services.faults.quoted import unquoted

Kind = Literal["refusal", "boilerplate"]

_HEAD, _TAIL = 300, 250  # characters that are looked at

_ACT = (
    r"(?: directly| really| actually| simply| in good conscience)?(?: assist\b| fulfil| comply with\b| provide\b|"
    r" generate\b"
    r"| create (?:content|this|that|any|an?)\b| produce\b| reproduce\b| (?:engage|participate) (?:in|with)\b|"
    r" access\b| browse\b"
    r"| summari[sz]e\b| rewrite\b| rephrase\b| paraphrase\b| translate (?:this|that|the)\b| depict\b| role-?play|"
    r" proceed with\b"
    r"| help (?:you )?(?:with|by|out|to|in)\b| discuss (?:this|that)\b| respond to (?:this|that|your)\b| assume the"
    r" role"
    r"| continue (?:this|that|with (?:this|that)|writing|the (?:story|text|passage|conversation))\b"
    r"| answer (?:this|that|your) (?:question|query)| do that for you| see images| view (?:images|files|links)"
    r"| write (?:this|content|about|a (?:story|poem|text|scene)|code|something|explicit|fiction)\b"
    r"| share (?:this|personal|private|that kind|information)\b| offer (?:medical|legal|advice|guidance)"
    r"| give (?:you )?(?:medical|legal|financial|personal|advice|instructions)| process (?:this|that|your)"
    r"| (?:support|promote|condone|facilitate) (?:this (?:kind|type|sort|request)|violence|harm|illegal|hate)"
    r"| open (?:links|urls|files)| complete (?:this|that|your) (?:request|task))"
)
_AI = (
    r"(?:ai(?:[- ](?:language model|assistant|model|system|chatbot|program|agent))?|artificial intelligence|llm|chatbot"
    r"|(?:large )?language model|virtual assistant|machine learning model|(?:text|ai)-based (?:ai|assistant|model))"
)
_ADJECTIVES = (
    r"(?:(?:a|an|just|only|merely|simply|responsible|ethical|helpful|harmless|and|safe|large|open|friendly|honest) )*"
)
_DENIED = r"(?:can't|cannot|can not|won't|will not|don't|do not|(?:'m|am) (?:not able|unable|not going) to)"
_REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (
            "can't",
            "cannot",
            "can not",
            "won't",
            "will not",
            "don't",
            "do not",
            "unable to",
            "not able to",
            "not going to",
        ),
        rf"i ?{_DENIED}{_ACT}",
    ),
    (
        ("unable to", "not able to", "not programmed to", "not designed to", "not allowed to", "not permitted to"),
        rf"(?:unable|not able|not programmed|not designed|not allowed|not permitted) to{_ACT}",
    ),
    (
        ("sorry", "apolog"),
        (
            r"(?:sorry|apologi[sz]e|apologies),?(?: but)?,? (?:(?:i|we)(?: can't| cannot| can not| won't| am not able|"
            r" am unable|'m unable"
            r"|'m not able| don't| do not)\b(?! (?:help|but|choose) )|(?:i'm|that's|this is|as an) (?:not|unable|ai|a"
            r" language)\b)"
        ),
    ),
    (
        (" ai ", " ai,", " ai-", " ai.", " ai!", "artificial", "language model", "chatbot", "llm", "assistant"),
        (
            rf"as {_ADJECTIVES}{_AI}(?=[,.;:]| i\b| (?:trained|developed|created|designed|without|like me)\b)"
            rf"|i(?:'m| am) {_ADJECTIVES}{_AI}\b(?! (?:researcher|engineer|developer|expert|student|scientist))"
            rf"|being {_ADJECTIVES}{_AI},"
        ),
    ),
    (
        ("my training", "my programming", "my knowledge", "my last", "my safety", "my ethical", "my latest", "my most"),
        (
            r"my (?:training data|programming|knowledge cut-?off|last (?:knowledge )?update"
            r"|(?:safety|ethical) guidelines)"
            r"|as of my (?:last|latest|most recent|knowledge)\b"
        ),
    ),
    (
        ("t have ", "not have ", "currently have ", "also have "),
        (
            r"i (?:currently |also )?(?:don't|do not) (?:currently )?have (?:direct )?(?:real-time|feelings|(?:enough"
            r"|sufficient) "
            r"(?:information|context|details)|the (?:ability|capability|capacity) to|access to (?:real|current|live"
            r"|up-to-date"
            r"|the internet|external|personal|your|any|information)|personal (?:opinions|experiences|feelings|beliefs"
            r"|preferences|memories))"
        ),
    ),
    (
        ("polic", "guideline", "programming", "terms of"),
        (
            r"(?:against|violates?|in line with|align(?:ed|s)? with|contrary to) (?:my|our|openai's|anthropic's"
            r"|google's|the) "
            r"(?:[\w-]+ ){0,3}(?:policy|policies|guidelines|programming|terms of)|against ethical guidelines"
        ),
    ),
    (
        ("for me to", "not within my"),
        r"\b(?:not |in|un)(?:appropriate|ethical|possible) (?:or ethical )?for me to\b|not within my\b",
    ),
    (
        ("decline",),
        (
            r"\bi(?: must| have to| need to| will have to| would have to|'ll have to|'m going to have to"
            r"|'m afraid i must) (?:respectfully |politely |kindly )?decline(?: (?:to|this|that|your)\b|[.,:;]|$)"
        ),
    ),
    (
        ("prefer not to", "rather not"),
        (
            r"i(?:'d| would) (?:prefer not to|rather not) (?:write|create|generate|provide|produce|help|assist|share"
            r"|continue"
            r"|rewrite|reproduce|summari[sz]e|give|engage)"
        ),
    ),
    (
        ("not something", "t something", "not a topic", "t a topic", "not content", "t content"),
        r"(?:not|isn't) (?:something|a topic|content) (?:that )?i(?:'m| am)? (?:can|could|able|comfortable|willing)\b",
    ),
    (
        ("comfortable",),
        r"i(?:'m| am)? (?:don't|do not|not) (?:feel )?comfortable (?:with )?(?:\w+ing\b|this\b|that\b|your\b)",
    ),
    (
        (
            "t provide",
            "t include",
            "t share",
            "t paste",
            "t attach",
            "not provide",
            "not include",
            "forgot to",
            "actually ",
            "your message",
        ),
        (
            r"you(?: \w+)? (?:haven't|have not|didn't|did not|forgot to) (?:actually )?(?:provide|include|share|paste"
            r"|attach|supply)"
            r"|(?:no|any) (?:text|passage|content|question|sentence|input) in your (?:message|request|prompt)"
        ),
    ),
    (
        ("programmed", "designed to", "trained to"),
        r"i(?:'m| am) (?:programmed|designed|trained) (?:not )?to (?:be|provide|avoid|help|assist)\b",
    ),
)
_WORDINGS = [re.compile(rf"\b(?:{pattern})") for _, pattern in _REFUSALS]
# Several cues have a piece in common, so that most texts are asked for few pieces instead of many cues.
_PIECES = ("programm", " ai", "ed to", "t hav", "provid", "inclu", "omething", "n't", "abl", "my la", "not", "line",
           "pol", "r m", "my ")  # fmt: skip


def _by_piece() -> dict[str, list[tuple[str, int]]]:
    """Return the cues, each with the number of its wording, by the first piece that they hold, or by themselves."""
    found: dict[str, list[tuple[str, int]]] = {}
    for number, (cues, _) in enumerate(_REFUSALS):
        for cue in cues:
            piece = next((piece for piece in _PIECES if piece in cue), cue)
            found.setdefault(piece, []).append((cue, number))
    return found


_CUES = _by_piece()
_FIRST_WORDS = ("sure", "certainly", "of course", "absolutely", "definitely", "okay", "ok", "alright", "great", "good",
                "excellent", "fantastic", "interesting", "got it", "no problem", "gladly", "understood", "here",
                "thank", "i'd be", "i would be", "as requested")  # fmt: skip
_OPENS = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|absolutely|definitely|okay|ok|alright|great|got it|no problem|gladly"
    r"|understood)[!,.:]+\s+"
    r"(?:here(?:'s| is| are)|below|(?:i'd|i would) be (?:happy|glad|delighted)|i can (?:certainly|definitely|help)"
    r"|let me (?:give|help|rewrite|write|provide)|i'll (?:help|provide|write|rewrite|create)|i've (?:written"
    r"|rewritten|created)"
    r"|the following is)\b"
    r"|here(?:'s| is| are)(?: (?:a|an|the|your|my|one))?(?: possible| new| short| slightly| more)* (?:rewritten"
    r"|rewrite|revis|"
    r"rephras|paraphrase|reword|reworked|improved version|updated version|new version)"
    r"|(?:great|good|excellent|fantastic|interesting) question[!.]"
    r"|thank you for (?:your|the) (?:question|request|prompt|query|patience)\b"
    r"|i(?:'d| would) be (?:more than )?(?:happy|glad|delighted) to (?:help|assist|rewrite|write|provide)"
    r"|as requested, (?:here|below)"
)
_LAST_WORDS = (
    "hope ",
    "let me know",
    "feel free",
    "anything else",
    "something else",
    "questions",
    "would you like me",
    "please note",
)
_CLOSES = re.compile(
    r"\bhope (?:that |this |it |these |the \w+ )+(?:\w+ )?(?:helps|helped|clarifies|answers|meets|works for|suits"
    r"|captures|satisfies"
    r"|is (?:helpful|useful|what you))"
    r"|\blet me know if (?:you|there|this|that|i)\b"
    r"|\bfeel free to (?:ask|let me know|modify|adjust|adapt|customi[sz]e|reach out|use this|edit|change)\b"
    r"|\bis there (?:anything|something) else (?:i|you|that)\b"
    r"|\bif you have any (?:\w+ ){0,2}questions\b.{0,80}\b(?:here to help|feel free|let me know|ask|happy to)\b"
    r"|\bwould you like me to (?:\w+ )?(?:write|continue|create|make|add|change|rewrite|expand|provide|explain|try"
    r"|revise|adjust)\b"
    r"|\bplease note that (?:this|i|the) .{0,60}\b(?:ai|language model|generated|fictional)\b"
)


class Found(NamedTuple):
    """What was said: its kind, its words in lower case, and whether it stands at the beginning or at the end."""

    kind: Kind
    words: str
    where: Literal["beginning", "end"]


def found(text: str) -> Found | None:
    """Return the refusal or, if there is none, the small talk at the beginning or the end of a turn."""
    said = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{_from_a_quote(text[-_TAIL:])}"
    said = said.lower().replace("’", "'")
    for number in _cued(said):
        if match := _WORDINGS[number].search(unquoted(said)):
            return Found("refusal", match[0], "beginning" if match.start() < _HEAD else "end")
    begun = said.lstrip()
    if begun.startswith(_FIRST_WORDS) and (match := _OPENS.match(begun)):
        return Found("boilerplate", match[0], "beginning")
    end = said[-_TAIL:]
    if any(cue in end for cue in _LAST_WORDS):
        said = unquoted(said)
        if match := _CLOSES.search(said, max(0, len(said) - _TAIL)):
            return Found("boilerplate", match[0], "end")
    return None


def refuses(text: str) -> bool:
    """Tell whether a turn is a refusal."""
    said = found(text)
    return said is not None and said.kind == "refusal"


def _cued(said: str) -> list[int]:
    """Return the numbers, rising, of the wordings that a text holds a cue of."""
    pieces = [cues for piece, cues in _CUES.items() if piece in said]
    return sorted({number for cues in pieces for cue, number in cues if cue in said}) if pieces else []


def _from_a_quote(tail: str) -> str:
    """Leave out what belongs to a quotation that began before the tail."""
    if tail.count('"') % 2:
        tail = tail[tail.index('"') + 1 :]
    closed = tail.find("”")
    return tail if closed < 0 or "“" in tail[:closed] else tail[closed + 1 :]
