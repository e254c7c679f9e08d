"""The events of one call: asked, answered, the candidates that come of it, or its dead letter."""

from services.faults.unread import UNREAD
from services.generate.content import read
from services.generate.plan import Call
from streams.events import DeadLetter, ModelAnswered, SampleGenerated, event_id
from streams.parts import Content
from streams.samples import Lineage, RecipeVersion, Sample, Source, Turn, content_hash, digest
from streams.writer import Output

PURPOSE = "generate"
DEAD = "dead.generate"


def asked(
    call: Call, task: str, slot: int, attempt: int, now: int, *, policy_version: int, is_rare: bool = False
) -> ModelAnswered:
    """Return the record that stands before a call is made: an answer without choices."""
    key = call.request.request_key
    return ModelAnswered(
        event_id=event_id(ModelAnswered, key, attempt, "asked"),
        occurred_at=now,
        request_key=key,
        purpose=PURPOSE,
        call_index=call.request.call_index,
        slot=slot,
        source=_source(call, policy_version),
        seed_id=call.seed.sample_id,
        parent_ids=(call.seed.sample_id,),
        task=task,
        tags={"domain": domain} if (domain := call.seed.tags.get("domain")) else {},
        prompt=call.request.prompt,
        seed=call.kept,
        choices=(),
        attempt=attempt,
        asked_at=now,
        worst_tokens=call.worst.tokens,
        worst_cost=call.worst.dollars,
        is_rare=is_rare,
    )


def candidates(answer: ModelAnswered, pipeline: str, recipe: RecipeVersion, now: int) -> list[Output]:
    """Return a candidate for each choice of a stored answer; a redo repeats their ids."""
    lineage = Lineage(
        origin="SYNTHETIC",
        generation=1 + max(answer.parent_generation, answer.source.model_generation),
        seed_id=answer.seed_id,
        parent_ids=answer.parent_ids,
        source=answer.source,
        recipe=recipe,
    )
    outputs = []
    for number, choice in enumerate(answer.choices):
        sample = _sample(answer, digest("candidate", pipeline, answer.call_index, number), choice.text, lineage)
        made = SampleGenerated(
            event_id=event_id(SampleGenerated, answer.call_index, number, pipeline),
            occurred_at=now,
            call_index=answer.call_index,
            choice=number,
            sample=sample,
        )
        outputs.append(Output("generate", sample.sample_id, made))
    return outputs


def refused(question: ModelAnswered, frame: bytes, error: Exception, topic: str, now: int) -> DeadLetter:
    """Return the dead letter of a call; its value is the frame of `question`, which names the attempt."""
    return DeadLetter(
        event_id=event_id(DeadLetter, topic, question.call_index, question.attempt),
        occurred_at=now,
        stage="generate",
        reason="handle",
        error=type(error).__name__,
        explanation=f"{error} (call {question.call_index} of the plan, source {question.source.name})",
        source_topic=topic,
        source_partition=-1,
        source_offset=question.call_index,
        key=question.request_key.encode(),
        value=frame,
        call_index=question.call_index,
    )


def _source(call: Call, policy_version: int) -> Source:
    return Source(
        name=call.source.name,
        provider=call.source.provider,
        model_id=call.model.model_id,
        family=call.source.family,
        model_generation=call.model.generation,
        temperature=call.request.temperature,
        top_p=call.request.top_p,
        persona=call.persona,
        strategy=call.strategy,
        prompt_hash=call.prompt_hash,
        request_key=call.request.request_key,
        call_index=call.request.call_index,
        policy_version=policy_version,
    )


def _sample(answer: ModelAnswered, sample_id: str, text: str, lineage: Lineage) -> Sample:
    content, unread = _content(answer, text)
    return Sample(
        sample_id=sample_id,
        content_hash=content_hash(answer.task, content.turns, content.label, content.answer, content.tests),
        task=answer.task,
        turns=content.turns,
        label=content.label,
        answer=content.answer,
        tests=content.tests,
        tags={**answer.tags, UNREAD: unread} if unread else answer.tags,
        lineage=lineage,
    )


def _content(answer: ModelAnswered, text: str) -> tuple[Content, str]:
    """Return what the sample says, and why the answer can't be read; then it is the last turn, as it came."""
    if answer.seed is None:
        if answer.task == "text":
            return Content(turns=(Turn(role="document", text=text),)), ""
        return Content(turns=(*answer.prompt, Turn(role="assistant", text=text))), ""
    try:
        return read(answer.task, answer.source.strategy, answer.seed, text), ""
    except ValueError as error:
        return Content(turns=(*answer.seed.turns, Turn(role="assistant", text=text))), str(error)
