"""What docs/cluster.md shows can be used as it stands."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_the_manifest_is_whole():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    cluster = yaml.safe_load(text)
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert cluster["spec"]["rayVersion"] == pinned[1]
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"].endswith(f":{pinned[1]}")
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/shared"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in group["template"]["spec"]["volumes"]
        }
        places = {row["name"]: row["value"] for row in container["env"]}
        assert places["COVERMAKER_VOICES"].startswith("/shared/")
        assert container["resources"]["limits"] == container["resources"]["requests"]


def test_the_variables_it_names_are_handed_on():
    from covermaker.batch.engines.ray_cluster import _PLACES

    named = set(re.findall(r"`(?:COVERMAKER)?(_[A-Z]+)`", PAGE.split("handed on")[0].rpartition("\n\n")[2]))
    assert {f"COVERMAKER{name}" for name in named} <= set(_PLACES)
    assert len(named) == 5
