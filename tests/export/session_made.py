"""A session with everything in it, for the tests of those who write sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from covermaker.audio.files import wav_writer
from covermaker.effects.automation import Automation
from covermaker.effects.rack import parse_rack
from covermaker.export.session import Channel, Clip, Send, Session
from covermaker.export.tempo_map import TICKS_PER_BEAT, TempoMap

RATE, SECONDS = 44_100, 2.0
TITLE = 'Say "it\'s" <late> & `loud`'
RACK = [
    {"effect": "high_pass", "cutoff_hz": 90.0, "slope_db": 24.0},
    {"effect": "gate", "threshold_db": -52.0},
    {"effect": "compressor", "threshold_db": -21.0, "ratio": 4.0, "attack_ms": 5.0, "makeup_db": 2.0},
    {"effect": "eq", "low_cut_hz": 60.0, "low_shelf_db": -2.0, "high_shelf_db": 3.0, "high_cut_hz": 16000.0},
    {"effect": "limiter", "ceiling_db": -2.0},
    {"effect": "reverb", "bypass": True},
]


def session(folder: Path) -> Session:
    def clip(name: str, *, sounds: bool = True, fade_seconds: float = 0.0) -> Clip:
        path = folder / f"{name}.wav"
        with wav_writer(path, sample_rate=RATE, channels=2) as writer:
            writer.write(np.full((2, round(RATE * SECONDS)), 0.25, np.float32))
        return Clip(path, f"{name}.wav", RATE, 2, SECONDS, sounds, fade_seconds)

    rack = parse_rack(RACK, where="rack")
    return Session(
        title=TITLE,
        sample_rate=RATE,
        seconds=SECONDS,
        channels=[
            Channel(
                name="lead",
                gain_db=-4.5,
                pan=-0.25,
                solo=True,
                sends=[
                    Send("hall", -12.0, on=False, course=Automation(((0.0, -40.0), (1.5, -6.0)))),
                    Send("dry", -3.0, pre_fader=True),
                ],
                moves={
                    "gain_db": Automation(((0.25, -30.0), (1.25, 6.0))),
                    "pan": Automation(((0.0, -1.0), (1.0, 0.5)), "smooth"),
                    "mute": Automation(((0.5, 1.0), (0.75, 0.0)), "hold"),
                },
                rack=rack,
                clip=clip("lead", fade_seconds=0.01),
            ),
            Channel(name="drums", group="rhythm", mute=True, clip=clip("drums", sounds=False)),
            Channel(name="bass", group="rhythm", clip=clip("bass", sounds=False)),
            Channel(name="pad", group="all", gain_db=-96.0, clip=clip("pad")),
            Channel(name="rhythm", kind="group", group="all", rack=rack, clip=clip("rhythm")),
            Channel(name="all", kind="group", gain_db=1.5, sends=[Send("hall", -20.0, on=False)]),
            Channel(name="empty", kind="group"),
            Channel(name="hall", kind="bus", pan=1.0, rack=rack[:1], clip=clip("hall")),
            # Of the name of a track: that is allowed.
            Channel(name="lead", kind="bus", sends=[Send("dry", 0.0)]),
            Channel(name="dry", kind="bus", mute=True),
        ],
        tempo=TempoMap(((0, 500_000), (2 * TICKS_PER_BEAT, 480_000)), ((0, 3),)),
        sections=[(0.0, 1.0, "verse 1"), (1.0, 2.0, 'the "big" chorus')],
        tags={"title": TITLE, "artist": "Nobody\x00", "comment": "AI voice: demo", "date": "2024"},
        notes=["A note.", "The master is not in it."],
    )
