"""Noise levels, as models are told of them."""

from typing import NamedTuple


class Level(NamedTuple):
    """A noise level of the job's schedule: x_t = signal x_0 + noise eps."""

    index: int
    """0 for the least noisy of the schedule."""
    original: int
    """The index among the levels that a model is trained on; the same, unless the job uses a part of the levels."""
    signal_variance: float
    """abar, the part of the variance of the data that is left."""

    @property
    def signal(self):
        """sqrt(abar), by which the data are scaled."""
        return self.signal_variance**0.5

    @property
    def noise(self):
        """sigma = sqrt(1 - abar), the standard deviation of the noise."""
        return (1 - self.signal_variance) ** 0.5
