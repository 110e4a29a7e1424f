"""What turns a user's function into one from numpy arrays to numpy arrays, for each framework.

Each class evaluates `rows` points at once: `evaluate(x, level, condition)` takes x float32 [rows, *shape] and gives
(energies float64 [rows], or None for a score; gradient of the energy float32 [rows, *shape]). Each sets what makes its
framework give the same bits again.
"""

import os

import numpy as np


def framework(name):
    """The class of a framework by its name."""
    known = {"numpy": Numpy, "torch": Torch, "jax": Jax}
    if name not in known:
        raise ValueError(f'framework is "{name}"; it is one of {sorted(known)}')
    return known[name]


class Model:
    """What all have in common: checks of what the user's function gave."""

    def __init__(self, function, gives, shape, tf32):
        self.function, self.gives, self.shape = function, gives, tuple(shape)

    def checked(self, what, array, rows, kind):
        """The array in its type on the wire; it has to have the shape that the protocol wants."""
        wanted = (rows,) if what == "energy" else (rows, *self.shape)
        array = np.asarray(array)
        if array.shape != wanted:
            raise ValueError(f"the {what} has the shape {list(array.shape)}, and {list(wanted)} is needed")
        return np.ascontiguousarray(array, dtype=kind)

    def results(self, energy, gradient, rows):
        """What `evaluate` gives, checked."""
        gradient = self.checked("gradient" if self.gives == "energy" else "score", gradient, rows, "<f4")
        if self.gives == "score":
            return None, -gradient
        return self.checked("energy", energy, rows, "<f8"), gradient


class Numpy(Model):
    """A function that gives the pair of energy and gradient, or the score."""

    name, device = "numpy " + np.__version__, "cpu"

    def evaluate(self, x, level, condition):
        result = self.function(x, level, condition)
        if self.gives == "score":
            return self.results(None, result, len(x))
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError("an energy in numpy has to give the pair (energy, gradient): numpy has no gradients of its own")
        return self.results(result[0], result[1], len(x))


class Torch(Model):
    """A function of a tensor on the model's device; gradients come of autograd."""

    def __init__(self, function, gives, shape, tf32):
        super().__init__(function, gives, shape, tf32)
        # Before the first product on a GPU: cuBLAS is reproducible only with a workspace of fixed size.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        import torch

        self.torch = torch
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        on_gpu = torch.cuda.is_available()
        self.place = torch.device("cuda" if on_gpu else "cpu")
        # Sums on a CPU are in another order with another number of threads.
        self.device = torch.cuda.get_device_name() if on_gpu else f"cpu, {torch.get_num_threads()} threads"
        self.name = f"torch {torch.__version__}"

    def evaluate(self, x, level, condition):
        torch = self.torch
        points = torch.from_numpy(x).to(self.place)
        if self.gives == "score":
            with torch.no_grad():
                return self.results(None, self.function(points, level, condition).cpu().numpy(), len(x))
        points.requires_grad_(True)
        energy = self.function(points, level, condition)
        if tuple(energy.shape) != (len(x),):
            raise ValueError(f"the energy has the shape {list(energy.shape)}, and [{len(x)}] is needed: one for each row")
        (gradient,) = torch.autograd.grad(energy.sum(), points)
        return self.results(energy.detach().cpu().numpy(), gradient.cpu().numpy(), len(x))


class Jax(Model):
    """A function that can be traced; it is compiled once. Level and condition come as arrays, the latter as `encode`
    gives it."""

    def __init__(self, function, gives, shape, tf32):
        super().__init__(function, gives, shape, tf32)
        import jax

        if not tf32:
            jax.config.update("jax_default_matmul_precision", "highest")
        self.device = jax.devices()[0].device_kind
        self.name = f"jax {jax.__version__}"
        if gives == "score":
            self.compiled = jax.jit(function)
            return

        def total(x, level, condition):
            energy = function(x, level, condition)
            return energy.sum(), energy

        self.compiled = jax.jit(jax.grad(total, has_aux=True))

    def evaluate(self, x, level, condition):
        result = self.compiled(x, level, condition)
        if self.gives == "score":
            return self.results(None, result, len(x))
        return self.results(result[1], result[0], len(x))
