"""Check that the sdist holds every tracked file, and the wheel those of the package and no other.

Run as ``python .ci/contents.py SDIST WHEEL`` in the repository.
"""

import subprocess
import sys
import tarfile
import zipfile

sdist, wheel = sys.argv[1:]
tracked = set(subprocess.check_output(["git", "ls-files"], text=True).splitlines())
with tarfile.open(sdist) as archive:
    packed = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
with zipfile.ZipFile(wheel) as archive:
    installed = {name for name in archive.namelist() if ".dist-info/" not in name}
    texts = {name.rsplit("/", 1)[1] for name in archive.namelist() if ".dist-info/" in name}

package = {name for name in tracked if name.startswith("skser/")}
generated = {name for name in packed if name == "PKG-INFO" or name.startswith("skser.egg-info/")}
wrong = {
    "tracked files that are not in the sdist": tracked - packed,
    "files in the sdist that are not tracked": packed - tracked - generated,
    "files of skser that are not in the wheel": package - installed,
    "files in the wheel that are not tracked in skser/": installed - package,
    "files of metadata that the wheel lacks": {"LICENSE", "METADATA", "entry_points.txt"} - texts,
}
for what, names in wrong.items():
    if names:
        print(f"{what}: {', '.join(sorted(names))}", file=sys.stderr)
print(f"{len(packed)} files in the sdist, {len(installed)} in the wheel")
sys.exit(any(wrong.values()))
