import os
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

from gaussian_server import energy
from rrr_server import model_server_pb2 as wire
from rrr_server.client import Client, ServerProblem
from rrr_server.levels import Level

HERE = os.path.dirname(os.path.abspath(__file__))
HALF = Level(3, 3, 0.5)


class Servers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.endpoint = f"ipc://{folder.name}/model"
        self.environment = {
            **os.environ, "PYTHONPATH": os.path.dirname(HERE), "RRR_SERVER_ENDPOINT": self.endpoint
        }  # fmt: skip

    def start(self, *command, stdin=subprocess.PIPE):
        process = subprocess.Popen(
            command or [sys.executable, f"{HERE}/gaussian_server.py"], stdin=stdin, stderr=subprocess.DEVNULL,
            env=self.environment,
        )  # fmt: skip

        def clean():
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()

        self.addCleanup(clean)
        return process

    def client(self, seconds=20):
        client = Client(self.endpoint, seconds)
        self.addCleanup(client.__exit__)
        return client

    def test_a_server_tells_what_it_is_and_evaluates(self):
        self.start()
        client = self.client()
        description = client.describe()
        self.assertEqual((description.name, list(description.shape), description.rows), ("gaussian", [2], 16))
        self.assertEqual(description.gives, wire.GIVES_ENERGY)
        x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
        value, gradient = client.evaluate(x, HALF)
        expected = energy(x, HALF, [{}] * 5)
        np.testing.assert_array_equal(value, expected[0])
        np.testing.assert_array_equal(gradient, expected[1].astype(np.float32))
        self.assertEqual(len(client.probe()), 64)
        np.testing.assert_array_equal(client.decode(np.repeat(x, 4, axis=0)), np.repeat(np.repeat(x, 4, axis=0), 2, axis=1))

    def test_an_exception_is_told_with_its_traceback_and_the_server_goes_on(self):
        self.start()
        client = self.client()
        with self.assertRaisesRegex(ServerProblem, "RuntimeError: told to fail") as problem:
            client.evaluate(np.zeros((2, 2)), HALF, [{}, {"fault": "exception"}])
        self.assertIn("gaussian_server.py", problem.exception.traceback)
        with self.assertRaisesRegex(ServerProblem, r"the energy has the shape \[16, 1\]"):
            client.evaluate(np.zeros((2, 2)), HALF, [{}, {"fault": "shape"}])
        self.assertEqual(len(client.evaluate(np.zeros((2, 2)), HALF)[0]), 2)

    def test_another_version_and_broken_requests_are_refused(self):
        self.start()
        client = self.client()
        with self.assertRaisesRegex(ServerProblem, "protocol version 99; this server speaks 1"):
            client.ask(wire.Request(protocol_version=99, describe=wire.Describe()))
        with self.assertRaisesRegex(ServerProblem, "are one frame of 16 bytes"):
            client.ask(
                wire.Request(evaluate=wire.Evaluate(rows=2, conditions=["{}"], condition_of_row=[0, 0])), b"short"
            )
        with self.assertRaisesRegex(ServerProblem, "a condition that did not come"):
            client.ask(wire.Request(evaluate=wire.Evaluate(rows=1, condition_of_row=[0])), bytes(8))
        with self.assertRaisesRegex(ServerProblem, "does not know"):
            client.ask(wire.Request())

    def test_a_server_ends_when_asked_to(self):
        process = self.start()
        self.client().shut_down()
        self.assertEqual(process.wait(10), 0)

    def test_a_server_ends_with_its_standard_input_even_while_it_hangs(self):
        process = self.start()
        client = self.client(seconds=1)
        client.describe()
        with self.assertRaises(TimeoutError):
            client.evaluate(np.zeros((1, 2)), HALF, [{"fault": "hang"}])
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)

    def test_a_server_ends_when_whoever_started_it_was_killed(self):
        starter = self.start(
            sys.executable, "-c",
            f"import subprocess, sys, time; subprocess.Popen([sys.executable, {HERE + '/gaussian_server.py'!r}], "
            "stdin=subprocess.PIPE); time.sleep(600)",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        client = self.client()
        client.describe()
        starter.kill()
        starter.wait()
        client.seconds = 1
        deadline = time.monotonic() + 10
        with self.assertRaises(TimeoutError):
            while time.monotonic() < deadline:
                client.describe()


if __name__ == "__main__":
    unittest.main()
