"""Content credentials: they verify, they fail after one changed byte, and nothing else of the file changes."""

import http.server
import os
import stat
import sys
import threading

import mutagen
import numpy as np
import pytest
from export_signals import chirp

from covermaker.audio.files import probe, read
from covermaker.errors import AudioInputError, CovermakerError, ResourceError
from covermaker.export import credentials
from covermaker.export.credentials import SOURCE_TYPE, Claim, check_identity, verify_file
from covermaker.export.files import Wishes, export_master, notes_of
from covermaker.export.formats import FORMATS
from covermaker.export.identity import Identity, algorithm_of, identity, located
from covermaker.export.labels import Picture, parse_lyrics

pytest.importorskip("c2pa")

SIGNABLE = ["wav16", "wav24", "wav32f", "flac", "flac16", "mp3", "mp3-v0", "mp3-192", "m4a"]
TAGS = {"title": "Blue ♪", "comment": "AI voice: anna"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "data" / "credentials"
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(place))
    return place


@pytest.fixture
def claim(folder):
    voices = (("anna", "CC0-1.0"), ("ben ♪", "own recording"))
    return Claim("Blue ♪", voices, "Blue, the original recording by Nobody", identity())


def signed(make_master, out, name, claim):
    wishes = Wishes(claim=claim)
    (made,) = export_master(
        make_master(chirp(30_000)), out, formats=[name], stem_name="s", tags=TAGS, seed=0, wishes=wishes
    )
    return out / made.name, made


def test_what_can_be_signed_is_what_the_formats_say():
    assert [name for name in FORMATS.names() if FORMATS.load(name).signable] == SIGNABLE


@pytest.mark.parametrize("name", SIGNABLE)
def test_a_signed_file_verifies_and_says_what_was_signed(make_master, tmp_path, claim, name):
    path, made = signed(make_master, tmp_path / "o", name, claim)
    found = verify_file(path)
    assert made.signed
    assert (found.state, found.problems, found.trusted) == ("valid", (), False)
    assert found.title == "Blue ♪"
    assert found.source_type == SOURCE_TYPE
    assert found.source_type.endswith("/compositeWithTrainedAlgorithmicMedia")
    assert found.voices == claim.voices
    assert found.ingredients == ("Blue, the original recording by Nobody",)
    assert found.made_with.startswith("Covermaker ")
    assert found.signer == "Covermaker user"


@pytest.mark.parametrize("name", SIGNABLE)
def test_sound_length_and_tags_stay_as_they_are(make_master, tmp_path, claim, name):
    path, made = signed(make_master, tmp_path / "o", name, claim)
    plain, unsigned = signed(make_master, tmp_path / "plain", name, None)
    assert verify_file(plain).state == "none"
    np.testing.assert_array_equal(read(path).samples, read(plain).samples)
    assert made.frames == unsigned.frames == probe(path).frames
    assert "Blue ♪" in repr(dict(mutagen.File(str(path)).tags))
    assert path.stat().st_size == made.bytes > unsigned.bytes
    assert os.listdir(path.parent) == [path.name]


