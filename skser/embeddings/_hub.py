"""Encoders from repositories of the Hugging Face Hub, in the cache that huggingface_hub shares."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils._param_validation import NONE, Allowed, check_value, did_you_mean
from .._version import __version__
from ..exceptions import DownloadError, MissingDependencyError, ParameterError
from ._whisper_weights import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from types import ModuleType

PREPROCESSOR = "preprocessor_config.json"  # some repositories have none

NAME = Allowed(
    "'owner/name' of a repository of the Hub",
    lambda value: isinstance(value, str) and re.fullmatch(r"\w[\w.-]*/[\w.-]+", value) is not None,
)
_COMMIT = Allowed(
    "a commit of 40 hexadecimal digits",
    lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{40}", value) is not None,
)
_N_LISTED = 8


class HubModel(NamedTuple):
    """What skser knows of a repository: the commit that it uses, and the licence."""

    revision: str
    licence: str


_WHISPER = "MIT (OpenAI); Apache-2.0 on the Hub"
KNOWN = {
    "openai/whisper-tiny": HubModel("169d4a4341b33bc18d8881c4b69c2e104e1cc0af", _WHISPER),
    "openai/whisper-tiny.en": HubModel("87c7102498dcde7456f24cfd30239ca606ed9063", _WHISPER),
    "openai/whisper-base": HubModel("e37978b90ca9030d5170a5c07aadb050351a65bb", _WHISPER),
    "openai/whisper-small": HubModel("973afd24965f72e36ca33b3055d56a652f456b4d", _WHISPER),
}


def hub_folder(name: str, revision: str | None) -> Path:
    """The folder with the configuration and the weights of a repository, downloaded if missing.

    A commit that is in the cache of huggingface_hub takes no request.
    """
    commit = _commit(name, revision)
    hub = _huggingface_hub(name)
    files = (CONFIG, WEIGHTS, PREPROCESSOR)
    cached = {file: hub.try_to_load_from_cache(name, file, revision=commit) for file in files}
    for file in (CONFIG, WEIGHTS):
        if not isinstance(cached[file], str):
            _Download(hub, name, file, commit).run()
    if cached[PREPROCESSOR] is None:  # not even known to be missing
        with suppress(DownloadError):
            _Download(hub, name, PREPROCESSOR, commit).run()
    return Path(hub.try_to_load_from_cache(name, WEIGHTS, revision=commit)).parent


def _commit(name: str, revision: str | None) -> str:
    check_value("model", name, NAME)
    check_value("revision", revision, NONE, _COMMIT)
    if revision is not None:
        return revision
    if name not in KNOWN:
        raise ParameterError(
            f"revision must be {_COMMIT.text} for model={name!r}, which is not a folder here,"
            " got None: a repository of the Hub may change, and a score could then not be repeated"
            f"{did_you_mean(name, KNOWN)}"
        )
    return KNOWN[name].revision


def _huggingface_hub(name: str) -> ModuleType:
    try:
        import huggingface_hub
    except ImportError:
        raise MissingDependencyError(
            f"{name}: the Hub needs huggingface_hub, which is not installed;"
            ' python -m pip install "skser[embeddings]" does it'
        ) from None
    return huggingface_hub


@dataclass
class _Download:
    """A file on its way to the cache."""

    hub: Any
    name: str
    file: str
    commit: str
    size: int | None = None
    counts: dict[Any, int] = field(default_factory=dict, init=False)  # bytes by bar

    def run(self) -> None:
        """Download the file and check what arrived; DownloadError says what to do."""
        from huggingface_hub import errors

        sha256 = None
        try:
            # A request of our own, since the library repeats its first for half a minute.
            with suppress(errors.EntryNotFoundError):  # the library notes the missing file
                url = self.hub.hf_hub_url(self.name, self.file, revision=self.commit)
                metadata = self.hub.get_hf_file_metadata(url)
                self.size, sha256 = metadata.size, metadata.etag
            path = self.hub.hf_hub_download(
                self.name,
                self.file,
                revision=self.commit,
                library_name="skser",
                library_version=__version__,
                tqdm_class=self._bar(),
            )
        except (OSError, RuntimeError, errors.EntryNotFoundError, errors.HTTPError) as error:
            raise DownloadError(f"{self.name}: {self._reason(error)}") from error
        if re.fullmatch("[0-9a-f]{64}", sha256 or ""):  # small files have another hash
            self._check(Path(path), sha256)

    def _bar(self) -> Any:
        """A class of progress bars as the library shows them, which counts the bytes."""
        from huggingface_hub.utils import tqdm

        counts = self.counts

        class Bar(tqdm):
            def update(self, n: float | None = 1) -> bool | None:
                counts[self] = counts.get(self, 0) + int(n or 0)
                return super().update(n)

        return Bar

    def _check(self, path: Path, expected: str | None) -> None:
        """Remove the file if its hash differs from that on the Hub."""
        actual = hashlib.sha256()
        with path.open("rb") as content:
            while block := content.read(1 << 20):
                actual.update(block)
        if actual.hexdigest() != expected:
            blob = path.parent / path.readlink() if path.is_symlink() else path
            blob.unlink()
            path.unlink(missing_ok=True)
            raise DownloadError(
                f"{self.name}: {self.file} has the SHA-256 {actual.hexdigest()}, expected"
                f" {expected}; it has been removed, so call again to download it anew"
            )

    def _reason(self, error: Exception) -> str:
        """Why the download failed, and what to do."""
        from huggingface_hub import constants, errors

        file, cache, server = self.file, constants.HF_HUB_CACHE, constants.ENDPOINT
        text = " ".join(str(error).split()) or type(error).__name__
        otherwise = "or pass the folder of a copy as model"
        if isinstance(error, errors.OfflineModeIsEnabled):
            return (
                f"{file} is not in the cache {cache}, and the offline mode forbids downloads;"
                f" unset HF_HUB_OFFLINE, {otherwise}"
            )
        if isinstance(error, errors.GatedRepoError):
            return "its owner grants access on request; after that, log in by `hf auth login`"
        if isinstance(error, errors.RepositoryNotFoundError):
            hint = "" if self.name in KNOWN else did_you_mean(self.name, KNOWN)
            return f"{server} has no such repository, or needs a login (`hf auth login`){hint}"
        if isinstance(error, errors.RevisionNotFoundError):
            return f"the repository has no revision {self.commit}"
        if isinstance(error, errors.RemoteEntryNotFoundError):
            return f"the repository has no {file}; it holds {self._files()}"
        if isinstance(error, errors.HfHubHTTPError):
            return f"{server} answered {error.response.status_code} for {file}; call again later"
        if isinstance(error.__cause__, errors.FileMetadataError):
            return f"{server} answers unlike the Hub; check HF_ENDPOINT and the network's proxy"
        # The library counts whole blocks, and its message has the bytes of the last one. Two bars
        # may show one file: what was received, and what was written.
        received = re.search(r"received (\d+) bytes", text)
        n_arrived = max(self.counts.values(), default=0) + (int(received[1]) if received else 0)
        if isinstance(error, OSError) and error.errno is not None:
            return f"{file} cannot be written to {cache} ({error.strerror})"
        if n_arrived:
            of = "" if self.size is None else f" of {self.size}"
            return f"{n_arrived}{of} bytes of {file} arrived; call again to start over"
        return (
            f"{file} is not in the cache {cache}, and {server} cannot be reached ({text});"
            f" connect to a network, {otherwise}"
        )

    def _files(self) -> str:
        """The first files of the repository."""
        from huggingface_hub import errors

        try:
            files = sorted(self.hub.HfApi().list_repo_files(self.name, revision=self.commit))
        except (OSError, errors.HTTPError):
            return "other files"
        more = f" and {len(files) - _N_LISTED} more" if len(files) > _N_LISTED else ""
        return f"{', '.join(files[:_N_LISTED])}{more}" if files else "no files"
