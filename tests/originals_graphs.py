"""Nets on graphs, written by hand after the layers of PyTorch Geometric."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from originals import Original
from torch import Tensor, nn


def add_self_loops(edge_index: Tensor, num_nodes: int) -> Tensor:
    loop_index = torch.arange(0, num_nodes, dtype=torch.long)
    loop_index = loop_index.unsqueeze(0).repeat(2, 1)
    return torch.cat([edge_index, loop_index], dim=1)


def scatter_sum(src: Tensor, index: Tensor, dim_size: int) -> Tensor:
    out = src.new_zeros(dim_size, *src.shape[1:])
    return out.index_add_(0, index, src)


def softmax(src: Tensor, index: Tensor, num_nodes: int) -> Tensor:
    """The softmax over all entries of the same index."""
    expanded = index.unsqueeze(-1).expand_as(src)
    src_max = src.new_zeros(num_nodes, src.shape[1])
    src_max = src_max.scatter_reduce_(
        0, expanded, src.detach(), reduce="amax", include_self=False
    )
    out = (src - src_max.index_select(0, index)).exp()
    out_sum = scatter_sum(out, index, num_nodes) + 1e-16
    return out / out_sum.index_select(0, index)


def gcn_norm(edge_index: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """The edges with self loops, and `D^-1/2 A D^-1/2` on them."""
    edge_index = add_self_loops(edge_index, num_nodes)
    row, col = edge_index[0], edge_index[1]
    edge_weight = torch.ones(edge_index.shape[1])
    deg = scatter_sum(edge_weight, col, num_nodes)
    deg_inv_sqrt = deg.pow(-0.5)
    deg_inv_sqrt.masked_fill_(deg_inv_sqrt == float("inf"), 0)
    return edge_index, deg_inv_sqrt[row] * edge_weight * deg_inv_sqrt[col]


class GCNConv(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.lin = nn.Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.lin.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        num_nodes = x.shape[0]
        edge_index, norm = gcn_norm(edge_index, num_nodes)
        x = self.lin(x)
        x_j = x.index_select(0, edge_index[0])
        out = scatter_sum(norm.view(-1, 1) * x_j, edge_index[1], num_nodes)
        return out + self.bias


class GATConv(nn.Module):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        heads: int = 1,
        concat: bool = True,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.heads = heads
        self.concat = concat
        self.negative_slope = negative_slope
        self.dropout = dropout
        self.lin = nn.Linear(in_channels, heads * out_channels, bias=False)
        self.att_src = nn.Parameter(torch.empty(1, heads, out_channels))
        self.att_dst = nn.Parameter(torch.empty(1, heads, out_channels))
        self.bias = nn.Parameter(
            torch.empty(heads * out_channels if concat else out_channels)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.lin.weight)
        nn.init.xavier_uniform_(self.att_src)
        nn.init.xavier_uniform_(self.att_dst)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        num_nodes = x.shape[0]
        x = self.lin(x).view(-1, self.heads, self.out_channels)
        alpha_src = (x * self.att_src).sum(dim=-1)
        alpha_dst = (x * self.att_dst).sum(dim=-1)
        edge_index = add_self_loops(edge_index, num_nodes)
        source, target = edge_index[0], edge_index[1]
        alpha = alpha_src.index_select(0, source) + alpha_dst.index_select(0, target)
        alpha = F.leaky_relu(alpha, self.negative_slope)
        alpha = softmax(alpha, target, num_nodes)
        alpha = F.dropout(alpha, p=self.dropout, training=self.training)
        messages = alpha.unsqueeze(-1) * x.index_select(0, source)
        out = scatter_sum(messages, target, num_nodes)
        if self.concat:
            out = out.view(-1, self.heads * self.out_channels)
        else:
            out = out.mean(dim=1)
        return out + self.bias


class GCN(nn.Module):
    def __init__(
        self, in_channels: int, hidden_channels: int = 16, out_channels: int = 7
    ) -> None:
        super().__init__()
        self.conv1 = GCNConv(in_channels, hidden_channels)
        self.conv2 = GCNConv(hidden_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = F.dropout(x, p=0.5, training=self.training)
        x = F.relu(self.conv1(x, edge_index))
        x = F.dropout(x, p=0.5, training=self.training)
        out: Tensor = self.conv2(x, edge_index)
        return out


class GAT(nn.Module):
    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 8,
        out_channels: int = 7,
        heads: int = 8,
    ) -> None:
        super().__init__()
        self.conv1 = GATConv(in_channels, hidden_channels, heads, dropout=0.6)
        self.conv2 = GATConv(
            hidden_channels * heads, out_channels, heads=1, concat=False, dropout=0.6
        )

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = F.dropout(x, p=0.6, training=self.training)
        x = F.elu(self.conv1(x, edge_index))
        x = F.dropout(x, p=0.6, training=self.training)
        out: Tensor = self.conv2(x, edge_index)
        return out


def graph() -> tuple[Tensor, Tensor]:
    """Bags of words of the size of Cora's, on a graph without self loops."""
    nodes = 50
    source = torch.randint(0, nodes, (200,))
    target = (source + torch.randint(1, nodes, (200,))) % nodes
    return torch.rand(nodes, 1433), torch.stack((source, target))


CONVOLUTION = (add_self_loops, scatter_sum, gcn_norm, GCNConv, GCN)
ATTENTION = (add_self_loops, scatter_sum, softmax, GATConv, GAT)

ORIGINALS = [
    Original(
        "GCN", "zoo/gnn", "GCN", lambda: GCN(1433), graph,
        hyper={"features": 1433}, code=CONVOLUTION, parameters=23_063, keys=4,
    ),
    Original(
        "GAT", "zoo/gnn", "GAT", lambda: GAT(1433), graph,
        hyper={"features": 1433}, code=ATTENTION, parameters=92_373, keys=8,
        starts="a rule sets a net's own vectors first, the original `lin` first",
    ),
]  # fmt: skip
