"""The U-Net of Spleeter's two-stem model, for inference only.

Six 5×5 convolutions of stride 2 go down, six transposed ones come up, each level meeting the raw output of the
convolution on its way down; the last layer makes a sigmoid mask that multiplies the magnitudes (Hennequin et al.,
"Spleeter: a fast and efficient music source separation tool", JOSS 2020; Jansson et al., "Singing voice separation
with deep U-Net convolutional networks", ISMIR 2017).

What makes it fast on a CPU: channels-last memory, batch normalisation as one multiply-add, no autograd, one segment
at a time so that a layer stays in the cache, and the last, single-channel transposed convolution as one matrix
product and 25 shifted sums, where the general routine spends a sixth of the whole time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SEGMENT_FRAMES = 512
BINS = 1024
_LEVELS = 6
_BATCH_NORM_EPSILON = 1e-3
_LEAK = 0.2
# TensorFlow's "same" for 5 taps at stride 2: one zero before, two after. Coming up, the same is cut off.
_BEFORE, _AFTER = 1, 2


def frames_seen(frames: int) -> int:
    """Return how many frames the network must be given so that its first `frames` come out as from a full segment.

    A segment's end is filled with silence, but silence is not nothing: past the first layer it is biases. An output
    sees a few frames ahead at every level and 189 more through the deepest one; what lies beyond is cut, to a
    multiple of the 64 frames that one step of the deepest level stands for.
    """
    ahead = frames + 2  # The mask layer looks 3 frames on, from the last frame's index.
    for _ in range(_LEVELS):
        ahead = (ahead + 1) // 2
    for _ in range(_LEVELS):
        ahead = 2 * ahead + 3
    steps = ahead // (1 << _LEVELS) + 1
    return min(steps << _LEVELS, SEGMENT_FRAMES)


class SpleeterNetwork:
    """One stem's network.

    Parameters
    ----------
    arrays : mapping of str to float32 array
        The checkpoint, under the names of https://github.com/tuan3w/spleeter-pytorch: ``down1_conv.1.weight`` …
    device : str
        Where to compute.

    Raises
    ------
    KeyError
        When an array is missing.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], *, device: str = "cpu") -> None:
        def tensor(name: str) -> Tensor:
            return torch.from_numpy(arrays[name].copy()).to(device)

        def convolution(name: str) -> tuple[Tensor, Tensor]:
            weight = tensor(f"{name}.weight").contiguous(memory_format=torch.channels_last)
            return weight, tensor(f"{name}.bias")

        def normalisation(name: str) -> tuple[Tensor, Tensor]:
            scale = tensor(f"{name}.weight") / torch.sqrt(tensor(f"{name}.running_var") + _BATCH_NORM_EPSILON)
            shift = tensor(f"{name}.bias") - tensor(f"{name}.running_mean") * scale
            return scale.view(1, -1, 1, 1), shift.view(1, -1, 1, 1)

        levels = range(1, _LEVELS + 1)
        self._down = [convolution(f"down{level}_conv.1") for level in levels]
        # The deepest level has no activation: what comes up starts from its raw output.
        self._down_norm = [normalisation(f"down{level}_act.0") for level in levels[:-1]]
        self._up = [convolution(f"up{level}.0") for level in levels]
        self._up_norm = [normalisation(f"up{level}.3") for level in levels]
        self._mask = convolution("up7.0")
        self._rooms: dict[torch.Size, tuple[Tensor, Tensor]] = {}

    def __call__(self, magnitude: Tensor) -> Tensor:
        """Estimate the stem's magnitudes.

        Parameters
        ----------
        magnitude : float32 tensor (batch, 2, frames, 1024)
            Of the song, frames a multiple of 64; the two channels are left and right.

        Returns
        -------
        float32 tensor (batch, 2, frames, 1024)
            The same, under the network's mask.
        """
        skips = []
        padded, inside = self._room(magnitude.shape)
        inside.copy_(magnitude)
        for level, (weight, bias) in enumerate(self._down):
            x = nnf.conv2d(padded, weight, bias, stride=2)
            if level < len(self._down_norm):
                skips.append(x)
                scale, shift = self._down_norm[level]
                padded, inside = self._room(x.shape)
                nnf.leaky_relu_(torch.addcmul(shift, x, scale, out=inside), _LEAK)
        for level, (weight, bias) in enumerate(self._up):
            grow = _grow if weight.shape[1] > 1 else _grow_to_one
            scale, shift = self._up_norm[level]
            x = grow(x, weight, bias).relu_().mul_(scale).add_(shift)
            if skips:
                x = torch.cat([skips.pop(), x], dim=1)
        weight, bias = self._mask
        return nnf.conv2d(x, weight, bias, dilation=2, padding=3).sigmoid_().mul_(magnitude)

    def tidy(self) -> None:
        """Let go of what was kept between the segments of one song: another one's last has another length."""
        self._rooms.clear()

    def _room(self, shape: torch.Size) -> tuple[Tensor, Tensor]:
        """Return a padded tensor, its border zero, and the view inside the border: made once for each shape."""
        if shape not in self._rooms:
            batch, channels, height, width = shape
            border = _BEFORE + _AFTER
            padded = torch.zeros(
                batch, channels, height + border, width + border, device=self._mask[0].device
            )
            padded = padded.contiguous(memory_format=torch.channels_last)
            self._rooms[shape] = padded, padded[:, :, _BEFORE:-_AFTER, _BEFORE:-_AFTER]
        return self._rooms[shape]


def _grow(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Double height and width: transposed convolution, then the crop that mirrors the way down."""
    whole = nnf.conv_transpose2d(x, weight, bias, stride=2)
    return whole[:, :, _BEFORE:-_AFTER, _BEFORE:-_AFTER]


def _grow_to_one(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Do `_grow` for one output channel, as a matrix product and sums.

    Output row ``y`` takes tap ``k`` from input row ``(y + 1 - k) / 2``: even rows take taps 1 and 3 from rows
    ``y/2`` and ``y/2 - 1``, odd rows taps 0, 2 and 4 from ``(y+1)/2`` and the two before; columns likewise.
    """
    batch, channels, height, width = x.shape
    taps = weight.reshape(channels, 25).T @ x.permute(1, 0, 2, 3).reshape(channels, -1)  # (25, batch*h*w)
    planes = nnf.pad(taps.view(5, 5, batch, height, width), (1, 1, 1, 1))
    out = x.new_empty(batch, 1, 2 * height, 2 * width)
    for odd_row, rows in enumerate(_TAPS):
        for odd_column, columns in enumerate(_TAPS):
            parts = [
                planes[row, column, :, 1 + up : 1 + up + height, 1 + left : 1 + left + width]
                for row, up in rows
                for column, left in columns
            ]
            total = parts[0] + parts[1]
            for part in parts[2:]:
                total += part
            out[:, 0, odd_row::2, odd_column::2] = total
    return out.add_(bias)


# For even and odd positions of the output: (tap, offset of the input position from half the output position).
_TAPS = (((1, 0), (3, -1)), ((0, 1), (2, 0), (4, -1)))
