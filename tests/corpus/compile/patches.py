import torch
from torch import Tensor, nn


class PatchEmbedding(nn.Module):
    def __init__(self, patch: int, width: int) -> None:
        super().__init__()
        self.patch = patch
        self.width = width
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.conv_proj = nn.Conv2d(3, width, patch, stride=patch)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.class_token)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, (H // patch) * (W // patch) + 1, width]"""
        N, _, H, W = image.shape
        if H % self.patch != 0 or W % self.patch != 0:
            raise ValueError("H % patch == 0 and W % patch == 0 is needed")
        patches = self.conv_proj(image).flatten(2).transpose(1, 2)
        x = torch.cat((self.class_token.expand(N, 1, self.width), patches), dim=1)
        return x
