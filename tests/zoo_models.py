"""All originals, in the order of the table."""

from __future__ import annotations

import originals_convnets
import originals_generative
import originals_graphs
import originals_images
import originals_language
import originals_papers
import originals_torchvision
import originals_transformers
import originals_video
from originals import Original

ORIGINALS: list[Original] = [
    *originals_torchvision.ORIGINALS,
    *originals_convnets.ORIGINALS,
    *originals_video.ORIGINALS,
    *originals_transformers.ORIGINALS,
    *originals_language.ORIGINALS,
    *originals_papers.ORIGINALS,
    *originals_generative.ORIGINALS,
    *originals_graphs.ORIGINALS,
    *originals_images.ORIGINALS,
]