def boxes(data):
    """Return the names of an MP4's outermost boxes."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode("latin-1"))
        at += int.from_bytes(data[at : at + 4], "big")
    return found


@pytest.mark.parametrize("seconds", [0.2, 40.0])
def test_an_m4a_says_in_front_what_is_in_it(make_master, tmp_path, claim, seconds):
    """So that it plays before all of it has come: also with a picture in its tags, and signed."""
    master = make_master(np.tile(chirp(8_820), round(seconds / 0.2)))
    sounds = []
    for who in (None, claim):
        out = tmp_path / str(who is None)
        wishes = Wishes(claim=who, picture=Picture(b"\xff\xd8\xff" + bytes(300_000), "image/jpeg", 9, 9))
        (made,) = export_master(master, out, formats=["m4a"], stem_name="s", tags=TAGS, seed=0, wishes=wishes)
        found = boxes((out / made.name).read_bytes())
        assert found[0] == "ftyp"
        assert found.index("moov") < found.index("mdat")
        assert made.frames == probe(out / made.name).frames == round(seconds * 44_100)
        sounds.append(read(out / made.name).samples)
    np.testing.assert_array_equal(*sounds)
    assert verify_file(tmp_path / "False" / "s.m4a").state == "valid"


@pytest.mark.parametrize("name", ["wav24", "flac", "mp3", "m4a"])
def test_one_changed_byte_is_seen(make_master, tmp_path, claim, name):
    path, _ = signed(make_master, tmp_path / "o", name, claim)
    data = path.read_bytes()
    store = data.find(b"covermaker.voices")
    assert store > 0
    places = [*np.linspace(len(data) * 0.2, len(data) * 0.95, 8).astype(int), store]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1
        other = path.with_name(f"changed{path.suffix}")
        other.write_bytes(changed)
        found = verify_file(other)
        assert found.state == "tampered", place
        assert found.problems


@pytest.mark.parametrize("name", ["wav24", "flac", "mp3", "m4a"])
def test_a_tag_changed_afterwards_is_seen(make_master, tmp_path, claim, name):
    path, _ = signed(make_master, tmp_path / "o", name, claim)
    file = mutagen.File(str(path))
    if name in ("wav24", "mp3"):
        file.tags["TIT2"].text = ["Other"]
    else:
        file["\xa9nam" if name == "m4a" else "TITLE"] = "Other"
    file.save()
    assert verify_file(path).state in ("tampered", "none")


@pytest.mark.parametrize("name", ["ogg", "opus"])
def test_formats_without_a_place_for_it_say_so(make_master, tmp_path, claim, name):
    path, made = signed(make_master, tmp_path / "o", name, claim)
    assert not made.signed
    assert notes_of([made], Wishes(claim=claim)) == [
        f"{made.name} carries no content credentials: its format has no place for them"
    ]
    found = verify_file(path)
    assert found.state == "none"
    assert "have no place" in found.problems[0]


def test_a_wav_past_4_gb_is_not_signed(tmp_path, claim):
    path = tmp_path / "long.wav"
    path.write_bytes(b"RF64" + bytes(100))
    assert credentials.sign_file(path, claim) is False


def test_the_certificate_is_made_once_and_is_private(folder):
    first = identity()
    data = first.key.read_bytes(), first.chain.read_bytes()
    assert identity() == first
    assert (first.key.read_bytes(), first.chain.read_bytes()) == data
    for path in (first.key, first.chain):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert data[1].count(b"BEGIN CERTIFICATE") == 2
    assert os.listdir(folder.parent) == ["credentials"]
    assert algorithm_of(data[0]) == "es256"


def test_a_folder_that_is_there_and_empty_is_filled(folder):
    folder.mkdir(parents=True)
    assert identity().key.is_file()


@pytest.mark.parametrize("missing", ["key.pem", "chain.pem"])
def test_half_an_identity_is_refused(folder, missing):
    identity()
    (folder / missing).unlink()
    with pytest.raises(ResourceError, match=f"has no {missing}"):
        identity()


def test_own_certificates_are_used(make_master, tmp_path, folder, monkeypatch):
    """The user's own: here one that another user had made."""
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(tmp_path / "other"))
    other = identity()
    folder.mkdir(parents=True)
    for source in (other.chain, other.key):
        (folder / source.name).write_bytes(source.read_bytes())
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(folder))
    found = identity()
    assert found.chain.read_bytes() == other.chain.read_bytes()
    path, _ = signed(make_master, tmp_path / "o", "flac", Claim("x", (), "y", found))
    assert verify_file(path).state == "valid"


def test_a_key_that_is_none_is_told(make_master, tmp_path, claim):
    claim.identity.key.write_bytes(b"no key")
    with pytest.raises(ResourceError, match="the key of the content credentials cannot be read") as caught:
        signed(make_master, tmp_path / "o", "flac", claim)
    assert str(claim.identity.folder) in str(caught.value)
    with pytest.raises(ResourceError, match="the key of the content credentials cannot be read"):
        check_identity(claim)
    assert os.listdir(tmp_path / "o") == []


def test_a_certificate_that_is_none_is_told(make_master, tmp_path, claim):
    claim.identity.chain.write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    with pytest.raises(ResourceError, match="cannot be used") as caught:
        signed(make_master, tmp_path / "o", "wav24", claim)
    assert "\n" not in str(caught.value)
    assert ".part-" not in str(caught.value)
    with pytest.raises(ResourceError, match="holds no certificates in PEM") as caught:
        check_identity(claim)
    assert str(claim.identity.folder) in str(caught.value)
    assert os.listdir(tmp_path / "o") == []


def test_a_key_that_is_not_there_is_told(make_master, tmp_path, claim):
    gone = Claim("x", (), "y", Identity(claim.identity.chain, tmp_path / "no.pem"))
    with pytest.raises(ResourceError, match=r"cannot be signed: .*no\.pem: No such file"):
        signed(make_master, tmp_path / "o", "wav24", gone)


