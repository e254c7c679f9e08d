"""B7: a filter moves the break-even error of labels, and a biased verifier becomes what the model converges to.

Filter: x ~ N(0, I), d = 50, n = 20,000, class sign(x_1), wrong with probability p; a right label is always kept
(phi = 1), a wrong one with probability psi. The m = n (1 - p + p psi) kept labels are wrong with probability
q = p psi n/m, which is 1/2 at p* = 1/(1 + psi/phi): infinite data give accuracy 1 below it and 0 above. Least squares
on m find x_1 with a = (1 - 2q) sqrt(2/pi), and noise of variance (1 - a^2)/m in every other direction, so the
accuracy is 1 - angle/pi with tan(angle) = sqrt((d - 1)(1 - a^2)/m)/a. Feng et al. 2024, arXiv 2406.07515.

Verifier: y = x w + noise of variance 1, d = 5, first fit on 50 real rows. In each round the model labels fresh inputs,
and the next is fitted to 2000 of them with |y - x centre| <= r |x| + s. The centre is off the truth by D; s = 1, and
r = max(.3, D), because the verifier takes the truth to lie within r of its centre. Noise cut at h keeps the share
1 - 2 h f(h)/(2F(h) - 1) of its variance (f, F: normal) and, to the first order, of its distance to the centre. With k
the mean of that over h = r |x| + s, |x|^2 ~ chi2(d + 2), the squared distance to the truth after round t is
D^2 (1 - k^t)^2 + k^2t d/(50 - d - 1) + v, and to the centre, in the end, v = (d/2000) k (1 - k^2t)/(1 - k^2).
D = 1 is too far for the first order: its expected number is a measured one.
Yi et al. 2025, arXiv 2510.16657.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from experiments.bar import Bar

CANDIDATES, CLASSIFIED = 20_000, 50
RATIOS, BESIDE = (1.0, 0.5, 0.25), 0.05
DIMENSION, REAL, KEPT, ROUNDS = 5, 50, 2000, 20
LEAST_RADIUS, WIDTH = 0.3, 1.0
OF_ACCURACY, OF_EVEN, OF_ERROR = 0.02, 0.005, 0.1
Array = NDArray[np.floating[Any]]


def run(seed: int) -> list[Bar]:
    """Measure the accuracies around the break-even of three filters, and three verifiers."""
    rng = np.random.default_rng(seed)
    return [*_filtered(rng, 30), *_verified(rng, 300)]


def _filtered(rng: np.random.Generator, runs: int) -> list[Bar]:
    bars = []
    for ratio in RATIOS:
        even = 1 / (1 + ratio)
        sides = even - BESIDE, even + BESIDE
        found = [float(np.mean([_accuracy(rng, p, ratio) for _ in range(runs)])) for p in sides]
        for p, accuracy in zip(sides, found, strict=True):
            bars.append(
                Bar(f"filter {ratio}, p={p:.3f}: accuracy", accuracy, _expected(p, ratio), OF_ACCURACY, "absolute")
            )
        crossing = float(np.interp(0.5, found[::-1], sides[::-1]))
        bars.append(Bar(f"filter {ratio}: break-even", crossing, even, OF_EVEN, "absolute"))
    return bars


def _accuracy(rng: np.random.Generator, error: float, ratio: float) -> float:
    """Return how often least squares on the kept labels are right about new inputs."""
    inputs = rng.standard_normal((CANDIDATES, CLASSIFIED))
    wrong = rng.random(CANDIDATES) < error
    kept = ~wrong | (rng.random(CANDIDATES) < ratio)
    inputs, labels = inputs[kept], (np.sign(inputs[:, 0]) * np.where(wrong, -1, 1))[kept]
    weights = np.linalg.solve(inputs.T @ inputs, inputs.T @ labels)
    return float(1 - np.arccos(weights[0] / np.linalg.norm(weights)) / np.pi)


def _expected(error: float, ratio: float) -> float:
    share = 1 - error + error * ratio
    signal = (1 - 2 * error * ratio / share) * np.sqrt(2 / np.pi)
    noise = np.sqrt((CLASSIFIED - 1) * (1 - signal**2) / (share * CANDIDATES))
    return float(1 - np.arctan2(noise, signal) / np.pi)


def _verified(rng: np.random.Generator, runs: int) -> list[Bar]:
    marks = {0.0: (0, ROUNDS), 0.3: (0, 2, ROUNDS)}
    found = {bias: _rounds(rng, bias, runs) for bias in (0.0, 0.3, 1.0)}
    bars = [
        Bar(f"bias {bias}, round {t}: error", float(found[bias][t, 0]), _error(bias, t), OF_ERROR)
        for bias, rounds in marks.items()
        for t in rounds
    ]
    noise = _error(0.0, ROUNDS)  # the first fit is forgotten by then
    earlier, last = float(found[1.0][ROUNDS // 2, 0]), float(found[1.0][ROUNDS, 0])
    return [
        *bars,
        Bar(f"bias 0.3, round {ROUNDS}: to centre", float(found[0.3][ROUNDS, 1]), noise, OF_ERROR),
        Bar(f"bias 1.0, round {ROUNDS}: error", last, 0.35, OF_ERROR),
        Bar(f"bias 1.0, round {ROUNDS // 2}: less than that", earlier, last, kind="at most"),
    ]


def _error(bias: float, rounds: int) -> float:
    lengths = np.sqrt(chi2(DIMENSION + 2).ppf((np.arange(1000) + 0.5) / 1000))
    cut = _radius(bias) * lengths + WIDTH
    keeps = float((1 - 2 * cut * norm.pdf(cut) / (2 * norm.cdf(cut) - 1)).mean())
    first = keeps ** (2 * rounds) * DIMENSION / (REAL - DIMENSION - 1)
    noise = DIMENSION / KEPT * keeps * (1 - keeps ** (2 * rounds)) / (1 - keeps**2)
    return bias**2 * (1 - keeps**rounds) ** 2 + first + noise


def _radius(bias: float) -> float:
    return max(LEAST_RADIUS, bias)


def _rounds(rng: np.random.Generator, bias: float, runs: int) -> Array:
    """Return the squared distances to the truth, which is 0, and to the centre after each round."""
    centre = np.zeros((DIMENSION, 1))
    centre[0] = bias
    real = rng.standard_normal((runs, REAL, DIMENSION))
    model = _fit(real, rng.standard_normal((runs, REAL, 1)))
    models = [model]
    for _ in range(ROUNDS):
        model = _fit(*_accepted(rng, model, centre, _radius(bias)))
        models.append(model)
    return np.array([[((model - at) ** 2).sum(axis=(1, 2)).mean() for at in (0, centre)] for model in models])


def _accepted(rng: np.random.Generator, model: Array, centre: Array, radius: float) -> tuple[Array, Array]:
    """Return rows that the verifier accepts, each drawn again until it is."""
    inputs = rng.standard_normal((len(model), KEPT, DIMENSION))
    labels = inputs @ model + rng.standard_normal((len(model), KEPT, 1))
    refused = np.nonzero(_refused(inputs, labels, centre, radius))
    while len(refused[0]):
        again = rng.standard_normal((len(refused[0]), 1, DIMENSION))
        inputs[refused] = again[:, 0]
        labels[refused] = (again @ model[refused[0]])[:, 0] + rng.standard_normal((len(again), 1))
        still = _refused(inputs[refused], labels[refused], centre, radius)
        refused = refused[0][still], refused[1][still]
    return inputs, labels


def _refused(inputs: Array, labels: Array, centre: Array, radius: float) -> NDArray[np.bool_]:
    width = radius * np.linalg.norm(inputs, axis=-1) + WIDTH
    refused: NDArray[np.bool_] = np.abs(labels - inputs @ centre)[..., 0] > width
    return refused


def _fit(inputs: Array, labels: Array) -> Array:
    return np.linalg.solve(inputs.mT @ inputs, inputs.mT @ labels)
