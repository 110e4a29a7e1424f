import importlib.util
import unittest

import numpy as np

from gaussian_server import energy
from rrr_server.levels import Level
from rrr_server.model import ServedModel

HALF = Level(3, 3, 0.5)


def gaussian(**changes):
    return ServedModel(**{"energy": energy, "shape": [2], "rows": 8, "conditions": ["fault"], **changes})


class ServedModels(unittest.TestCase):
    def test_gradients_are_those_of_the_energy(self):
        model = gaussian()
        x = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
        value, gradient = model.evaluate(x, HALF, ["{}"] * 5)
        self.assertEqual((value.dtype, gradient.dtype), (np.dtype("<f8"), np.dtype("<f4")))
        for axis in range(2):
            step = np.zeros_like(x)
            step[:, axis] = 1 / 64
            rise = model.evaluate(x + step, HALF, ["{}"] * 5)[0] - model.evaluate(x - step, HALF, ["{}"] * 5)[0]
            np.testing.assert_allclose(rise * 32, gradient[:, axis], rtol=1e-4, atol=1e-4)

    def test_every_evaluation_has_the_same_number_of_rows(self):
        seen = []

        def score(x, level, condition):
            seen.append((len(x), len(condition)))
            return -x

        model = gaussian(energy=None, score=score, rows=6)
        seen.clear()
        value, gradient = model.evaluate(np.ones((2, 2), np.float32), HALF, ["{}", '{"fault":null}'])
        self.assertIsNone(value)
        np.testing.assert_array_equal(gradient, np.ones((2, 2)))
        self.assertEqual(seen, [(6, 6)])
        with self.assertRaisesRegex(ValueError, "7 rows came"):
            model.evaluate(np.ones((7, 2), np.float32), HALF, ["{}"] * 7)

    def test_the_fingerprint_tells_models_and_batches_apart(self):
        def shifted(x, level, condition):
            return energy(x - np.float32(1e-3), level, condition)

        prints = [
            gaussian(**changes).description().fingerprint
            for changes in ({}, {}, {"rows": 9}, {"energy": shifted}, {"weights": {"mean": np.ones(2)}})
        ]
        self.assertEqual(prints[0], prints[1])
        self.assertEqual(len(set(prints)), 4)

    def test_a_model_that_gives_other_bits_the_second_time_is_refused(self):
        noise = np.random.default_rng(2)
        with self.assertRaisesRegex(RuntimeError, "different bits"):
            gaussian(energy=lambda x, level, condition: (noise.normal(size=len(x)), x))

    def test_results_of_another_shape_are_refused(self):
        with self.assertRaisesRegex(ValueError, r"the energy has the shape \[8, 1\], and \[8\] is needed"):
            gaussian(probe_condition={"fault": "shape"})
        with self.assertRaisesRegex(ValueError, r"the gradient has the shape \[8\]"):
            gaussian(energy=lambda x, level, condition: (x[:, 0], x[:, 0]))
        with self.assertRaisesRegex(TypeError, "numpy has no gradients"):
            gaussian(energy=lambda x, level, condition: x[:, 0])

    def test_conditions_that_the_model_does_not_know_are_refused(self):
        with self.assertRaisesRegex(ValueError, 'no condition "promt"'):
            gaussian().evaluate(np.zeros((1, 2), np.float32), HALF, ['{"promt":"a horse"}'])

    def test_conditions_are_encoded_once_for_each_batch_of_them(self):
        calls = []

        def encode(conditions):
            calls.append(conditions)
            return np.array([condition.get("label", 0) for condition in conditions], np.float32)

        model = gaussian(
            energy=lambda x, level, labels: (labels.astype(float), x), conditions=["label"], encode=encode, rows=3
        )
        calls.clear()
        for _ in range(3):
            value, _ = model.evaluate(np.zeros((2, 2), np.float32), HALF, ['{"label":4}', '{"label":7}'])
            np.testing.assert_array_equal(value, [4, 7])
        self.assertEqual(len(calls), 1)


@unittest.skipUnless(importlib.util.find_spec("torch"), "torch is not installed")
class TorchModels(unittest.TestCase):
    def test_gradients_come_of_autograd(self):
        model = gaussian(
            energy=lambda x, level, condition: (x**4).sum(dim=1) * level.signal_variance, framework_name="torch"
        )
        x = np.random.default_rng(3).normal(size=(8, 2)).astype(np.float32)
        value, gradient = model.evaluate(x, HALF, ["{}"] * 8)
        np.testing.assert_allclose(value, (x**4).sum(axis=1) / 2, rtol=1e-6)
        np.testing.assert_allclose(gradient, 2 * x**3, rtol=1e-5)

    def test_weights_of_a_module_are_hashed(self):
        import torch

        torch.manual_seed(0)
        layer, other = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)

        def described(layer):
            return gaussian(
                energy=lambda x, level, condition: layer(x)[:, 0], framework_name="torch", weights=layer
            ).description()

        self.assertEqual(described(layer).weights, described(layer).weights)
        self.assertNotEqual(described(layer).weights, described(other).weights)


@unittest.skipUnless(importlib.util.find_spec("jax"), "jax is not installed")
class JaxModels(unittest.TestCase):
    def test_gradients_come_of_autograd_and_levels_are_traced(self):
        model = gaussian(
            energy=lambda x, level, condition: (x**4).sum(axis=1) * level.noise * condition,
            framework_name="jax", conditions=["scale"],
            encode=lambda conditions: np.array([condition.get("scale", 1) for condition in conditions], np.float32),
        )  # fmt: skip
        x = np.random.default_rng(4).normal(size=(8, 2)).astype(np.float32)
        for level in (HALF, Level(9, 9, 0.19)):
            value, gradient = model.evaluate(x, level, ['{"scale":3}'] * 8)
            np.testing.assert_allclose(value, 3 * level.noise * (x**4).sum(axis=1), rtol=1e-5)
            np.testing.assert_allclose(gradient, 12 * level.noise * x**3, rtol=1e-5)


if __name__ == "__main__":
    unittest.main()