def test_without_the_extra_the_next_step_is_told(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for what in (identity, lambda: verify_file(tmp_path / "x.wav")):
        with pytest.raises(
            ResourceError, match=r"extra 'credentials'.*pip install 'covermaker\[credentials\]'"
        ):
            what()
    assert not folder.exists()


def test_files_that_are_not_there_or_no_audio(tmp_path, folder):
    with pytest.raises(AudioInputError, match="does not exist"):
        verify_file(tmp_path / "no.wav")
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(AudioInputError, match="it holds text"):
        verify_file(tmp_path / "text.wav")


def test_a_key_of_another_certificate_is_told_before_anything_is_made(claim, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(tmp_path / "other"))
    check_identity(claim)
    claim.identity.key.write_bytes(identity().key.read_bytes())
    with pytest.raises(ResourceError, match=r"key\.pem is not the key of the first certificate") as caught:
        check_identity(claim)
    assert str(claim.identity.folder) in str(caught.value)


def test_where_the_identity_lies_is_known_without_making_it(folder):
    assert located().folder == folder
    assert not folder.exists()


@pytest.mark.parametrize("name", ["wav24", "flac", "mp3", "m4a"])
def test_a_changed_byte_of_the_header_is_never_taken_for_no_credentials(make_master, tmp_path, claim, name):
    """Every byte of the head, and around where the store begins: a reader may not find it any more."""
    path, _ = signed(make_master, tmp_path / "o", name, claim)
    data = path.read_bytes()
    other = path.with_name(f"changed{path.suffix}")
    store = data.find(b"jumb")
    states = set()
    for place in {*range(80), *range(max(store - 60, 0), store + 60)}:
        changed = bytearray(data)
        changed[place] ^= 1
        other.write_bytes(changed)
        states.add(verify_file(other).state)
    # What wraps the store is not signed.
    assert states == {"tampered", "valid"}


@pytest.mark.parametrize("name", ["wav24", "flac", "mp3", "m4a"])
def test_a_file_is_judged_by_its_content(make_master, tmp_path, claim, name):
    path, _ = signed(make_master, tmp_path / "o", name, claim)
    for suffix in (".wav", ".mp3", ".ogg", ""):
        assert verify_file(path.rename(path.with_name(f"renamed{suffix}"))).state == "valid"
        path = path.with_name(f"renamed{suffix}")


@pytest.mark.parametrize("before", [b"\x00\x00\x01\x00caBX", b"\xff\xeb\x01\x00JP\x00\x01\x00\x00\x00\x01"])
def test_credentials_of_a_cover_picture_are_not_the_files_own(make_master, tmp_path, before):
    box = b"\x00\x00\x01\x00jumb\x00\x00\x00\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"
    picture = Picture(b"\x89PNG" + before + box + bytes(99), "image/png", 64, 64)
    path = tmp_path / "o" / "s.mp3"
    (made,) = export_master(
        make_master(chirp(30_000)), path.parent, formats=["mp3"], stem_name="s", tags=TAGS, seed=0,
        wishes=Wishes(picture=picture),
    )  # fmt: skip
    assert box in path.read_bytes()
    assert verify_file(path.parent / made.name).state == "none"


def test_a_file_does_not_say_where_to_connect_to(make_master, tmp_path):
    from mutagen import id3

    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            path, _ = signed(make_master, tmp_path / "o", "mp3", None)
            place = f"http://127.0.0.1:{server.server_port}/store.c2pa"
            tags = id3.ID3(str(path))
            tags.add(id3.PRIV(owner="XMP", data=XMP.format(place=place).encode()))
            tags.save()
            found = verify_file(path)
        finally:
            server.shutdown()
            thread.join()
    assert found.state == "none"
    assert "nothing is fetched" in found.problems[0]
    assert seen == []


XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{place}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


@pytest.mark.parametrize("name", ["wav24", "flac", "mp3", "m4a"])
def test_signing_keeps_every_tag_timed_lyrics_among_them(make_master, tmp_path, claim, name):
    lyrics = parse_lyrics("[00:01.00]first ♪\n[00:02.00]second\n")
    found = []
    for who in (claim, None):
        (made,) = export_master(
            make_master(chirp(30_000)), tmp_path / str(who is None), formats=[name], stem_name="s", tags=TAGS,
            seed=0, wishes=Wishes(claim=who, lyrics=lyrics),
        )  # fmt: skip
        path = tmp_path / str(who is None) / made.name
        found.append({key: repr(value) for key, value in dict(mutagen.File(str(path)).tags).items()})
    one, other = ({key for key in tags if not key.startswith(("GEOB", "SYLT"))} for tags in found)
    assert one == other
    assert len(one) >= 3
    assert all(found[0][key] == found[1][key] for key in one)
    if name == "mp3":  # there, though not all readers see it
        data = (tmp_path / "False" / made.name).read_bytes()
        assert b"SYLT" in data
        assert "second".encode("utf-16-le") in data


def test_lost_tags_are_an_error(make_master, tmp_path, claim, monkeypatch):
    read_back = credentials.read_back
    monkeypatch.setattr(
        credentials, "read_back", lambda path: {} if "-signed" in path.name else read_back(path)
    )
    with pytest.raises(CovermakerError, match="would change the tags"):
        signed(make_master, tmp_path / "o", "mp3", claim)
    assert os.listdir(tmp_path / "o") == []
