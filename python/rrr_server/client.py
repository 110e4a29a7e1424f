"""The worker's side of the protocol: to try a server without a pool."""

import json

import numpy as np
import zmq

from . import model_server_pb2 as wire
from .levels import Level
from .model import PROTOCOL_VERSION


class ServerProblem(Exception):
    """What a server answered in place of a result. `traceback` is that of an exception in it, or empty."""

    def __init__(self, problem):
        super().__init__(problem.text)
        self.traceback = problem.traceback


class Client:
    """Asks the server at an address; each call waits `seconds` at most and then raises TimeoutError."""

    def __init__(self, endpoint, seconds=60):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.endpoint, self.seconds, self.call = endpoint, seconds, 0
        self.known = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, request, *frames):
        """The reply to a request, and its frames of numbers."""
        self.call += 1
        request.protocol_version, request.call = request.protocol_version or PROTOCOL_VERSION, self.call
        self.socket.send_multipart([request.SerializeToString(), *frames])
        while True:
            if not self.socket.poll(1000 * self.seconds):
                raise TimeoutError(f"the server at {self.endpoint} has not answered within {self.seconds} s")
            first, *arrays = self.socket.recv_multipart()
            reply = wire.Reply()
            reply.ParseFromString(first)
            if reply.call != self.call:
                continue  # to a call that nobody waits for any more
            if reply.WhichOneof("body") == "problem":
                raise ServerProblem(reply.problem)
            return reply, arrays

    def describe(self):
        """What the server is, a Description."""
        self.known = self.ask(wire.Request(describe=wire.Describe()))[0].description
        return self.known

    def evaluate(self, x, level, conditions=None):
        """Energies float64 [n], None for a score, and their gradients float32 [n, *shape] at points x [n, *shape];
        `conditions` has a dictionary for each."""
        x = np.ascontiguousarray(x, "<f4")
        texts = [json.dumps(condition, sort_keys=True) for condition in conditions or [{}] * len(x)]
        distinct = list(dict.fromkeys(texts))
        level = Level(*level)
        request = wire.Evaluate(
            level=wire.Level(index=level.index, original=level.original, signal_variance=level.signal_variance),
            rows=len(x), conditions=distinct, condition_of_row=[distinct.index(text) for text in texts],
        )  # fmt: skip
        _, (energy, gradient) = self.ask(wire.Request(evaluate=request), x.tobytes())
        return np.frombuffer(energy, "<f8") if energy else None, np.frombuffer(gradient, "<f4").reshape(x.shape)

    def decode(self, x):
        """Pictures, float32 [n, ...], of points [n, *shape]; as many at a time as the server evaluates."""
        x = np.ascontiguousarray(x, "<f4")
        rows = (self.known or self.describe()).rows
        pictures = []
        for first in range(0, len(x), rows):
            part = x[first : first + rows]
            reply, (frame,) = self.ask(wire.Request(decode=wire.Decode(rows=len(part))), part.tobytes())
            pictures.append(np.frombuffer(frame, "<f4").reshape(len(part), *reply.decoded.shape))
        return np.concatenate(pictures)

    def probe(self):
        """The hash of the probe, computed again."""
        return self.ask(wire.Request(probe=wire.Probe()))[0].probed.hash

    def shut_down(self):
        """Ends the server."""
        self.ask(wire.Request(shutdown=wire.Shutdown()))
