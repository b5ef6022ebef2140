"""A live module sharded over two processes, made on the meta device."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

import netdsl

TEXT = """\
net Block:
    input x: [B, T, C]
    param gate: [C] = ones
    (x -> { skip | norm: LayerNorm -> fc: Linear(C) -> relu: ReLU } -> add) * gate

net Model(vocab: int = 16, width: int = 8, depth: int = 2):
    input tokens: int64[B, T]  where T <= 12
    param start: [1, 1, width] = normal(std=0.5)
    buffer scale: [1, 12, 1] = 2.0
    buffer steps: [12] = arange(12) / 12, persistent=False
    x = (tokens -> embed: Embedding(vocab, width)) + start
    x * scale[:, :T] + steps[:T, None]
      -> blocks: [Block for _ in range(depth)] -> head: Linear(vocab)
"""
TOKENS = torch.arange(20).view(2, 10) % 16


def full(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        k: v.full_tensor() if hasattr(v, "full_tensor") else v
        for k, v in model.state_dict().items()
    }


def work(rank: int, folder: str, wanted: bytes) -> None:
    from torch.distributed.fsdp import fully_shard

    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    store = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    try:
        _sharded_run(fully_shard, wanted)
    finally:
        dist.destroy_process_group()


def _sharded_run(fully_shard: Any, pickled: bytes) -> None:
    with torch.device("meta"):
        model = netdsl.loads(TEXT)
    for block in model.blocks:
        fully_shard(block)
    fully_shard(model)
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()

    state = full(model)
    assert torch.equal(state["blocks.1.gate"], torch.ones(8))
    assert torch.equal(state["scale"], torch.full((1, 12, 1), 2.0))
    assert torch.equal(model.steps, torch.arange(12) / 12)
    assert 0 < state["start"].std() < 2

    whole = pickle.loads(pickled)
    for name, parameter in model.named_parameters():
        source = whole.get_parameter(name).detach()
        shard = torch.distributed.tensor.distribute_tensor(
            source, parameter.device_mesh, parameter.placements
        )
        with torch.no_grad():
            parameter.copy_(shard)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    got, wanted = model(TOKENS), whole(TOKENS)
    assert torch.allclose(got, wanted, atol=1e-6)
    got.square().mean().backward()
    optimizer.step()
    twin = torch.optim.SGD(whole.parameters(), lr=0.1)
    wanted.square().mean().backward()
    twin.step()
    for name, tensor in full(model).items():
        assert torch.allclose(tensor, whole.state_dict()[name], atol=1e-5), name


@pytest.mark.skipif(not dist.is_available(), reason="torch without distributed")
def test_fully_shard_on_two_processes(tmp_path: Path) -> None:
    model = netdsl.loads(TEXT)
    mp.spawn(work, args=(str(tmp_path), pickle.dumps(model)), nprocs=2)
