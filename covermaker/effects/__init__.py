"""Effects, racks of effects, and their presets.

One file holds one effect; `EFFECTS` names them without importing any. An effect is a class of the shape
`covermaker.effects.spec.Effect`; other packages add theirs through the entry-point group ``covermaker.effects``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.registry import Registry

if TYPE_CHECKING:
    from covermaker.effects.spec import Effect

EFFECTS: Registry[type[Effect]] = Registry(
    "effect",
    "covermaker.effects",
    {
        "gate": "covermaker.effects.gate:Gate",
        "high_pass": "covermaker.effects.high_pass:HighPass",
        "low_pass": "covermaker.effects.low_pass:LowPass",
        "eq": "covermaker.effects.eq:Equaliser",
        "de_esser": "covermaker.effects.de_esser:DeEsser",
        "compressor": "covermaker.effects.compressor:Compressor",
        "limiter": "covermaker.effects.limiter:Limiter",
        "saturation": "covermaker.effects.saturation:Saturation",
        "bitcrush": "covermaker.effects.bitcrush:Bitcrush",
        "chorus": "covermaker.effects.chorus:Chorus",
        "doubler": "covermaker.effects.doubler:Doubler",
        "pitch_shift": "covermaker.effects.pitch_shift:PitchShift",
        "reverb": "covermaker.effects.reverb:Reverb",
        "convolution": "covermaker.effects.convolution:Convolution",
        "delay": "covermaker.effects.delay:Delay",
        "tremolo": "covermaker.effects.tremolo:Tremolo",
        "width": "covermaker.effects.width:Width",
        "gain": "covermaker.effects.gain:Gain",
        "vst3": "covermaker.effects.vst3:Vst3",
    },
)
