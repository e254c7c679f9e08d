"""Pieces of the prompt that a sample was made with.

Control tokens of chat templates are looked for in every turn, the rest in the last one alone: a user may well write
"Rewrite the following". Where code or JSON is asked for, braces are what was asked for.
"""

import re
from collections.abc import Iterator

from services.faults.fault import Fault
from streams.samples import Sample

_LONGEST = 80
_BRACES = frozenset({"code"})
_NAMES = (
    r"(?:(?:seed|input|user|source|original|sample|example|output|system)[_ .]?)?"
    r"(?:text|persona|topic|style|context|question|query|instructions?|input|output|prompt|language|tone|document"
    r"|content|answer|passage)"
)
_TOKENS = re.compile(
    r"<\|[A-Za-z_][\w ]{0,30}\|>|<｜[^｜>\n]{1,40}｜>|\[/?INST\]|<</?SYS>>|\A\s*<s>|</s>\s*\Z"
    r"|</?(?:start_of_turn|end_of_turn|bos|eos|pad|think|thinking|scratchpad|tool_call|tool_response|reasoning)>"
    r"|\[(?:BOS|EOS|gMASK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]"
    r"|^[ \t]*###? ?(?:Instructions?|Response|Human|Assistant|System|User)(?: prompt)?:",
    re.MULTILINE,
)
_ROLES = re.compile(
    r"\A\s*(?:Assistant|ASSISTANT):\s|^(?:Human|USER|User): [^\n]*\n+(?:Assistant|ASSISTANT|AI): ", re.MULTILINE
)
_OPEN = re.compile(
    rf"\{{\{{[ -]*[A-Za-z_][\w. |]{{0,40}}-?\}}\}}|\$?\{{{_NAMES}\}}"
    rf"|[\[<](?:insert|INSERT|Insert) [^\]>\n]{{1,60}}[\]>]"
)
_ENVELOPE = re.compile(
    r"\A\s*(?:```(?:json)?\s*)?(?:\[\s*)?\{\s*(?:\"[\w -]{1,30}\"\s*:\s*[\d.]+\s*,\s*)?"
    r"\"(?:text|responses?|answers?|output|content|result|completion|message|sample|document|passage|instruction|prompt"
    r"|(?:re-?written|generated|revised|new|rephrased|paraphrased)[\w -]*)\"\s*:"
    r"|\A\s*<(answer|response|output|result|text|re-?written\w*|rephrased\w*|generated\w*|sample|passage|document)>",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"(?:(?<![^\n])|(?<=[.!?:] ))(?:"
    r"you are an? (?:[\w',-]+ ){0,8}(?:assistant|writer|author|expert|editor|teacher|translator|model|chatbot|ai)\b"
    r"|your task is to (?:write|continue|rewrite|rephrase|create|generate|produce|answer|summari[sz]e|paraphrase"
    r"|translate)\b"
    r"|(?:instruction: )?(?:please )?(?:rewrite|rephrase|paraphrase|continue|summari[sz]e|translate|edit|improve)"
    r" (?:the|this) "
    r"(?:(?:following|text|given|original|provided|above) ?)+(?:text|passage|paragraph|sentence|document|story"
    r"|dialogue|sample|below|above|as\b|in\b|[.:])"
    r"|instruction: (?:re)?(?:write|phrase|answer|continue)"
    r"|(?:system|system prompt): (?:you|answer|write|act)\b"
    r"|(?:respond|reply|answer) only with\b|(?:output|return|print|provide|give) only the (?:\w+ ){0,2}(?:text"
    r"|answer|passage|response|paragraph|sentence|translation|rewrite|version|story|dialogue|result|sample|code|json)\b"
    r"|do not (?:include|add|output|mention|use) (?:any |these |the )?(?:\w+ )?(?:explanations?|preambles?"
    r"|instructions?|commentary|comments|introduction)\b"
    r"|keep the (?:meaning|length|same length|tone|original meaning)(?: and the \w+)? (?:of the (?:original|text)"
    r"|unchanged)"
    r"|(?:write|answer|respond|reply|speak|act|rewrite)(?: (?:it|this))? as an? [^.\n]{3,60} with an?"
    r" [^.\n]{3,40}(?:style|tone|voice|manner)\b"
    r")",
    re.IGNORECASE,
)
_CUES = (
    "you are a", "your task is", "write", "phrase", "the following", "this text", "text below", "instruction", "system",
    " only the", " only with", "explanation", "preamble", "comment", "keep the", "style", "tone", "voice", "manner",
)  # fmt: skip


def leak(sample: Sample, last: str, *, is_json: bool) -> Fault | None:
    """Return the first piece; `last` is the last turn. Where that has to be JSON, no envelope is a leak."""
    return control_token(sample) or next(_others(sample, last, is_json), None)


def control_token(sample: Sample) -> Fault | None:
    """Return the first control token of a chat template, of any turn."""
    tokens = (_token(n, turn.text) for n, turn in enumerate(sample.turns))
    return next(filter(None, tokens), None)


def _others(sample: Sample, text: str, is_json: bool) -> Iterator[Fault]:
    has_braces = not is_json and sample.task not in _BRACES
    if "ssistant:" in text or "SSISTANT:" in text or "AI: " in text:
        yield from _told("role", "a role of the chat's", _ROLES.search(text))
    if has_braces and ("{" in text or "<" in text or "[" in text):
        yield from _told("placeholder", "a placeholder", _OPEN.search(_without_code(text)))
        if not _asks_for_json(sample):
            yield from _told("envelope", "an envelope", _ENVELOPE.match(text))
    lower = text.lower()
    if any(cue in lower for cue in _CUES):
        yield from _told("instruction", "an instruction", _ORDER.search(text))


def _token(number: int, text: str) -> Fault | None:
    if not ("<" in text or "[" in text or "#" in text):
        return None
    found = _TOKENS.search(text)
    if found is None:
        return None
    evidence = {"kind": "control token", "turn": str(number), "place": str(found.start()), "text": found[0][:_LONGEST]}
    return Fault(evidence, f"Turn {number} holds a chat template's control token at character {found.start()}.")


def _told(kind: str, what: str, found: re.Match[str] | None) -> Iterator[Fault]:
    if found is not None:
        evidence = {"kind": kind, "place": str(found.start()), "text": found[0][:_LONGEST].strip()}
        yield Fault(evidence, f"The last turn holds {what} of the prompt at character {found.start()}.")


_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def _without_code(text: str) -> str:
    return _CODE.sub("", text) if "`" in text else text


def _asks_for_json(sample: Sample) -> bool:
    return any(word in turn.text.lower() for turn in sample.turns[:-1] for word in ("json", "xml", "tags"))
