"""Thresholds that differ by group, so that groups are granted alike."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Among = Literal["all", "favourable"]
TARGETS = 200


@dataclass(frozen=True)
class Thresholds:
    """Scores from which each group is granted; NaN where a group keeps the model's own decision."""

    values: Float[np.ndarray, " g"]

    def decide(
        self,
        scores: Float[np.ndarray, " n"],
        own: Float[np.ndarray, " n"],
        group: Int[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        """Return 1 for who is granted, else 0."""
        limit = self.values[group]
        found: np.ndarray = np.where(np.isnan(limit), own, scores >= limit).astype(np.float64)
        return found


def equal_shares(
    scores: Float[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    among: Among,
) -> list[Thresholds]:
    r"""Return for each of a grid of shares the thresholds with which all groups have it.

    Of a group with scores :math:`s_{(1)} \ge s_{(2)} \ge \dots` the share :math:`t` is granted
    from :math:`s_{(\mathrm{round}(tn))}` on; equal scores are granted or refused together, so that
    shares are met up to ties.

    Parameters
    ----------
    among
        Whose share: of ``all`` rows, or of those with the ``favourable`` outcome.
    """
    counted = np.ones(len(scores), bool) if among == "all" else truth == 1
    ordered = [np.sort(scores[counted & (group == g)])[::-1] for g in range(n_groups)]
    found = []
    for share in np.linspace(0, 1, TARGETS + 1):
        limits = np.full(n_groups, np.nan)
        for g, own in enumerate(ordered):
            if not len(own):
                continue
            granted = round(share * len(own))
            limits[g] = np.inf if not granted else own[granted - 1]
        found.append(Thresholds(limits))
    return found
