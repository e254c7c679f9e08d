"""The provider `local`: n-gram models that learn here and answer at once, with no key and no network."""

import time
from collections.abc import Callable
from hashlib import blake2b

from services.generate.corpus import MOST_DOCUMENTS, Corpus, MixCorpus, OwnCorpus, Training
from services.generate.ngram import NgramModel
from services.generate.pool import SeedPool
from services.models.provider import Answer, Model, Request
from services.recipe import Source
from streams.errors import UnavailableError
from streams.parts import Choice

_PLAIN = 1.0  # draws words as often as they were learnt


class LocalProvider:
    """One source's model; `corpus` collects what it learns from, None for the seeds alone."""

    inline = True

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.corpus = _corpus(source)
        self._source, self._clock, self._sleep = source, clock, sleep
        self._next = 0.0
        self._ngrams: NgramModel | None = None
        self._model = Model("", 0)
        self._on_seeds = True

    def refresh(self, pool: SeedPool, grown: bool) -> None:
        """Train if there is enough new to learn from; until then a model of seeds serves. Blocks for a second or so."""
        if self.corpus is not None and self.corpus.due():
            self.learn(self.corpus.take())
            self._on_seeds = False
        elif self._on_seeds and (grown or self._ngrams is None):
            self.learn(Training(pool.texts(MOST_DOCUMENTS), 0))

    def learn(self, training: Training) -> None:
        """Train anew; the same set gives the same model and model_id."""
        order, backoff = self._source.order, self._source.backoff
        self._ngrams = NgramModel(training.texts, order=order, backoff=backoff)
        name = blake2b(f"{order}/{backoff}".encode(), digest_size=6)
        for text in training.texts:
            name.update(b"%d:" % len(text) + text.encode())
        self._model = Model(f"ngram-{order}-{name.hexdigest()}", training.generation)

    def model(self) -> Model:
        """Return the model as it was trained last."""
        return self._model

    def answer(self, request: Request) -> Answer:
        """Return a document of `max_tokens` words; blocks only as long as the recipe paces it."""
        if self._ngrams is None:
            raise UnavailableError(f"The local model {self._source.name} is not trained yet; it needs seeds")
        self._pace()
        text = self._ngrams.document(
            seed=int(request.request_key, 16),
            temperature=_PLAIN if request.temperature is None else request.temperature,
            words=request.max_tokens,
            opening=request.prompt[0].text,
        )
        tokens_in = sum(len(turn.text.split()) for turn in request.prompt)
        return Answer((Choice(text=text, finish_reason="length"),), tokens_in, request.max_tokens, 0.0)

    def _pace(self) -> None:
        if self._source.documents_per_second is None:
            return
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(self._next, now) + 1 / self._source.documents_per_second


def _corpus(source: Source) -> Corpus | None:
    if source.trained_on == "mix":
        return MixCorpus()
    return OwnCorpus(first=source.own_after) if source.trained_on == "self" else None
