"""A plug-in's parameters as a scan found them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from covermaker.effects.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.effects.spec import Value

# A raw one shows no numbers that can be read: its value is the plug-in's own, 0 to 1.
ParameterKind: TypeAlias = Literal["number", "switch", "choice", "raw"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    index : int
        Its place in the plug-in's own list.
    name : str
        As a row writes it: ``threshold_db``.
    title : str
        As the plug-in calls it: ``Threshold``.
    minimum, maximum : float
        Of numbers, in `unit`; both ends included.
    default : float, str or bool
        What it is when nobody sets it.
    choices : tuple
        Of a choice, and of a number that knows few values.
    log : bool
        Whether a fader should spread it logarithmically.
    """

    index: int
    name: str
    title: str
    unit: str
    kind: ParameterKind
    minimum: float
    maximum: float
    default: Value
    choices: tuple[float | str, ...] = ()
    log: bool = False

    @property
    def glides(self) -> bool:
        """Whether it can take any value on the way to another."""
        return self.kind in ("number", "raw") and not self.choices

    def spec(self) -> Spec:
        """Return the parameter in the form that effects declare theirs in."""
        curve: Literal["linear", "log"] = "log" if self.log else "linear"
        return Spec(
            self.name,
            self.unit,
            self.minimum,
            self.maximum,
            self.default,
            curve,
            f"{self.title}.",
            self.choices,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**said, "choices": tuple(said["choices"])})
