"""Real training: AdamW with warm-up and cosine decay on what the world shows, in JAX on one CPU core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.training.network import SCAFFOLD, Array, Shape, Weights, run
from benchmarks.training.world import Batch

Trained = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; `slow` maps the beginning of a tensor's name to a factor on its learning rate."""

    steps: int
    rate: float = 3e-3
    warmup: int = 40
    decay: float = 0.05
    slow: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The weights after training and the mean loss of the first and of the last twentieth of the steps."""

    weights: Trained
    before: float
    after: float


def loss_of(weights: Weights, shape: Shape, batch: Mapping[str, Array]) -> Array:
    """Nats per token, and a fifth of what the scaffold's classifiers lose on each sense."""
    tokens = batch["tokens"]
    said = run(jnp, weights, shape, tokens[:, :-1], batch["pictures"], batch["sounds"])
    total: Array = 0.0
    if shape.text:
        total = _surprise(said["text"], tokens[:, 1:])
    for sense, truth in (("vision", "shape_class"), ("audio", "sound_class")):
        if sense in said:
            at = f"{SCAFFOLD}{sense}"
            guess = said[sense].mean(1) @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]
            total = total + 0.2 * _surprise(guess, batch[truth])
    return total


def _surprise(logits: Array, truth: Array) -> Array:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), truth[..., None], axis=-1).mean()


@cache
def _stepper(shape: Shape, loss: Callable[..., Any]) -> Callable[..., Any]:
    def step(state: Array, batch: Array, factors: Array, at: Array, rate: Array, decay: Array) -> Array:
        weights, mean, square = state
        value, slope = jax.value_and_grad(loss)(weights, shape, batch)
        norm = jnp.sqrt(sum((piece * piece).sum() for piece in slope.values()))
        slope = {name: piece / jnp.maximum(norm, 1.0) for name, piece in slope.items()}
        mean = {name: 0.9 * mean[name] + 0.1 * piece for name, piece in slope.items()}
        square = {name: 0.98 * square[name] + 0.02 * piece * piece for name, piece in slope.items()}
        grown_1, grown_2 = 1 - 0.9**at, 1 - 0.98**at
        new = {}
        for name, weight in weights.items():
            move = mean[name] / grown_1 / (jnp.sqrt(square[name] / grown_2) + 1e-8)
            shrink = decay * weight if weight.ndim > 1 else 0.0
            new[name] = weight - rate * factors[name] * (move + shrink)
        return (new, mean, square), value

    compiled: Callable[..., Array] = jax.jit(step)
    return compiled


def learn(
    start: Mapping[str, Any],
    shape: Shape,
    batches: Iterable[Batch | Mapping[str, Any]],
    recipe: Recipe,
    loss: Callable[..., Any] = loss_of,
) -> Outcome:
    """Train from `start`; what a recipe holds at factor 0 stays as it is, and so do Whisper's fixed positions."""
    weights = {name: jnp.asarray(value, jnp.float32) for name, value in start.items()}
    factors = {name: np.float32(_factor(name, recipe)) for name in weights}
    zeros = {name: jnp.zeros_like(value) for name, value in weights.items()}
    state: Any = (weights, zeros, dict(zeros))
    step = _stepper(shape, loss)
    losses = []
    for number, batch in zip(range(1, recipe.steps + 1), batches, strict=False):
        shown = vars(batch) if isinstance(batch, Batch) else batch
        falling = 0.55 + 0.45 * np.cos(np.pi * number / recipe.steps)
        rate = recipe.rate * min(number / recipe.warmup, falling)
        state, value = step(state, shown, factors, np.float32(number), np.float32(rate), np.float32(recipe.decay))
        losses.append(value)
    seen = np.array([float(value) for value in losses])
    part = max(1, len(seen) // 20)
    trained = {name: np.asarray(value) for name, value in state[0].items()}
    return Outcome(trained, float(seen[:part].mean()), float(seen[-part:].mean()))


def _factor(name: str, recipe: Recipe) -> float:
    if name == "audio_tower.embed_positions.weight":
        return 0.0
    return next((factor for beginning, factor in recipe.slow if name.startswith(beginning)), 1.0)


def plainly(
    start: Weights, shape: Shape, batches: Iterable[Mapping[str, Any]], recipe: Recipe, _: Weights
) -> Outcome:
    """All weights move."""
    return learn(start, shape, batches, recipe)


def in_low_rank(
    start: Weights, shape: Shape, batches: Iterable[Mapping[str, Any]], recipe: Recipe, _: Weights
) -> Outcome:
    """LoRA: the matrices of the layers move in four directions each, which are merged in the end."""
    base = {name: jnp.asarray(value) for name, value in start.items()}
    rng = np.random.default_rng(len(base))
    adapters = {}
    for name, value in base.items():
        if name.startswith("model.layers.") and value.ndim == 2:
            adapters[f"{name}.a"] = np.zeros((value.shape[0], _RANK), np.float32)
            adapters[f"{name}.b"] = rng.standard_normal((_RANK, value.shape[1])) * value.shape[1] ** -0.5
    outcome = learn(adapters, shape, ({**batch, "base": base} for batch in batches), recipe, _adapted_loss)
    merged = {name: np.asarray(value) for name, value in _merged(base, outcome.weights).items()}
    return Outcome(merged, outcome.before, outcome.after)


def taught(
    start: Weights, shape: Shape, batches: Iterable[Mapping[str, Any]], recipe: Recipe, teacher: Weights
) -> Outcome:
    """Distilled: the pupil learns the teacher's whole distribution and never sees its weights."""
    known = {name: jnp.asarray(value) for name, value in teacher.items()}
    return learn(start, shape, ({**batch, "teacher": known} for batch in batches), recipe, _taught_loss)


WAYS: Mapping[str, Callable[..., Outcome]] = {"plain": plainly, "low-rank": in_low_rank, "taught": taught}
_RANK = 4


def _merged(base: Weights, adapters: Weights) -> dict[str, Array]:
    return {
        name: value + adapters[f"{name}.a"] @ adapters[f"{name}.b"] if f"{name}.a" in adapters else value
        for name, value in base.items()
    }


def _adapted_loss(adapters: Weights, shape: Shape, batch: Mapping[str, Array]) -> Array:
    return loss_of(_merged(batch["base"], adapters), shape, batch)


def _taught_loss(weights: Weights, shape: Shape, batch: Mapping[str, Array]) -> Array:
    tokens = batch["tokens"][:, :-1]
    known = jax.nn.softmax(run(jnp, batch["teacher"], shape, tokens, None, None)["text"])
    said = jax.nn.log_softmax(run(jnp, weights, shape, tokens, None, None)["text"])
    return -(known * said).sum(-1).mean()
