"""Where to compute: what is asked for, what the machine has, and what running out looks like."""

import pytest
import torch

from workbench.core.errors import InvalidInputError
from workbench.numerics.devices import (
    choose_device,
    describe_device,
    free_cache,
    is_out_of_memory,
    memory_budget,
    to_host,
)


def machine(monkeypatch, *, cuda=0, mps=False):
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(0, False, "cpu"), (2, False, "cuda:0"), (0, True, "mps"), (1, True, "cuda:0")],
)
def test_auto_takes_the_fastest_there_is(cuda, mps, chosen, monkeypatch):
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert {choose_device(), choose_device("auto"), choose_device("AUTO")} == {torch.device(chosen)}


def test_the_environment_decides_unless_asked(monkeypatch):
    machine(monkeypatch, cuda=2)
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    assert choose_device() == torch.device("cpu")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    monkeypatch.setenv("WORKBENCH_DEVICE", "")
    assert choose_device() == choose_device("cuda") == torch.device("cuda:0")
    monkeypatch.setenv("WORKBENCH_DEVICE", "gpu")
    with pytest.raises(InvalidInputError, match="There is no device 'gpu'; choose auto, cpu, cuda"):
        choose_device()


@pytest.mark.parametrize(
    "name",
    [
        "gpu", "cuda:x", "cuda:-1", "cpu:x", "meta", " ", "cuda:0:1",
        "cpu:",
    ],
)  # fmt: skip
def test_an_unknown_device(name, monkeypatch):
    machine(monkeypatch, cuda=2)
    with pytest.raises(InvalidInputError) as caught:
        choose_device(name)
    assert str(caught.value) == f"There is no device {name!r}; choose auto, cpu, cuda or mps."


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "cpu:1"])
def test_a_device_that_this_machine_lacks(name, monkeypatch):
    machine(monkeypatch)
    with pytest.raises(InvalidInputError) as caught:
        choose_device(name)
    assert str(caught.value) == f"This machine has no device {name!r}; choose auto or cpu."


def test_a_second_gpu_where_there_is_one(monkeypatch):
    machine(monkeypatch, cuda=1)
    with pytest.raises(InvalidInputError, match="This machine has no device 'cuda:1'"):
        choose_device("cuda:1")


def test_names_for_people(monkeypatch):
    assert describe_device(torch.device("cpu")) == f"cpu, {torch.get_num_threads()} threads"
    assert describe_device(torch.device("mps")) == "mps"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    assert describe_device(torch.device("cuda:3")) == "GPU 3"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 b"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("not enough memory"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_tells_lack_of_memory_from_other_faults(error, expected):
    assert is_out_of_memory(error) == expected


def test_recognises_what_this_machine_says_when_memory_runs_out():
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)


def test_emptying_the_cache_is_for_gpus_only(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    free_cache(torch.device("cpu"))
    assert not emptied
    free_cache(torch.device("cuda"))
    assert emptied == [True]


@pytest.mark.cuda
def test_a_full_gpu_is_recognised():
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(2**50, device="cuda")
    assert is_out_of_memory(caught.value)


def test_a_larger_gpu_may_hold_more_at_once(monkeypatch):
    """Known from the device alone, so that a run takes the same steps there every time."""

    class Properties:
        total_memory = 80 * 2**30

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)
    assert memory_budget(torch.device("cuda:0")) == 5 * 2**30
    Properties.total_memory = 4 * 2**30
    assert memory_budget(torch.device("cuda:0")) == 2**29
    assert memory_budget(torch.device("cpu")) == 2**29


@pytest.mark.cuda
def test_what_comes_from_the_gpu_is_what_was_there():
    table = torch.randn(1000, 70, device="cuda", dtype=torch.float64)
    got = to_host(table[:, ::2])
    assert got.device.type == "cpu"
    torch.testing.assert_close(got, table[:, ::2].cpu(), rtol=0, atol=0)
    assert to_host(table[:0]).shape == (0, 70)
