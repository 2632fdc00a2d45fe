"""Label tracks."""

from covermaker.export.label_track import beat_labels, section_labels, write_labels
from covermaker.features.song.music import Music
from covermaker.features.song.sections import Section


def test_lines_are_what_audacity_writes(tmp_path):
    music = Music(9.0, sections=(Section("verse\t1\n", 0.0, 4.5), Section("chorus", 4.5, 9.0)))
    write_labels(tmp_path / "labels.txt", section_labels(music))
    assert (tmp_path / "labels.txt").read_text() == (
        "0.000000\t4.500000\tverse 1\n4.500000\t9.000000\tchorus\n"
    )


def test_beats_are_counted_in_bars_where_these_are_clear():
    beats = (0.5, 1.0, 1.5, 2.0, 2.5)
    counted = [text for *_, text in beat_labels(Music(3.0, beats=beats, beats_per_bar=4, first_downbeat=1))]
    assert counted == ["0.4", "1.1", "1.2", "1.3", "1.4"]
    assert [text for *_, text in beat_labels(Music(3.0, beats=beats))] == ["1", "2", "3", "4", "5"]
    assert beat_labels(Music(3.0)) == []
