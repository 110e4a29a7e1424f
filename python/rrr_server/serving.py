"""Answers workers."""

import os
import sys
import threading
import traceback

import numpy as np
import zmq

from . import model_server_pb2 as wire
from .levels import Level
from .model import PROTOCOL_VERSION, ServedModel

ENDPOINT = "RRR_SERVER_ENDPOINT"
"""Where a worker that starts a server wants it to listen. Such a server ends when its standard input does, which is as
soon as the worker is gone, however that came."""


def serve(
    *, energy=None, score=None, shape, rows=64, name="model", framework="numpy", encode=None, conditions=(),
    probe_condition=None, levels=None, decode=None, weights=None, tf32=False, deterministic=True, endpoint=None,
):  # fmt: skip
    """Serves a model until the worker that started it is gone.

    energy: energy(x, level, condition), -log p of each row up to a constant of the level. With torch or jax it gives
        [rows]; with numpy the pair of that and its gradient [rows, *shape].
    score: instead of it score(x, level, condition), the gradient of log p, [rows, *shape].
    shape: of a point. x is float32 [rows, *shape], an array of the framework.
    rows: of every evaluation; fewer are filled up, so that bits never depend on how many came.
    framework: "numpy", "torch" or "jax": whose arrays the function takes and gives.
    conditions: the keys that a job's "condition" may have.
    encode: makes of a list with a dictionary for each row what the function is told as `condition`, once for each such
        list; without it the function is told the list itself.
    probe_condition: one that the model can be tried with before it serves, if it needs any.
    levels: abar of each level that the model was trained on; the schedule of a job has to be the same.
    decode: decode(x) makes pictures [rows, ...] of points without noise, both in numpy.
    weights: what the model computes with, to be hashed: a torch module, arrays by name, a file or several.
    tf32: whether products may be rounded to TF32 on a GPU.
    deterministic: whether to refuse to serve a model that gives other bits the second time.
    endpoint: where to listen if no worker said so, such as ipc:///tmp/model.
    """
    started = os.environ.get(ENDPOINT)
    endpoint = started or endpoint
    if endpoint is None:
        raise SystemExit("serve: nobody said where to listen; let a worker start this, or give endpoint=")
    if started:
        end_with_standard_input()
    model = ServedModel(
        energy=energy, score=score, shape=shape, rows=rows, name=name, framework_name=framework, encode=encode,
        conditions=conditions, probe_condition=probe_condition, levels=levels, decode=decode, weights=weights, tf32=tf32,
        deterministic=deterministic,
    )  # fmt: skip
    answer_all(model, endpoint)


def end_with_standard_input():
    """Ends the process when its standard input ends, whatever it is doing then."""

    def watch():
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def answer_all(model, endpoint):
    """Answers requests, one after the other, until one asks to end."""
    socket = zmq.Context.instance().socket(zmq.ROUTER)
    socket.setsockopt(zmq.LINGER, 500)
    socket.bind(endpoint)
    description = model.description()
    print(
        f"serving {description.name} ({model.gives}, {list(model.shape)}, {description.framework}, {description.device}, "
        f"fingerprint {description.fingerprint}) at {endpoint}",
        file=sys.stderr, flush=True,
    )  # fmt: skip
    ends = False
    while not ends:
        peer, *frames = (frame.buffer for frame in socket.recv_multipart(copy=False))
        reply, arrays, ends = answer(model, description, frames)
        socket.send_multipart([bytes(peer), reply.SerializeToString(), *map(as_bytes, arrays)], copy=False)
    socket.close()


def as_bytes(array):
    """The memory of an array, which is not copied."""
    return memoryview(array).cast("B") if array.size else b""


def answer(model, description, frames):
    """The reply to a request, its frames of numbers, and whether the server is to end."""
    reply, request = wire.Reply(protocol_version=PROTOCOL_VERSION), wire.Request()
    arrays, ends = [], False
    try:
        request.ParseFromString(bytes(frames[0]) if frames else b"")
        reply.call = request.call
        body = request.WhichOneof("body")
        if request.protocol_version != PROTOCOL_VERSION:
            raise Refusal(
                f"the request is of protocol version {request.protocol_version}; this server speaks {PROTOCOL_VERSION}"
            )
        if body == "describe":
            reply.description.CopyFrom(description)
        elif body == "evaluate":
            arrays = evaluate(model, request.evaluate, frames[1:])
            reply.evaluated.rows, reply.evaluated.fingerprint = request.evaluate.rows, description.fingerprint
        elif body == "decode":
            arrays = decode(model, request.decode, frames[1:])
            reply.decoded.rows = request.decode.rows
            reply.decoded.shape.extend(arrays[0].shape[1:])
        elif body == "probe":
            reply.probed.hash = model.probe()
        elif body == "shutdown":
            reply.ending.SetInParent()
            ends = True
        else:
            raise Refusal("a request of a kind that this server does not know")
    except Refusal as problem:
        reply.problem.text = str(problem)
    except Exception as problem:
        reply.problem.text = " ".join(f"{type(problem).__name__}: {problem}".split())
        reply.problem.traceback = traceback.format_exc()
    if reply.WhichOneof("body") == "problem":
        arrays = []
    return reply, arrays, ends


class Refusal(Exception):
    """A request that is not as the protocol wants it."""


def points(model, rows, frames):
    """The rows of a request, float32 [rows, *shape]."""
    wanted = rows * int(np.prod(model.shape)) * 4
    if len(frames) != 1 or len(frames[0]) != wanted:
        raise Refusal(
            f"{rows} rows of the shape {list(model.shape)} are one frame of {wanted} bytes; "
            f"{[len(frame) for frame in frames]} came"
        )
    return np.frombuffer(frames[0], "<f4").reshape(rows, *model.shape)


def evaluate(model, request, frames):
    x = points(model, request.rows, frames)
    if len(request.condition_of_row) != request.rows:
        raise Refusal(f"{request.rows} rows have {len(request.condition_of_row)} conditions")
    if max(request.condition_of_row, default=0) >= len(request.conditions):
        raise Refusal("a row has a condition that did not come")
    conditions = [request.conditions[place] for place in request.condition_of_row]
    level = Level(request.level.index, request.level.original, request.level.signal_variance)
    energy, gradient = model.evaluate(x, level, conditions)
    return [np.empty(0, "<f8") if energy is None else np.ascontiguousarray(energy), np.ascontiguousarray(gradient)]


def decode(model, request, frames):
    if model.decode is None:
        raise Refusal("this server makes no pictures")
    x = points(model, request.rows, frames)
    pictures = np.ascontiguousarray(model.decode(x), dtype="<f4")
    if len(pictures) != request.rows or pictures.ndim < 2:
        raise ValueError(f"decode gave the shape {list(pictures.shape)} for {request.rows} points")
    return [pictures]
