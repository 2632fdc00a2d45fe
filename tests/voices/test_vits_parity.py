"""RVC and so-vits-svc as their own programs compute them, every stage of seven networks; see tests/parity/README.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from parity_weights import (  # noqa: E402
    SYNTHESIZERS,
    checkpoint,
    digest,
    drawn,
    fused,
    told,
    vectors,
    vits_table,
)

from covermaker.errors import ProjectError  # noqa: E402
from covermaker.voices.networks import vits  # noqa: E402
from covermaker.voices.networks.base import SungPitch  # noqa: E402
from covermaker.voices.networks.vits import VitsSynthesizer  # noqa: E402
from covermaker.voices.networks.vits_config import VitsConfig  # noqa: E402
from covermaker.voices.networks.vits_decoder import reach_frames  # noqa: E402
from covermaker.voices.networks.vits_network import Told, build_network  # noqa: E402
from covermaker.voices.networks.vits_pitch import pitch_bins  # noqa: E402
from covermaker.voices.networks.vits_pitch_decoder import melodic  # noqa: E402
from covermaker.voices.networks.vits_source import frame_cycles, sample_cycles  # noqa: E402

FRAMES = 60


@pytest.fixture(autouse=True)
def no_autograd():
    with torch.inference_mode():
        yield


@dataclass
class Case:
    """One network with its formula weights, and what the original made of the same."""

    name: str
    state: dict[str, np.ndarray]
    singer: VitsSynthesizer

    @property
    def vector(self) -> dict[str, np.ndarray]:
        return vectors(self.name)

    @property
    def config(self) -> VitsConfig:
        return self.singer.config

    def noise(self, name: str, *shape: int) -> np.ndarray:
        return drawn(str(self.vector["seed"]), name, shape)

    @property
    def content(self) -> np.ndarray:
        return np.float32(0.5) * self.noise("phone", FRAMES, self.config.content_dim)

    @property
    def f0_hz(self) -> np.ndarray:
        return self.vector["f0"].astype(np.float64)

    @property
    def level(self) -> np.ndarray:
        return self.vector.get("vol", np.full(FRAMES, 0.1, dtype=np.float32))

    @property
    def pitch(self) -> SungPitch:
        return self.singer.pitch(self.f0_hz, voiced=self.vector["uv"] > 0)

    def told(self) -> Told:
        bins = pitch_bins(self.f0_hz).astype(np.int64)
        return Told(
            content=torch.from_numpy(self.content)[None],
            bins=torch.from_numpy(bins)[None],
            voiced=torch.from_numpy(self.vector["uv"].astype(np.int64))[None],
            level=torch.from_numpy(self.level)[None],
        )

    def speaker(self, row: int = 0) -> torch.Tensor:
        return self.singer.network.emb_g(torch.tensor([row]))[..., None]

    def source(self, **noise: torch.Tensor) -> torch.Tensor:
        config = self.config
        cycles = frame_cycles(self.f0_hz, config.hop_samples, config.sample_rate)
        phase = sample_cycles(self.f0_hz, cycles, config.hop_samples, config.sample_rate)
        voiced = np.repeat(self.f0_hz > 0, config.hop_samples).astype(np.float32)
        return self.singer.network.dec.m_source(
            torch.from_numpy(phase)[None], torch.from_numpy(voiced)[None], **noise
        )

    def sung(self, frames: int = FRAMES, keep: int | None = None, speaker: int = 0) -> np.ndarray:
        """Sing through the facade, without noise."""
        return self.singer.render(
            self.content[:frames],
            self.pitch.part(0, frames),
            20.0 * np.log10(self.level[:frames]),
            first_frame=0,
            seed=0,
            speaker=speaker,
            noise_scale=0.0,
            keep=slice(0, keep),
        )


@pytest.fixture(scope="module", params=SYNTHESIZERS)
def case(request: pytest.FixtureRequest) -> Case:
    state = checkpoint(request.param)
    with torch.device("meta"):
        network = build_network(VitsConfig.from_mapping(vits_table(request.param)))
    load(network, state)
    singer = VitsSynthesizer(network)
    # The vectors' rows lie on the network's own clock: here it is the feature clock too.
    singer.hop_samples = singer.config.hop_samples
    return Case(request.param, state, singer)


@pytest.fixture
def noiseless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        vits, "_frame_noise", lambda seed, purpose, first, stop, shape: np.zeros((stop - first, *shape), "f4")
    )
    monkeypatch.setattr(vits, "_offsets", lambda seed, harmonics: np.zeros(harmonics))


def load(network: torch.nn.Module, state: dict[str, np.ndarray]) -> None:
    tensors = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in fused(state).items()}
    network.load_state_dict(tensors, assign=True)
    network.requires_grad_(False)


def close(ours: np.ndarray | torch.Tensor, theirs: np.ndarray, within: float = 1e-4) -> None:
    ours = np.asarray(ours)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < within


def test_weights_are_those_of_the_formulas(case: Case) -> None:
    ours, theirs = digest(case.state), told(case.name, "meta")["weights"]
    assert {name: ours[name] for name in ("n_tensors", "n_elements", "sha256")} == {
        name: theirs[name] for name in ("n_tensors", "n_elements", "sha256")
    }
    assert ours["sum"] == pytest.approx(theirs["sum"], abs=1e-6)
    assert ours["abs_sum"] == pytest.approx(theirs["abs_sum"], rel=1e-12)
    assert hashlib.sha256(case.content.tobytes()).hexdigest() == str(case.vector["phone_sha256"])


def test_the_state_dict_has_the_original_names_and_shapes(case: Case) -> None:
    ours = {name: tuple(values.shape) for name, values in case.singer.network.state_dict().items()}
    assert ours == {name: values.shape for name, values in fused(case.state).items()}


def test_pitch_bins(case: Case) -> None:
    drops_high = case.name.startswith("sovits_41")
    assert np.array_equal(pitch_bins(case.f0_hz, drops_high=drops_high), case.vector["coarse"])


def test_encoder_and_flow(case: Case) -> None:
    network, vector = case.singer.network, case.vector
    mean, log_scale = network.prior(case.told())
    close(mean[0], vector["m"])
    close(log_scale[0], vector["logs"])
    close(network.flow(mean, case.speaker(), reverse=True)[0], vector["z"])
    noise = torch.from_numpy(case.noise("z_noise", 192, FRAMES))
    close(mean[0] + noise * log_scale[0].exp() * case.config.noise_scale, vector["z_p_noise"], within=3e-4)


def test_source(case: Case) -> None:
    close(case.source()[0, 0], case.vector["har"])


def test_the_sound(case: Case, noiseless: None) -> None:
    close(case.sung(), case.vector["out"])


def test_the_sound_of_six_frames(case: Case, noiseless: None) -> None:
    close(case.sung(6), case.vector["out_T6"])


def test_the_sound_with_noise_where_voice_and_gap_meet(case: Case) -> None:
    vector, hop, config = case.vector, case.config.hop_samples, case.config
    start, stop = (int(sample) for sample in vector["win"])
    noise = torch.from_numpy(case.noise("source_noise", FRAMES * hop, config.harmonics))[None]
    source = case.source(noise=noise)
    close(source[0, 0, start:stop], vector["har_noise_win"])
    latent = torch.from_numpy(vector["z_p_noise"])[None]
    latent = case.singer.network.flow(latent, case.speaker(), reverse=True)
    # No more frames are decoded than the decoder reaches.
    reach = reach_frames(config)
    first, last = max(0, start // hop - reach), min(FRAMES, stop // hop + reach)
    sound = case.singer.network.dec(
        latent[..., first:last], case.speaker(), source[..., first * hop : last * hop]
    )
    close(sound[0, start - first * hop : stop - first * hop], vector["out_noise_win"])


@pytest.mark.slow
def test_the_sound_of_another_singer(case: Case, noiseless: None) -> None:
    """RVC's vectors have one singer: there, somebody else at least sounds otherwise."""
    other = case.sung(6, speaker=1)
    assert np.abs(other - case.vector["out_T6"]).max() > 0.05
    if "out_spk1" in case.vector:
        close(case.sung(speaker=1), case.vector["out_spk1"])


def test_a_made_up_pitch(case: Case) -> None:
    if not case.config.pitch_decoder:
        with pytest.raises(ProjectError, match="cannot make up a pitch"):
            case.singer.guess_f0(case.content, case.pitch, case.level)
        return
    guessed = case.singer.network.guessed_f0(
        case.told(), torch.from_numpy(case.vector["f0"])[None], case.speaker()
    )
    close(melodic(guessed)[0], case.vector["pred_lf0"])
    close(guessed[0].numpy() / case.vector["f0_pred"], np.ones(FRAMES))


def test_the_sound_of_weights_in_half_precision(case: Case, noiseless: None) -> None:
    theirs = case.vector["out_fp16w"]
    try:
        load(case.singer.network, {name: rows.astype("f2").astype("f4") for name, rows in case.state.items()})
        close(case.sung(keep=len(theirs) // case.config.hop_samples), theirs)
    finally:
        load(case.singer.network, case.state)
