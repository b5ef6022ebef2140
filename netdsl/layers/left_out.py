"""Classes of `torch.nn` that netdsl has no declaration for, and why."""

from __future__ import annotations

_LAZY = "sizes are inferred when the file is compiled"
_BASE = "a base class, not a layer"
_OBJECTIVE = "an objective of training, rarely part of a net; write its formula"
_LANGUAGE = "the language has lists of layers for this"
_INSTANCE = "takes a finished layer as an argument; write a chain of its layers"

LEFT_OUT: dict[str, str] = {
    "AdaptiveLogSoftmaxWithLoss": "returns a record, and holds a list of layers",
    "CTCLoss": _OBJECTIVE,
    "Container": "deprecated by torch",
    "CosineEmbeddingLoss": _OBJECTIVE,
    "CrossMapLRN2d": "a legacy form of `LocalResponseNorm`",
    "DataParallel": "wraps a finished model, which is the caller's to do",
    "GaussianNLLLoss": _OBJECTIVE,
    "HingeEmbeddingLoss": _OBJECTIVE,
    "LazyBatchNorm1d": _LAZY,
    "LazyBatchNorm2d": _LAZY,
    "LazyBatchNorm3d": _LAZY,
    "LazyConv1d": _LAZY,
    "LazyConv2d": _LAZY,
    "LazyConv3d": _LAZY,
    "LazyConvTranspose1d": _LAZY,
    "LazyConvTranspose2d": _LAZY,
    "LazyConvTranspose3d": _LAZY,
    "LazyInstanceNorm1d": _LAZY,
    "LazyInstanceNorm2d": _LAZY,
    "LazyInstanceNorm3d": _LAZY,
    "LazyLinear": _LAZY,
    "LinearCrossEntropyLoss": _OBJECTIVE,
    "MarginRankingLoss": _OBJECTIVE,
    "Module": _BASE,
    "ModuleDict": _LANGUAGE,
    "ModuleList": _LANGUAGE,
    "MultiLabelMarginLoss": _OBJECTIVE,
    "MultiLabelSoftMarginLoss": _OBJECTIVE,
    "MultiMarginLoss": _OBJECTIVE,
    "NLLLoss2d": "deprecated by torch: `NLLLoss` does the same",
    "ParameterDict": "the language has `param` for this",
    "ParameterList": "the language has `param` for this",
    "PoissonNLLLoss": _OBJECTIVE,
    "RNNBase": _BASE,
    "RNNCellBase": _BASE,
    "Sequential": _LANGUAGE,
    "SoftMarginLoss": _OBJECTIVE,
    "TransformerDecoder": _INSTANCE,
    "TransformerEncoder": _INSTANCE,
    "TripletMarginLoss": _OBJECTIVE,
    "TripletMarginWithDistanceLoss": _OBJECTIVE,
}
