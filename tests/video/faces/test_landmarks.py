import types
import zipfile

import numpy as np
import pytest

from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.video.faces import FaceBox, find_face, landmarks, mirror_landmarks
from microexpr.video.faces._models import MEDIAPIPE_TO_68
from microexpr.video.faces.template import (
    MIRROR,
    TEMPLATE,
    eye_centers,
    fit_similarity,
    place_template,
    transform_points,
)


def test_landmarks_of_known_faces_are_near(synthetic):
    for subject in range(4):
        source, frames = synthetic(subject)
        found, truth = landmarks(frames[0]), source.landmarks(0)
        apart = np.hypot(*np.subtract(*eye_centers(truth)))
        error = np.linalg.norm(np.asarray(found) - truth, axis=1) / apart
        assert found.source == "eyes"
        assert error[36:48].mean() < 0.04
        assert error.mean() < 0.1


def test_without_eyes_the_box_places_the_template_and_the_result_says_so(face):
    box = find_face(face)
    covered = face.copy()
    covered[int(box.y + 0.2 * box.height) : int(box.y + 0.55 * box.height)] = 120
    blind, seen = landmarks(covered, box), landmarks(face, box)
    assert (blind.source, seen.source) == ("box", "eyes")
    assert np.linalg.norm(blind.points - seen.points, axis=1).mean() < 0.06 * box.width


def test_a_turned_box_turns_the_landmarks():
    blank = np.full((300, 300), 90, np.uint8)
    upright = landmarks(blank, FaceBox(100, 90, 100, 100)).points
    turned = landmarks(blank, FaceBox(100, 90, 100, 100, roll=90)).points
    center = np.array(FaceBox(100, 90, 100, 100).center)
    # A quarter turn clockwise on the screen: right becomes down.
    np.testing.assert_allclose(turned - center, (upright - center) @ [[0, 1], [-1, 0]], atol=1e-9)


def test_the_template_is_symmetric_and_in_its_own_unit():
    np.testing.assert_allclose(TEMPLATE[list(MIRROR)] * [-1, 1], TEMPLATE, atol=1e-12)
    right, left = eye_centers(TEMPLATE)
    np.testing.assert_allclose([right, left], [(-0.5, 0), (0.5, 0)], atol=1e-12)
    assert sorted(MIRROR) == list(range(68))
    np.testing.assert_allclose(mirror_landmarks(mirror_landmarks(TEMPLATE, 9), 9), TEMPLATE)


def test_mirroring_a_known_face_mirrors_its_landmarks(synthetic):
    truth = synthetic()[0].landmarks(0)
    mirrored = mirror_landmarks(truth, 360)
    # Jaw, brows and eyes run from left to right in the picture again.
    assert mirrored[0, 0] < mirrored[16, 0]
    assert mirrored[36, 0] < mirrored[39, 0] < mirrored[42, 0] < mirrored[45, 0]
    assert mirrored[48, 0] < mirrored[54, 0]
    assert mirrored[37, 1] < mirrored[41, 1]


def test_the_placed_template_has_its_eyes_where_they_were_asked_for():
    placed = place_template(np.array([30.0, 40.0]), np.array([90.0, 60.0]))
    np.testing.assert_allclose(eye_centers(placed), [(30, 40), (90, 60)], atol=1e-9)


def test_a_similarity_is_recovered_from_points():
    rng = np.random.default_rng(0)
    matrix = np.array([[1.5, -0.4, 7.0], [0.4, 1.5, -3.0]])
    points = rng.normal(size=(9, 2))
    np.testing.assert_allclose(fit_similarity(points, transform_points(points, matrix)), matrix, atol=1e-12)


def test_the_mesh_table_has_68_points_and_mirror_pairs():
    assert len(MEDIAPIPE_TO_68) == len(set(MEDIAPIPE_TO_68)) == 68
    assert max(MEDIAPIPE_TO_68) < 468
    # Well-known pairs of the mesh: temples, outer and inner eye corners, mouth corners, brow ends.
    for right, left in ((127, 356), (33, 263), (133, 362), (61, 291), (70, 300), (107, 336), (98, 327), (58, 288)):
        assert MIRROR[MEDIAPIPE_TO_68.index(right)] == MEDIAPIPE_TO_68.index(left)
    # The midline is its own mirror image.
    for middle in (152, 168, 4, 2, 0, 17, 13, 14):
        place = MEDIAPIPE_TO_68.index(middle)
        assert MIRROR[place] == place


