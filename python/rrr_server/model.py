"""A served model: the user's function with all that a worker has to know of it."""

import hashlib
import json
import os

import numpy as np

from . import model_server_pb2 as wire
from .frameworks import framework
from .levels import Level

PROTOCOL_VERSION = 1
"""Of proto/model_server.proto; the worker has to speak the same."""

MOST_ROWS = 65536


class ServedModel:
    """Evaluates points in batches of a fixed number of rows, and knows what it computes with. For the arguments see
    `serve`."""

    def __init__(
        self, *, energy=None, score=None, shape, rows=64, name="model", framework_name="numpy", encode=None, conditions=(),
        probe_condition=None, levels=None, decode=None, weights=None, tf32=False, deterministic=True,
    ):  # fmt: skip
        if (energy is None) == (score is None):
            raise TypeError("serve needs an energy or a score, one of the two")
        self.gives = "energy" if score is None else "score"
        self.shape = tuple(int(length) for length in shape)
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"shape is {list(self.shape)}; it is that of a point, such as [3, 32, 32]")
        if not 1 <= rows <= MOST_ROWS:
            raise ValueError(f"rows is {rows}, not from 1 to {MOST_ROWS}")
        self.rows, self.name = int(rows), str(name)
        self.model = framework(framework_name)(energy or score, self.gives, self.shape, tf32)
        self.encode, self.decode, self.conditions = encode, decode, sorted(conditions)
        self.levels = [] if levels is None else [float(level) for level in levels]
        self.probe_condition = json.dumps(probe_condition or {}, sort_keys=True)
        self.facts = {"tf32": bool(tf32), "weights": weights_hash(weights)}
        self.encoded = {}
        self.probe_hash = self.probe()
        if deterministic and self.probe() != self.probe_hash:
            raise RuntimeError(
                "two evaluations of the same points gave different bits; make the model deterministic, or say "
                "deterministic=False and do without runs that give the same bytes again"
            )

    def evaluate(self, x, level, conditions):
        """Energies float64 [n], None for a score, and gradients float32 [n, *shape] of up to `rows` points x float32
        [n, *shape]; the batch is filled up with the origin. `conditions` has a JSON object for each row."""
        count = len(x)
        if not 1 <= count <= self.rows:
            raise ValueError(f"{count} rows came, and one evaluation has from 1 to {self.rows}")
        # A copy in any case: the function may write into it.
        batch = np.empty((self.rows, *self.shape), np.float32)
        batch[:count], batch[count:] = x, 0
        conditions = tuple(conditions) + (conditions[-1],) * (self.rows - count)
        energy, gradient = self.model.evaluate(batch, level, self.encoding(conditions))
        return None if energy is None else energy[:count], gradient[:count]

    def encoding(self, conditions):
        """What the user's function is told of the conditions of a batch: what `encode` makes of them, which is kept, or a
        dictionary for each row."""
        if conditions not in self.encoded:
            read = [json.loads(condition) for condition in conditions]
            for condition in read:
                unknown = sorted(set(condition) - set(self.conditions))
                if unknown:
                    raise ValueError(f'there is no condition "{unknown[0]}"; the model knows {self.conditions}')
            if len(self.encoded) >= 64:
                self.encoded.clear()
            if self.encode is not None:
                read = self.encode(read)
            elif self.model.name.startswith("jax"):
                if any(read):
                    raise TypeError("conditions of a JAX model have to be made arrays of: give serve an encode=")
                read = None
            self.encoded[conditions] = read
        return self.encoded[conditions]

    def probe(self):
        """The hash of evaluations of fixed points: how the arithmetic comes out here."""
        digest = hashlib.sha256()
        count = self.rows * int(np.prod(self.shape))
        # Numbers in [-1, 1) that no library decides on.
        mixed = np.arange(count, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(1 << 32)
        x = (mixed.astype(np.float64) / (1 << 31) - 1).astype(np.float32).reshape(self.rows, *self.shape)
        table = self.levels or [0.5]
        for index in sorted({0, len(table) // 2, len(table) - 1}):
            level = Level(index, index, table[index])
            for result in self.evaluate(x, level, [self.probe_condition] * self.rows):
                if result is not None:
                    digest.update(result.tobytes())
        return digest.hexdigest()

    def description(self):
        """What a worker is told."""
        facts = {
            "protocol": PROTOCOL_VERSION, "gives": self.gives, "shape": self.shape, "rows": self.rows,
            "levels": self.levels, "framework": self.model.name, "device": self.model.device, "probe": self.probe_hash,
            **self.facts,
        }  # fmt: skip
        fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        return wire.Description(
            name=self.name, gives=wire.GIVES_ENERGY if self.gives == "energy" else wire.GIVES_SCORE, shape=self.shape,
            rows=self.rows, signal_variances=self.levels, conditions=self.conditions, framework=self.model.name,
            device=self.model.device, weights=self.facts["weights"], fingerprint=fingerprint,
            decodes=self.decode is not None,
        )  # fmt: skip


def weights_hash(weights):
    """SHA-256 of what a model computes with: the path of a file, several of them, a torch module, or arrays by name; empty
    for None."""
    if weights is None:
        return ""
    digest = hashlib.sha256()
    if hasattr(weights, "state_dict"):
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in weights.state_dict().items()}
    if isinstance(weights, dict):
        for name, array in sorted(weights.items()):
            array = np.ascontiguousarray(array)
            digest.update(f"{name} {array.dtype} {list(array.shape)}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()
    for path in [weights] if isinstance(weights, (str, os.PathLike)) else weights:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    return digest.hexdigest()
