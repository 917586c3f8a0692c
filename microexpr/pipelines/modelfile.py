"""The .mxm file: one zip archive of a JSON header, a JSON tree, arrays and networks' weights; no code in it is run."""

__all__ = ["read_header", "read_model_file", "write_model_file"]

import io
import json
import re
import struct
import tempfile
import tokenize
import zipfile
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, MicroexprError, NeedsError, ParameterError, one_line
from microexpr.pipelines.modelstate import dump_state, networks_room, restore_state

_FORMAT = 1
_SUFFIX = ".mxm"
_HEADER, _TREE = "model.json", "estimator.json"
_ENTRY = re.compile(r"model\.json|estimator\.json|arrays/\d{4,6}\.npy|networks/\d{4,6}\.safetensors")
# Far above what the largest methods need; parsed JSON takes some ten times its length of memory.
_LONGEST_JSON = 32 * 1024 * 1024
# As the zip format has no time zone, and the same model is to give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
# What readers of damaged archives and arrays raise.
_UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
)


def write_model_file(path: str | Path, header: Mapping[str, Any], estimator: Any) -> None:
    """Write a fitted estimator and what is to be known of it to one file.

    Parameters
    ----------
    path : path
        Its name ends in .mxm. What is there is replaced, whole or not at all.
    header : mapping
        What JSON can hold; `format` is added.
    estimator : fitted estimator

    Raises
    ------
    ParameterError
        If the path ends otherwise, or the estimator holds what a model file does not; see `dump_state`.
    ResultsError
        If the file cannot be written.

    Notes
    -----
    The archive holds `model.json` (the header), `estimator.json` (see `dump_state`), `arrays/0000.npy`, ... (NumPy's
    format, no objects) and `networks/0000.safetensors`, ... (see `microexpr.deep.save_network`). Entries are stored
    uncompressed and bear no time, so that the same model gives the same bytes.

    The format is our own. skops, which is made for this, trusts all of scikit-learn's estimators and some functions
    besides our list, which cannot be narrowed; does not check the sizes on which an SVM's native code relies; writes
    memory addresses, so that the same model gives other bytes each time; and cannot hold our networks.
    """
    path = Path(path)
    if path.suffix != _SUFFIX:
        raise ParameterError(f"path is {str(path)!r}: it must end in {_SUFFIX}")
    entries: dict[str, bytes] = {}
    arrays: list[bytes] = []
    networks: list[bytes] = []
    tree = dump_state(
        estimator,
        lambda array: _append(arrays, _array_bytes(array)),
        lambda network: _append(networks, _network_bytes(network)),
    )
    entries[_HEADER] = _json({"format": _FORMAT, **header})
    entries[_TREE] = _json(tree)
    entries |= {_array_name(number): content for number, content in enumerate(arrays)}
    entries |= {_network_name(number): content for number, content in enumerate(networks)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    write_atomic(path, buffer.getvalue())


def read_header(path: str | Path) -> dict[str, Any]:
    """Return the header of a model file, a dict; nothing else of it is read.

    Raises
    ------
    DataError
        If the file is missing, damaged, no model file or of another format.
    """
    return _reading(Path(path), lambda archive: _header(archive))


def read_model_file(path: str | Path) -> tuple[dict[str, Any], Any]:
    """Return the header and the estimator of a model file. Whoever made it, nothing of it is run.

    Parameters
    ----------
    path : path

    Returns
    -------
    header : dict
    estimator : fitted estimator

    Raises
    ------
    DataError
        If the file is missing, damaged, no model file or of another format; has entries with other names than
        `write_model_file` gives, or compressed ones; an array of objects; or a state that `restore_state` refuses.
    NeedsError
        If it holds a network and the extra `deep` is not installed.

    Notes
    -----
    As entries are not compressed, a small file cannot grow in memory: an archive that says so is refused before
    anything of it is read.
    """
    return _reading(Path(path), _contents)


def _reading(path: Path, read: Callable[[zipfile.ZipFile], Any]) -> Any:
    """Return what `read` gets out of the archive; whatever is wrong with it is an error that names the file."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive, path.stat().st_size)
            return read(archive)
    except NeedsError:
        raise
    except MicroexprError as error:
        raise DataError(f"{path}: {error}") from None
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is no model file, or a damaged one: {one_line(error)}") from None
    except _UNREADABLE as error:
        raise DataError(f"{path} is damaged: {one_line(error)}") from None


def _check_entries(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    for entry in entries:
        if not _ENTRY.fullmatch(entry.filename):
            raise DataError(f"it holds an entry {entry.filename!r}: a model file has none of that name")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise DataError(f"its entry {entry.filename} is compressed or encrypted: those of a model file are not")
    if len(set(names)) < len(names):
        raise DataError("it holds two entries of one name")
    if sum(entry.file_size for entry in entries) > size:
        raise DataError("its entries overlap: they are longer than the file")
    if missing := {_HEADER, _TREE} - set(names):
        raise DataError(f"it lacks {sorted(missing)[0]}: it is no model file, or a damaged one")


def _header(archive: zipfile.ZipFile) -> dict[str, Any]:
    header = _parsed(archive, _HEADER)
    if type(header) is not dict or type(header.get("format")) is not int:
        raise DataError(f"its {_HEADER} does not say its format")
    if header["format"] != _FORMAT:
        raise DataError(f"it is of format {header['format']}: this version reads format {_FORMAT}")
    return header


def _contents(archive: zipfile.ZipFile) -> tuple[dict[str, Any], Any]:
    header = _header(archive)
    tree = _parsed(archive, _TREE)
    estimator = restore_state(
        tree,
        lambda number: _read_array(archive, _array_name(number)),
        lambda number: _read_network(archive, _network_name(number)),
    )
    return header, estimator


def _parsed(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        raise DataError(f"its {name} is longer than {_LONGEST_JSON} bytes")
    try:
        return json.loads(archive.read(name), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"its {name} is damaged: {one_line(error)}") from None


def _refuse_constant(name: str) -> None:
    raise DataError(f"it holds the number {name}, which JSON has not")


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return an array after checking, by its header alone, that it is no larger than its entry and holds no objects."""
    content = _entry(archive, name)
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise DataError(f"its entry {name} is of another version of NumPy's format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or dtype.subdtype is not None:
        raise DataError(f"its entry {name} is an array of {dtype}: it must hold numbers or text")
    n_items = 1
    for size in shape:
        n_items *= size
    if min(shape, default=0) < 0 or n_items * dtype.itemsize != len(content) - stream.tell():
        raise DataError(f"its entry {name} does not hold the numbers that its shape {shape} asks for")
    stream.seek(0)
    return np.asarray(np.load(stream, allow_pickle=False))


def _read_network(archive: zipfile.ZipFile, name: str) -> Any:
    content = _entry(archive, name)
    load_network = networks_room().load_network
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        path.write_bytes(content)
        try:
            return load_network(path)
        except DataError as error:
            raise DataError(str(error).replace(str(path), f"its entry {name}")) from None


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise DataError(f"it lacks {name}: it is damaged")
    return archive.read(name)


def _array_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _network_bytes(network: Any) -> bytes:
    # Where its first weights lay on this machine is nobody's business, and no longer matters.
    if getattr(network, "weights", None) is not None:
        network = copy(network)
        network.weights = None
    save_network = networks_room().save_network
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        save_network(network, path)
        return path.read_bytes()


def _append(entries: list[bytes], content: bytes) -> int:
    entries.append(content)
    return len(entries) - 1


def _array_name(number: int) -> str:
    return f"arrays/{number:04d}.npy"


def _network_name(number: int) -> str:
    return f"networks/{number:04d}.safetensors"


def _json(value: object) -> bytes:
    return json.dumps(value, indent=None, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()
