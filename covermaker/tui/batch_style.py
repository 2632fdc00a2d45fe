"""How the Batch screen is laid out: panes beside each other where there is room, one in place of another where not."""

from __future__ import annotations

from typing import Final

CSS: Final = """
#batch { height: 1fr; layout: vertical; }
Queue { height: 1fr; }
#below { height: 9; layout: horizontal; }
.-narrow.-tall #below { height: 14; }
.-wide.-tall #below, .-huge.-tall #below { height: 13; }
JobDetails { width: 1fr; height: 1fr; }
Places { width: 46; height: 1fr; }
.-huge Places { width: 64; }
Lines { height: 6; }
.-narrow Places, .-narrow Lines, .-short Lines { display: none; }
.-narrow .at-places JobDetails, .-narrow .at-lines #below, .-short .at-lines #below { display: none; }
.-narrow .at-places Places, .-narrow .at-lines Lines, .-short .at-lines Lines { display: block; }
.-narrow Places { width: 1fr; }
.-narrow .at-lines Lines, .-short .at-lines Lines { height: 9; }
.-narrow.-tall .at-lines Lines { height: 14; }
#batch.renders Places, #batch.renders Lines { display: none; }
.-tiny Queue, .-tiny #below, .-tiny Lines, .-flat Queue, .-flat #below, .-flat Lines,
.-tiny JobDetails, .-tiny Places, .-flat JobDetails, .-flat Places { display: none; }
.-tiny .at-queue Queue, .-flat .at-queue Queue, .-tiny .at-lines Lines, .-flat .at-lines Lines,
.-tiny .at-job #below, .-flat .at-job #below, .-tiny .at-places #below, .-flat .at-places #below,
.-tiny .at-job JobDetails, .-flat .at-job JobDetails, .-tiny .at-places Places, .-flat .at-places Places
{ display: block; height: 1fr; width: 1fr; }
"""
