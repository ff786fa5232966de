"""The same network with random parameters, to see whether an explanation depends on them."""

import copy
from dataclasses import replace

import numpy as np
import torch

from workbench.core.model import Model


def randomised(model: Model, generator: np.random.Generator) -> Model:
    """Return a copy of a model whose parameters are shuffled within each tensor.

    So each layer keeps the spread of its weights and loses what it has learned. The model itself
    stays as it is.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps.
    """
    network = copy.deepcopy(model.network)
    with torch.no_grad():
        for parameter in network.parameters():
            order = torch.from_numpy(generator.permutation(parameter.numel()))
            shuffled = parameter.flatten()[order.to(parameter.device)]
            parameter.copy_(shuffled.view_as(parameter))
    return replace(model, network=network, explainers=())
