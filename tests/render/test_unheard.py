"""Whether the voice is heard, and why not."""

import pytest

from covermaker.project.load import parse
from covermaker.render.unheard import unheard

START = 'schema = 1\ntitle = "t"\nsong.file = "a.wav"\n'
VOCALS = '[[tracks]]\nname = "vocals"\nsource = "converted"\n'
BAND = '[[tracks]]\nname = "band"\nsource = "instrumental"\n'
CHOIR = '[[groups]]\nname = "choir"\n'
LANE = '[[automation]]\ntarget = "tracks.vocals.mute"\npoints = '


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (VOCALS, ""),
        (BAND, "no track plays what it sings"),
        (f"{VOCALS}mute = true\n", "track 'vocals' is muted"),
        (f"{VOCALS}{BAND}solo = true\n", "track 'vocals' is silent because another track is soloed"),
        (f'{VOCALS}group = "choir"\n{CHOIR}mute = true\n',
         "track 'vocals' is silent because its group 'choir' is muted"),
        (f'{VOCALS}group = "choir"\n{BAND}solo = true\n{CHOIR}solo = true\n', ""),
        (f'{VOCALS}group = "nowhere"\n', ""),
        (f"{VOCALS}mute = true\n{LANE}[[0.0, true], [9.0, false]]\n", ""),
        (f"{VOCALS}{LANE}[[0.0, true]]\n", "track 'vocals' is muted"),
    ],
)  # fmt: skip
def test_why_no_voice_is_heard(text, why):
    assert unheard(parse(START + text)) == (f"the voice is not heard: {why}" if why else "")
