"""Files that look like models of other programs, as far as a look at them goes."""

import zipfile


def stand_in(path):
    """Write a file that its ending promises: what torch saves, an archive with one in it, or a byte; returns it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = {".pth": ("x/data.pkl", "x/version"), ".pt": ("x/data.pkl", "x/version"), ".zip": ("x.pth",)}
    if path.suffix not in inside:
        path.write_bytes(b"x")
        return path
    with zipfile.ZipFile(path, "w") as archive:
        for name in inside[path.suffix]:
            archive.writestr(name, b"x")
    return path
