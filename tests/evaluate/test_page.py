from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import av
import numpy as np
import pytest

from covermaker.evaluate.page import PairView, Table, page
from covermaker.evaluate.pictures import curves, histogram, picture, png, spectrogram

VOID = {"meta", "img"}


def decoded(data):
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_a_png_holds_the_pixels():
    pixels = np.random.default_rng(1).integers(0, 256, (7, 13, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decoded(png(pixels)), pixels)


@pytest.mark.parametrize(("rate", "seconds"), [(16000, 0.5), (16000, 3.0), (44100, 20.0)])
def test_a_tone_is_a_line_at_its_height(write_wav, rate, seconds):
    time = np.arange(round(seconds * rate)) / rate
    pixels = spectrogram(write_wav(0.5 * np.sin(2 * np.pi * 1000 * time), rate), top_hz=8000)
    assert pixels.shape == (200, 860, 3)
    brightest = pixels.sum(axis=2)[:, 10:-10].argmax(axis=0)
    wanted = 200 * (1 - np.log(1000 / 60) / np.log(8000 / 60))
    assert np.abs(brightest - wanted).max() < 4


def test_a_sound_stands_where_it_is_in_time(write_wav):
    sound = np.zeros(16000 * 8)
    sound[16000 * 5 : 16000 * 6] = np.random.default_rng(1).normal(0, 0.1, 16000)
    column = spectrogram(write_wav(sound), top_hz=8000).sum(axis=(0, 2)).astype(float)
    loud = np.flatnonzero(column > column.max() / 2)
    assert loud[0] == pytest.approx(860 * 5 / 8, abs=8)
    assert loud[-1] == pytest.approx(860 * 6 / 8, abs=8)


@pytest.mark.parametrize("frames", [0, 1, 100, 2000])
def test_hardly_any_sound_is_painted(write_wav, frames):
    assert spectrogram(write_wav(np.zeros(frames)), top_hz=8000).shape == (200, 860, 3)


def test_an_unvoiced_stretch_is_a_gap_in_the_curve():
    values = np.concatenate([np.full(10, 60.0), np.full(5, np.nan), np.full(10, 62.0)])
    drawn = curves([("x", values)], seconds=1, low=50, high=70, ticks=[(60, "C4")], words="w")
    path = re.search(r'stroke-width="1.2" d="([^"]*)"', drawn)[1]
    assert path.count("M") == 2
    assert path.count("L") == 18


def test_histograms_of_nothing():
    edges = np.arange(0, 5.0)
    assert "<svg" in histogram([("a", np.zeros(4)), ("b", np.ones(4))], edges, ticks=[(1, "1")], words="w")


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_alone(write_wav):
    evil = '<script>alert("1")</script>&'
    path = write_wav(0.3 * np.sin(np.arange(32000) / 20), name='a "<b>.wav')
    f0 = np.full(201, 127.0)
    pair = PairView(evil, path, path, f0, np.zeros(201), 12.0, [evil])
    text = page(evil, [Table(evil, [evil], [[evil]], [(evil, evil)])], [pair])
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert "script" not in checker.tags
    assert {"image", "svg", "table"} <= checker.tags
    assert all(link.startswith("data:image/png;base64,") for link in checker.links)
    assert "http" not in text
    assert "url(" not in text
    assert text.count("&lt;script&gt;") >= 6
    assert "+12 semitones" in text
    assert text == page(evil, [Table(evil, [evil], [[evil]], [(evil, evil)])], [pair])


def test_silence_has_a_page(write_wav):
    path = write_wav(np.zeros(8000))
    assert "Loudness" in page("t", [], [PairView("n", path, path, np.zeros(51), np.zeros(51))])


def test_a_picture_says_what_it_shows():
    drawn = picture(np.zeros((2, 2, 3), np.uint8), "a <b>", seconds=3.0, top_hz=8000.0)
    assert 'aria-label="a &lt;b&gt;"' in drawn


def test_a_picture_has_axes():
    drawn = picture(np.zeros((2, 2, 3), np.uint8), "w", seconds=3.0, top_hz=8000.0)
    wanted = 200 * (1 - np.log(1000 / 60) / np.log(8000 / 60))
    assert float(re.search(r'y="([\d.]+)" fill="#fff"[^>]*>1 kHz', drawn)[1]) - 4 == pytest.approx(
        wanted, abs=0.1
    )
    assert ">5 kHz<" in drawn
    assert ">10 kHz<" not in drawn
    assert ">2 s<" in drawn


def test_a_leap_is_not_drawn():
    drawn = curves(
        [("x", np.repeat([60.0, 72.0], 10))], seconds=1, low=50, high=80, ticks=[], words="w", leap=2.0
    )
    assert re.search(r'stroke-width="1.2" d="([^"]*)"', drawn)[1].count("M") == 2
