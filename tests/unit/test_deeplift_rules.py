"""DeepLIFT's rules on networks written in many ways: the same function, the same answer."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from workbench.core.errors import InvalidInputError
from workbench.numerics.deeplift import DeepLift


def numbers(*shape, seed=0):
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )  # fmt: skip


def linear(n_inputs, n_outputs, seed=0):
    layer = nn.Linear(n_inputs, n_outputs).double().requires_grad_(requires_grad=False)
    layer.weight.copy_(2 * numbers(n_outputs, n_inputs, seed=seed) / n_inputs**0.5)
    layer.bias.copy_(numbers(n_outputs, seed=seed + 50))
    return layer


X, B = numbers(40, 12, seed=1), numbers(40, 12, seed=2)
ONE, TWO, THREE = linear(12, 32, 3), linear(32, 32, 4), linear(32, 2, 5)
SEPARATE = nn.Sequential(ONE, nn.ReLU(), TWO, nn.ReLU(), THREE)


def relative_gap(forward, got, x=X, b=B):
    moved = forward(x) - forward(b)
    return float((moved - got.sum(1)).abs().max() / moved.abs().max())


def contributions(forward, x=X, b=B, *, constant_sum=False):
    return DeepLift(forward, b).contributions(x, constant_sum=constant_sum)


def reused(x, relu=nn.ReLU()):  # noqa: B008 - one module for both places
    return THREE(relu(TWO(relu(ONE(x)))))


def functions(x):
    return THREE(functional.relu(TWO(functional.relu(ONE(x)))))


def in_place(x):
    hidden = functional.relu(TWO(ONE(x).relu_()), inplace=True)
    return THREE(hidden)


def in_place_seen_by_others(x):
    hidden = ONE(x)
    nn.ReLU(inplace=True)(hidden)  # changes `hidden` itself
    return THREE(TWO(hidden).clamp_(min=0))


def other_names(x):
    hidden = ONE(x)
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    return THREE(torch.maximum(TWO(hidden), torch.zeros(())))


SAME = [reused, functions, in_place, in_place_seen_by_others, other_names]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("forward", SAME, ids=lambda f: f.__name__)
def test_however_a_relu_is_written(forward, dtype):
    """Spec S8: reused modules and functional calls give what separate modules give."""
    layers = ONE, TWO, THREE
    for layer in layers:
        layer.to(dtype)
    try:
        x, b = X.to(dtype), B.to(dtype)
        expected, got = contributions(SEPARATE, x, b), contributions(forward, x, b)
        assert torch.equal(got, expected) or float((got - expected).abs().max()) < 1e-12
        assert relative_gap(forward, got, x, b) < (1e-14 if dtype == torch.float64 else 2e-6)
    finally:
        for layer in layers:
            layer.double()


ACTIVATIONS = [nn.ReLU(), nn.LeakyReLU(), nn.ELU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()]


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning")
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_equals_captum_where_that_knows_the_module(activation):
    from captum.attr import DeepLift as Peer

    net = nn.Sequential(ONE, activation, nn.Dropout().eval(), TWO, type(activation)(), THREE)
    x, b = X.clone().requires_grad_(), B.clone().requires_grad_()
    expected = [Peer(net).attribute(x, b, target=target).detach() for target in (0, 1)]
    got = contributions(net)
    torch.testing.assert_close(got, torch.stack(expected, -1), rtol=1e-9, atol=1e-9)


def by_definition(forward_of_units, x, b):
    """Multipliers of one layer of units, one unit at a time, straight from the formula."""
    return (forward_of_units(x) - forward_of_units(b)) / (x - b)


UNITS = [nn.GELU(), nn.SiLU(), nn.Mish(), nn.SELU(), nn.Hardswish(), nn.Hardtanh(), nn.Softsign(),
         nn.LogSigmoid(), nn.ReLU6(), nn.Softshrink(), torch.exp, torch.sin, torch.abs, torch.round,
         torch.square, lambda x: x**3, lambda x: 2.0**x, lambda x: 1 / (3 + x.abs()),
         lambda x: x.clamp(-0.5, 0.5), lambda x: x.masked_fill(x < 0, 0.0)]  # fmt: skip


@pytest.mark.parametrize("place", range(len(UNITS)))
def test_units_follow_the_rescale_rule(place):
    unit = UNITS[place]
    expected = torch.diag_embed(by_definition(unit, X, B) * (X - B))
    torch.testing.assert_close(contributions(unit), expected, rtol=1e-8, atol=1e-9)


def test_products_are_shared_by_the_means():
    """For a*b the rule is mean(b) * change of a + mean(a) * change of b."""

    def forward(x):
        return x[:, :6] * x[:, 6:]

    a, b, a0, b0 = X[:, :6], X[:, 6:], B[:, :6], B[:, 6:]
    of_a, of_b = (b + b0) / 2 * (a - a0), (a + a0) / 2 * (b - b0)
    expected = torch.cat([torch.diag_embed(of_a), torch.diag_embed(of_b)], 1)
    torch.testing.assert_close(contributions(forward), expected)


def test_softmax_of_two_is_the_rescale_rule_of_the_sigmoid():
    by_softmax = contributions(lambda x: SEPARATE(x).softmax(-1), constant_sum=True)

    def by_sigmoid(x):
        logits = SEPARATE(x)
        return torch.sigmoid(logits[:, 1:] - logits[:, :1])

    torch.testing.assert_close(by_softmax[..., 1:], contributions(by_sigmoid))
    torch.testing.assert_close(by_softmax[..., 0], -by_softmax[..., 1])


def test_softmax_takes_the_mean_slope_between_two_rows():
    """Against a Riemann sum of the Jacobian with 20,000 steps."""
    x, b = 3 * numbers(5, 4, seed=8), 3 * numbers(5, 4, seed=9)
    places = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    p = (b + places[:, None, None] * (x - b)).softmax(-1)  # (q, n, 4)
    jacobian = torch.diag_embed(p.mean(0)) - torch.einsum("qnj,qnk->njk", p, p) / len(places)
    got = contributions(lambda z: z.softmax(-1), x, b)
    torch.testing.assert_close(got, jacobian * (x - b)[:, :, None], rtol=1e-6, atol=1e-7)
    assert float(got.sum(2).abs().max()) < 1e-12


NORM, POOL, ATTENTION = nn.LayerNorm(32).double(), nn.MaxPool1d(4), nn.MultiheadAttention(8, 2)
BATCH, PRELU = nn.BatchNorm1d(32).double().eval(), nn.PReLU(32).double()
BATCH.running_mean.normal_(generator=torch.Generator().manual_seed(0))
for module in (NORM, BATCH, PRELU, ATTENTION.double().eval()):
    module.requires_grad_(requires_grad=False)
for seed, parameter in enumerate(ATTENTION.parameters()):
    parameter.copy_(numbers(*parameter.shape, seed=seed))


def attended(x):
    tokens = ONE(x).unflatten(1, (4, 8)).transpose(0, 1)  # rows along the second axis
    return ATTENTION(tokens, tokens, tokens)[0].mean(0)


def written_to(x):
    hidden = TWO(ONE(x).tanh())
    hidden[:, :4] = hidden[:, 4:8].sigmoid()
    hidden += 1
    hidden *= 0.5
    return hidden


NETWORKS = {
    "residual": (lambda x: THREE((h := ONE(x)) + TWO(h.relu())), 1e-13),
    "concatenated": (lambda x: torch.cat([ONE(x).relu(), x.sigmoid()], 1)[:, 20:40], 1e-13),
    "written to": (written_to, 1e-13),
    "batch norm": (lambda x: THREE(BATCH(ONE(x)).relu()), 1e-13),
    "prelu": (lambda x: THREE(PRELU(ONE(x))), 1e-13),
    "dropout": (lambda x: THREE(functional.dropout(ONE(x).relu(), 0.5, training=False)), 1e-13),
    "layer norm": (lambda x: THREE(NORM(ONE(x)).relu()), 1e-13),
    "layer norm by hand": (lambda x: ((h := ONE(x)) - h.mean(1, keepdim=True)) / h.std(1)[:, None],
                           1e-13),
    "max pool": (lambda x: POOL(ONE(x)[:, None])[:, 0], 1e-13),
    "largest": (lambda x: ONE(x).unflatten(1, (8, 4)).max(-1).values, 1e-13),
    "log softmax": (lambda x: SEPARATE(x).log_softmax(-1), 1e-13),
    "gated": (lambda x: functional.glu(ONE(x)), 1e-13),
    "own gate": (lambda x: ONE(x).sigmoid() * TWO(ONE(x).tanh()), 1e-13),
    "power of two": (lambda x: (1 + ONE(x).square()) ** TWO(ONE(x)).tanh(), 1e-13),
    "bilinear": (lambda x: torch.einsum("ni,nj->nij", ONE(x)[:, :3], x[:, :3]).flatten(1), 1e-13),
    "attention, rows second": (attended, 1e-13),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_adds_up(name):
    forward, tolerance = NETWORKS[name]
    rule = DeepLift(forward, B)
    got = rule.contributions(X, constant_sum=False)
    assert torch.isfinite(got).all()
    assert relative_gap(forward, got) < tolerance
    torch.testing.assert_close(rule.outputs, forward(B))


def test_rows_do_not_depend_on_each_other():
    forward = NETWORKS["layer norm"][0]
    together = contributions(forward)
    for row in (0, 17):
        alone = contributions(forward, X[row : row + 1], B[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone)


def test_a_row_against_itself_and_nearly_so():
    """No division by nothing: zero, and next to it the slope."""
    smooth = nn.Sequential(ONE, nn.Tanh(), TWO, nn.Softplus(), THREE)
    assert torch.equal(contributions(smooth, B, B), torch.zeros(40, 12, 2, dtype=torch.float64))
    step = 1e-7 * numbers(40, 12, seed=7)
    leaf = B.clone().requires_grad_()
    slope = torch.autograd.grad(smooth(leaf)[:, 0].sum(), leaf)[0]
    got = contributions(smooth, B + step, B)[..., 0]
    torch.testing.assert_close(got / step, slope, rtol=1e-5, atol=1e-5)


def test_names_what_it_averaged_and_what_has_no_slope():
    rule = DeepLift(lambda x: (ONE(x) * (ONE(x) > 0)).softmax(-1), B)
    assert rule.averaged == ("softmax",)
    assert rule.passed_over == ("gt",)
    assert DeepLift(SEPARATE, B).averaged == ()


@pytest.mark.parametrize("shorter", [False, True])
def test_refuses_a_network_that_goes_other_ways(shorter):
    def forward(x):
        if bool((x == B).all()):
            return ONE(x).relu()
        return ONE(x) if shorter else ONE(x).tanh()

    with pytest.raises(InvalidInputError, match="takes other steps for a row than for a backgr"):
        contributions(forward)


def test_leaves_the_network_alone():
    net = nn.Sequential(ONE, nn.ReLU(inplace=True), THREE)
    x, b = X.clone(), B.clone()
    contributions(net, x, b)
    assert torch.equal(x, X)
    assert torch.equal(b, B)
    assert not any(m._forward_hooks or m._backward_hooks for m in net.modules())
    assert all(p.grad is None for p in net.parameters())
