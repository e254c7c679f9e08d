"""Pieces of the machinery of prompts in an answer: control tokens, instructions, placeholders, envelopes."""

import json
import random

from planting import answering

from streams.samples import Sample

_BEFORE = (
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "[INST] {ask} [/INST] ",
    "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{ask} [/INST]",
    "### Response:\n",
    "### Instruction:\n{ask}\n\n### Response:\n",
    "<start_of_turn>model\n",
    "<|assistant|>\n",
    "<｜Assistant｜>",
    "<|begin_of_text|>",
    "<bos>",
    "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
    "<|channel|>final<|message|>",
    "<think>\nThe user wants a passage. {ask}\n</think>\n\n",
    "Assistant: ",
)
_AFTER = (
    "<|im_end|>",
    "<|im_end|>\n<|im_start|>user\n{ask}",
    "<|eot_id|>",
    "<|endoftext|>",
    "</s>",
    "<end_of_turn>",
    "\n\nHuman: {ask}\n\nAssistant: And so he did.",
    "\n### Human: {ask}\n### Assistant: He did.",
    "<|end|>",
    "<｜end▁of▁sentence｜>",
    "<eos>",
    "\nUSER: {ask}\nASSISTANT: Well.",
    "[/INST]",
    "\n\n### Instruction:\n{ask}",
    "<|return|>",
)
_ASKS = (
    "Write another passage.",
    "Go on.",
    "Continue the text in the same style.",
    "Make it shorter.",
    "Now do the same for the next scene.",
    "What happens then?",
    "Rewrite it for children.",
)
_PERSONAS = (
    "retired sailor",
    "young lawyer",
    "travelling merchant",
    "court physician",
    "village priest",
    "night nurse",
)
_STYLES = ("dry, ironic style", "warm tone", "plain and sober voice", "florid style", "matter-of-fact tone")
_ORDERS = (
    "You are a helpful assistant. {order}",
    "You are a helpful, respectful and honest assistant. {order}",
    "You are an expert writer of dialogue. {order}",
    "You are {persona_a}. Your task is to continue the text below.",
    "Rewrite the following text as {persona_a} with a {style}.",
    "Rewrite the following passage in your own words:",
    "Rephrase the text below and keep its meaning. {order}",
    "Paraphrase the following paragraph. {order}",
    "Continue the following text. {order}",
    "Write as {persona_a} with a {style}.",
    "Answer as {persona_a} with a {style}. {order}",
    "Instruction: rewrite the passage. {order}",
    "System: You answer as {persona_a} would.",
    "Your task is to write one new sample like the examples. {order}",
)
_RULES = (
    "Respond only with the text itself.",
    "Do not include any explanation or preamble.",
    "Output only the rewritten text.",
    "Keep the meaning and the length of the original.",
    "Do not mention these instructions.",
    "Return only the passage, without quotation marks.",
)
_OPEN = ("{{%s}}", "{{ %s }}", "{%s}", "{{ seed.%s }}", "[insert %s here]", "<insert %s>", "${%s}")
_NAMES = ("text", "persona", "topic", "style", "context", "question", "name", "seed_text", "instruction", "user_input")
_KEYS = ("text", "response", "answer", "output", "rewritten_text", "content", "result", "passage", "generated_text")


def control(sample: Sample, rng: random.Random) -> Sample:
    """Plant a chat template's control tokens or role names before or after the text."""
    ask, text = rng.choice(_ASKS), sample.turns[-1].text
    if rng.random() < 0.5:
        return answering(sample, rng.choice(_BEFORE).replace("{ask}", ask) + text)
    return answering(sample, text + rng.choice(_AFTER).replace("{ask}", ask))


def instruction(sample: Sample, rng: random.Random) -> Sample:
    """Plant an order of the prompt before or after the text."""
    persona = rng.choice(_PERSONAS)
    order = rng.choice(_ORDERS).format(order=rng.choice(_RULES), persona_a=f"a {persona}", style=rng.choice(_STYLES))
    text = sample.turns[-1].text
    return answering(sample, rng.choice((f"{order}\n\n{text}", f"{order} {text}", f"{text}\n\n{order}")))


def placeholder(sample: Sample, rng: random.Random) -> Sample:
    """Plant a placeholder that was never filled."""
    words = sample.turns[-1].text.split(" ")
    place = rng.randrange(len(words) + 1)
    planted = rng.choice(_OPEN) % rng.choice(_NAMES)
    return answering(sample, " ".join([*words[:place], planted, *words[place:]]))


def envelope(sample: Sample, rng: random.Random) -> Sample:
    """Plant the text in an envelope of JSON or tags."""
    text, key = sample.turns[-1].text, rng.choice(_KEYS)
    kinds = (
        json.dumps({key: text}),
        json.dumps({key: text}, indent=2),
        f"```json\n{json.dumps({key: text})}\n```",
        json.dumps({"id": rng.randrange(99), key: text}),
        json.dumps([{key: text}]),
        f"<answer>{text}</answer>",
        f"<rewritten_text>\n{text}\n</rewritten_text>",
        json.dumps({key: text})[:-2],
    )
    return answering(sample, rng.choice(kinds))
