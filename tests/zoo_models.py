"""All originals, in the order of the table."""

from __future__ import annotations

import originals_papers
import originals_torchvision
import originals_transformers
from originals import Original

ORIGINALS: list[Original] = [
    *originals_torchvision.ORIGINALS,
    *originals_transformers.ORIGINALS,
    *originals_papers.ORIGINALS,
]
