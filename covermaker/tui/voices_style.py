"""How the Voices screen is laid out: side by side where there is room, a page or a pane at a time where not."""

from __future__ import annotations

from typing import Final

CSS: Final = """
#voices { height: 1fr; layout: horizontal; }
VoiceList { width: 28; height: 1fr; }
#voice { width: 1fr; height: 1fr; layout: vertical; }
#data, #work { width: 1fr; height: 1fr; }
#card { width: 1fr; }
#voices.-bare #voice { display: none; }
TakeList { height: 1fr; }
#take-words { width: 1fr; height: auto; max-height: 8; padding: 0 2; }
.-flat #take-words, .-wide.-tall #take-words { max-height: 4; }
Training { height: 3fr; padding: 0 1; }
Training #words { height: auto; max-height: 7; }
SaveList { height: 2fr; }
.-narrow .page-takes #work, .-short .page-takes #work, .-narrow .page-takes #card, .-short .page-takes #card,
.-narrow .page-work #data, .-short .page-work #data, .-narrow .page-work #card, .-short .page-work #card,
.-narrow .page-card #voice, .-short .page-card #voice { display: none; }
.-wide.-tall #voices, .-huge.-tall #voices { layout: grid; grid-size: 2 2; grid-rows: 1fr 1fr; }
.-wide.-tall #voices { grid-columns: 34 1fr; }
.-huge.-tall #voices { grid-columns: 44 1fr; }
.-wide.-tall #voice, .-huge.-tall #voice { row-span: 2; }
.-wide.-tall VoiceList, .-huge.-tall VoiceList { width: 1fr; }
.-tall #voices.-bare VoiceList, .-tall #voices.-bare #card { row-span: 2; }
.-wide.-tall #work { height: 2fr; }
.-huge.-tall #voice { layout: horizontal; }
.-huge.-tall #work { height: 1fr; }
.-tiny #voices, .-flat #voices { layout: vertical; }
.-tiny VoiceList, .-flat VoiceList { width: 1fr; }
.-tiny .at-list #voice, .-flat .at-list #voice, .-tiny .at-list #card, .-flat .at-list #card,
.-tiny .at-card #voice, .-flat .at-card #voice, .-tiny .at-card VoiceList, .-flat .at-card VoiceList,
.-tiny .page-takes VoiceList, .-flat .page-takes VoiceList,
.-tiny .page-work VoiceList, .-flat .page-work VoiceList,
.-tiny .page-takes #work, .-flat .page-takes #work, .-tiny .page-takes #card, .-flat .page-takes #card,
.-tiny .page-work #data, .-flat .page-work #data, .-tiny .page-work #card, .-flat .page-work #card,
.-tiny .at-training SaveList, .-flat .at-training SaveList,
.-tiny .at-checkpoints Training, .-flat .at-checkpoints Training { display: none; }
.-tiny .at-list VoiceList, .-flat .at-list VoiceList { display: block; }
ChooseAsk, NewVoiceAsk, ModelAsk { align: center middle; }
ChooseAsk .dialog { max-height: 100%; }
ChooseAsk .dialog Button { margin: 1 0 0 0; }
ChooseAsk.-short .dialog { padding: 0 2; }
ChooseAsk.-short .dialog Button { margin: 0; }
.choice { padding: 0 0 0 2; color: $state-quiet; }
"""
