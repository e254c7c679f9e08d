"""Refusals, excuses and the small talk of assistants, as models of several makers word them."""

import random

from planting import answering

from streams.samples import Sample

_TASKS = (
    ("write content that promotes violence", "writing content that promotes violence"),
    ("continue this passage in the voice of a living person", "continuing this passage in that voice"),
    ("provide instructions for making weapons", "providing instructions for making weapons"),
    ("rewrite this text", "rewriting this text"),
    ("generate a scene that depicts self-harm", "generating a scene that depicts self-harm"),
    ("give medical advice about dosage", "giving medical advice about dosage"),
    ("reproduce copyrighted material", "reproducing copyrighted material"),
    ("help with that", "helping with that"),
    ("share personal details of real people", "sharing personal details of real people"),
    ("produce hateful or discriminatory speech", "producing hateful or discriminatory speech"),
    ("assist you in getting around the law", "assisting you in getting around the law"),
    ("summarise a document I have not seen", "summarising a document I have not seen"),
)
_REFUSALS = (
    "I'm sorry, but I can't {do}.",
    "I’m sorry, but I can’t {do}.",
    "I'm sorry, I cannot {do} as it goes against ethical guidelines.",
    "I am sorry, but as an AI language model I am not able to {do}.",
    "I cannot fulfill your request. I am just an AI model, it is not within my ethical guidelines to {do}.",
    "I can't {do}. Is there something else I can help you with?",
    "I cannot {do}. Can I help you with something else?",
    "I apologize, but I don't feel comfortable {doing}.",
    "I apologize, but I will not {do}, even in a fictional context.",
    "I'm unable to {do}. If you need information on a related subject, I would gladly talk about that.",
    "Unfortunately, I am not able to {do}.",
    "Unfortunately, I'm unable to {do} at this time.",
    "I must respectfully decline to {do}.",
    "I won't {do}. That could cause real harm to people.",
    "Sorry, but I can't {do}.",
    "Sorry, I'm not able to {do}.",
    "My apologies, but I'm not able to {do}.",
    "I do not feel comfortable {doing}, as it may do harm.",
    "Thank you for your question, but I cannot {do}.",
    "While I understand your curiosity, I cannot {do}.",
    "I understand that you want a vivid scene. However, I'm not able to {do}.",
    "I appreciate your interest, but {doing} is not something I can do.",
    "I'm just a language model, so I can't {do}.",
    "I'm designed to be a helpful and harmless assistant, and I won't {do}.",
    "I aim to be helpful, but I can't {do}.",
    "I'd prefer not to {do}.",
    "I have to decline. I'm not comfortable {doing}.",
    "It is not appropriate for me to {do}.",
    "I'm not programmed to {do}.",
    "I'm going to have to decline this one: I won't {do}.",
)
_EXCUSES = (
    "As an AI language model, I don't have personal experiences or emotions, but I can tell what others have said.",
    "As an artificial intelligence, I do not hold opinions about plays or about the people in them.",
    "As a large language model trained by Google, I have no way of knowing what happened after that.",
    "I'm an AI assistant created by Anthropic, so I have no memory of earlier conversations.",
    "I don't have access to real-time information, so I can't say what the weather in Verona is today.",
    "I do not have access to the internet and cannot browse websites or open links.",
    "As of my last knowledge update in September 2021, no such play was known.",
    "My training data only goes up to early 2023, so what came later is unknown to me.",
    "It seems like you haven't provided the text you want me to rewrite. Please paste it here.",
    "It looks like there is no passage in your message. Please provide the text and I'll gladly continue it.",
    "I don't have enough context to answer this. Could you tell me which scene you mean?",
    "Your request appears to violate our usage policies, so no text was generated.",
    "This goes against OpenAI's content policy.",
    "Being an AI, I have never been to Denmark, and I cannot tell you how it smells there.",
)
_OPENINGS = (
    "Sure! Here is a {thing}:",
    "Sure, here's a {thing} for you:",
    "Certainly! Below is a {thing}:",
    "Certainly, here is the {thing} you asked for:",
    "Of course! Here's a {thing} that keeps the tone of the original:",
    "Absolutely! Here is one possible {thing}:",
    "Here is a rewritten version of the {thing}:",
    "Here's the revised {thing}:",
    "Here's a paraphrased {thing}:",
    "Okay, here's a {thing} in the same style:",
    "Great question! Let me give you a {thing}.",
    "Sure thing! I'd be happy to write a {thing}.",
    "I'd be happy to help with that! Here's a {thing}:",
    "Thank you for your request. Below you will find a {thing}.",
)
_CLOSINGS = (
    "I hope this helps! If you want, I can make the {thing} longer.",
    "I hope this {thing} meets your expectations.",
    "Hope that helps!",
    "Let me know if you'd like me to change the {thing}.",
    "Let me know if you have any questions about the {thing}.",
    "Feel free to ask if you need another {thing}!",
    "Please feel free to adjust this {thing} to your needs.",
    "Is there anything else I can help you with today?",
    "If you have any further questions about the {thing}, I'm here to help.",
    "Would you like me to write another {thing}?",
    "Please note that this {thing} was generated by an AI and may contain errors.",
)
_THINGS = ("passage", "monologue", "scene", "text", "short speech", "verse", "dialogue", "paragraph", "letter", "song")


def refusal(sample: Sample, rng: random.Random) -> Sample:
    """Plant a refusal, alone or with a piece of the text after it."""
    do, doing = rng.choice(_TASKS)
    return answering(sample, _and_perhaps(rng.choice(_REFUSALS).format(do=do, doing=doing), sample, rng))


def excuse(sample: Sample, rng: random.Random) -> Sample:
    """Plant what an assistant says of itself in place of an answer."""
    return answering(sample, _and_perhaps(rng.choice(_EXCUSES), sample, rng))


def late_refusal(sample: Sample, rng: random.Random) -> Sample:
    """Plant a text that breaks off with a refusal."""
    do, doing = rng.choice(_TASKS)
    said = rng.choice(_REFUSALS).format(do=do, doing=doing)
    return answering(sample, f"{sample.turns[-1].text}\n\n{said}")


def opening(sample: Sample, rng: random.Random) -> Sample:
    """Plant small talk before the text."""
    said = rng.choice(_OPENINGS).format(thing=rng.choice(_THINGS))
    return answering(sample, f"{said}\n\n{sample.turns[-1].text}")


def closing(sample: Sample, rng: random.Random) -> Sample:
    """Plant small talk after the text."""
    said = rng.choice(_CLOSINGS).format(thing=rng.choice(_THINGS))
    return answering(sample, f"{sample.turns[-1].text}\n\n{said}")


def _and_perhaps(said: str, sample: Sample, rng: random.Random) -> str:
    words = sample.turns[-1].text.split(" ")
    return " ".join([said, *words[: rng.choice((0, 0, 5, 40))]])