@pytest.mark.parametrize(
    ("backend", "variable", "wanted", "where"),
    [
        ("mediapipe", "MICROEXPR_FACE_LANDMARKER", "face_landmarker.task", "MediaPipe"),
        ("dlib", "MICROEXPR_DLIB_SHAPE", "shape_predictor_68_face_landmarks.dat", "dlib"),
    ],
)
class TestModelFiles:
    @pytest.fixture(autouse=True)
    def _package_is_there(self, backend, variable, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, backend, types.ModuleType(backend))
        monkeypatch.delenv(variable, raising=False)

    def test_a_missing_package_names_the_extra(self, backend, variable, wanted, where, face, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, backend, None)
        with pytest.raises(NeedsError, match=rf'needs the package {backend}: pip install "microexpr\[{backend}\]"'):
            landmarks(face, backend=backend)

    def test_no_model_names_file_variable_and_source(self, backend, variable, wanted, where, face):
        with pytest.raises(
            NeedsError, match=f"{wanted}: pass model=PATH or set {variable}; it is published on .*{where}"
        ):
            landmarks(face, backend=backend)

    def test_a_path_to_nothing_says_where_it_came_from(
        self, backend, variable, wanted, where, face, monkeypatch, tmp_path
    ):
        monkeypatch.setenv(variable, str(tmp_path / "gone"))
        with pytest.raises(DataError, match=rf"gone: no such model file \({variable}\)"):
            landmarks(face, backend=backend)
        with pytest.raises(DataError, match=r"other: no such model file \(model\)"):
            landmarks(face, backend=backend, model=str(tmp_path / "other"))

    def test_a_packed_model_says_to_unpack_it(self, backend, variable, wanted, where, face, tmp_path):
        (tmp_path / "model.bz2").write_bytes(b"BZh91AY&SY")
        with pytest.raises(DataError, match="still packed with bzip2"):
            landmarks(face, backend=backend, model=str(tmp_path / "model.bz2"))


def test_a_file_that_is_no_task_bundle_is_refused_before_mediapipe_sees_it(face, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", types.ModuleType("mediapipe"))
    (tmp_path / "wrong.task").write_bytes(b"TFL3 something else")
    with pytest.raises(DataError, match=r"wrong\.task: not a MediaPipe task bundle \(model\)"):
        landmarks(face, backend="mediapipe", model=str(tmp_path / "wrong.task"))


def test_the_mesh_of_a_crop_comes_back_in_pixels_of_the_frame(face, tmp_path, monkeypatch):
    path = tmp_path / "face.task"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("nothing", "")
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", fake_mediapipe(n_points=478))
    box = FaceBox(100, 80, 120, 120)
    found = landmarks(face, box, backend="mediapipe", model=str(path))
    assert found.source == "mediapipe"
    assert found.points.shape == (68, 2)
    # The box grown by 30 to each side: columns 70 to 250. The fake puts point k at the fraction k / 477 across.
    np.testing.assert_allclose(found.points[:, 0], 70 + np.array(MEDIAPIPE_TO_68) / 477 * 181 - 0.5)


def test_a_mesh_of_another_size_is_refused(face, tmp_path, monkeypatch):
    path = tmp_path / "face.task"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("nothing", "")
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", fake_mediapipe(n_points=68))
    with pytest.raises(DataError, match="gives 68 points; the face mesh of 478 is wanted"):
        landmarks(face, FaceBox(100, 80, 120, 120), backend="mediapipe", model=str(path))


@pytest.mark.parametrize(("n_parts", "message"), [(68, None), (5, "gives 5 landmarks; the predictor of 68 is wanted")])
def test_the_dlib_model_must_give_68_landmarks(face, tmp_path, monkeypatch, n_parts, message):
    path = tmp_path / "shape.dat"
    path.write_bytes(b"model")
    shape = types.SimpleNamespace(num_parts=n_parts, part=lambda k: types.SimpleNamespace(x=k, y=2 * k))
    fake = types.SimpleNamespace(shape_predictor=lambda _: lambda rgb, box: shape, rectangle=lambda *edges: edges)
    monkeypatch.setitem(__import__("sys").modules, "dlib", fake)
    box = FaceBox(100, 80, 120, 120)
    if message is None:
        found = landmarks(face, box, backend="dlib", model=str(path))
        np.testing.assert_array_equal(found.points, np.stack([np.arange(68), 2 * np.arange(68)], axis=1))
    else:
        with pytest.raises(DataError, match=message):
            landmarks(face, box, backend="dlib", model=str(path))


def test_a_model_that_dlib_cannot_read_gives_one_line(face, tmp_path, monkeypatch):
    def refuse(path):
        raise RuntimeError("An error occurred reading a version\nsecond line")

    path = tmp_path / "shape.dat"
    path.write_bytes(b"something else")
    monkeypatch.setitem(__import__("sys").modules, "dlib", types.SimpleNamespace(shape_predictor=refuse))
    with pytest.raises(DataError, match=r"not a dlib shape predictor \(An error occurred reading a version\)$"):
        landmarks(face, backend="dlib", model=str(path))


def test_a_model_for_opencv_and_an_unknown_backend_are_refused(face):
    with pytest.raises(ParameterError, match="model is 'x': backend \"opencv\" reads no model file"):
        landmarks(face, model="x")
    with pytest.raises(ParameterError, match="backend is 'fan'"):
        landmarks(face, backend="fan")


def fake_mediapipe(n_points):
    """The few names of the package that we call; its landmarker puts point k at (k / (n - 1), 0.5)."""
    mesh = [types.SimpleNamespace(x=k / (n_points - 1), y=0.5) for k in range(n_points)]
    landmarker = types.SimpleNamespace(detect=lambda image: types.SimpleNamespace(face_landmarks=[mesh]))
    vision = types.SimpleNamespace(
        FaceLandmarkerOptions=lambda **options: options,
        RunningMode=types.SimpleNamespace(IMAGE="image"),
        FaceLandmarker=types.SimpleNamespace(create_from_options=lambda options: landmarker),
    )
    return types.SimpleNamespace(
        tasks=types.SimpleNamespace(vision=vision, BaseOptions=lambda **options: options),
        Image=lambda **parts: parts,
        ImageFormat=types.SimpleNamespace(SRGB="srgb"),
    )
