"""Graph convolution (Kipf and Welling, 2016), https://arxiv.org/abs/1609.02907,
and graph attention (Velickovic et al., 2017), https://arxiv.org/abs/1710.10903

A graph is its edges, each a source and a target, without self loops.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def with_self_loops(edges: Tensor, nodes: int) -> Tensor:
    return torch.cat(
        (edges, torch.arange(nodes, device=edges.device).expand(2, nodes)), dim=1
    )


def softmax_by_target(scores: Tensor, target: Tensor, nodes: int) -> Tensor:
    """Softmax over the edges that lead to the same node."""
    heads = scores.shape[1]
    empty = scores.new_zeros(nodes, heads)
    at = target[:, None].expand(-1, heads)
    greatest = empty.scatter_reduce(0, at, scores.detach(), "amax", include_self=False)
    weights = torch.exp(scores - greatest[target])
    total = empty.index_add(0, target, weights)
    return weights / (total + 1e-16)[target]


class GCNConv(nn.Module):
    """The sum of a node and its neighbours, scaled by the degrees of both ends of each edge."""

    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(width))
        self.lin = nn.Linear(in_features, width, bias=False)
        self.reset_parameters()
        nn.init.xavier_uniform_(self.lin.weight)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """x: [nodes, in_features], edges: int64[2, E] -> [nodes, width]"""
        nodes = x.shape[0]
        E = edges.shape[1]
        source, target = with_self_loops(edges, nodes).unbind()
        degree = torch.zeros(nodes, device=x.device).index_add(
            0, target, torch.ones(E + nodes, device=x.device)
        )
        norm = degree**-0.5
        weights = norm[source] * norm[target]
        x = self.lin(x)
        x = torch.zeros_like(x).index_add(0, target, weights[:, None] * x[source])
        x = x + self.bias
        return x


class GATConv(nn.Module):
    """The mean of a node and its neighbours, weighed by how well they fit together."""

    def __init__(
        self,
        in_features: int,
        width: int,
        heads: int = 1,
        concat: bool = True,
        slope: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.width = width
        self.slope = slope
        self.dropout = dropout
        self.concat = concat
        self.att_src = nn.Parameter(torch.empty(1, heads, width))
        self.att_dst = nn.Parameter(torch.empty(1, heads, width))
        self.bias = nn.Parameter(torch.empty(heads * width if concat else width))
        self.reset_parameters()
        self.lin = nn.Linear(in_features, heads * width, bias=False)
        nn.init.xavier_uniform_(self.lin.weight)

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.att_src)
        nn.init.xavier_uniform_(self.att_dst)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """x: [nodes, in_features], edges: int64[2, E]
        -> [nodes, heads * width if concat else width]
        """
        nodes = x.shape[0]
        source, target = with_self_loops(edges, nodes).unbind()
        x = self.lin(x).view(nodes, self.heads, self.width)
        offered, wanted = (x * self.att_src).sum(dim=-1), (x * self.att_dst).sum(dim=-1)
        scores = offered[source] + wanted[target]
        weights = F.dropout(
            softmax_by_target(F.leaky_relu(scores, self.slope), target, nodes),
            self.dropout,
            training=self.training,
        )
        x = torch.zeros_like(x).index_add(0, target, weights[..., None] * x[source])
        x = (x.flatten(1) if self.concat else x.mean(dim=1)) + self.bias
        return x


class GCN(nn.Module):
    def __init__(
        self, features: int, hidden: int = 16, classes: int = 7, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = GCNConv(features, hidden)
        self.conv2 = GCNConv(hidden, classes)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """x: [nodes, features], edges: int64[2, E] -> [nodes, classes]"""
        x = F.relu(
            self.conv1(F.dropout(x, self.dropout, training=self.training), edges)
        )
        x = self.conv2(F.dropout(x, self.dropout, training=self.training), edges)
        return x


class GAT(nn.Module):
    def __init__(
        self,
        features: int,
        hidden: int = 8,
        heads: int = 8,
        classes: int = 7,
        dropout: float = 0.6,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = GATConv(features, hidden, heads, dropout=dropout)
        self.conv2 = GATConv(heads * hidden, classes, concat=False, dropout=dropout)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """x: [nodes, features], edges: int64[2, E] -> [nodes, classes]"""
        x = F.elu(self.conv1(F.dropout(x, self.dropout, training=self.training), edges))
        x = self.conv2(F.dropout(x, self.dropout, training=self.training), edges)
        return x


# netdsl: made from gnn.net
