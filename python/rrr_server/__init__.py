"""Model servers: a Python function as a leaf of a job's composition.

    from rrr_server import serve

    def energy(x, level, condition):
        return 0.5 * (x**2).sum(axis=1), x

    serve(energy=energy, shape=[2])

See docs/servers.md.
"""

from .levels import Level
from .serving import serve

__all__ = ["Level", "serve"]
