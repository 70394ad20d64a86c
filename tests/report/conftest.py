from __future__ import annotations

from collections.abc import Mapping

import pytest

from dokja.report import Publication
from dokja.report.site import site
from tests.report.published import published


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published("dokpamo", tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published("dokpamo-complete", tmp_path_factory.mktemp("complete"))


@pytest.fixture(scope="session")
def files(real: Publication) -> Mapping[str, str]:
    return site(real)


@pytest.fixture(scope="session")
def whole(complete: Publication) -> Mapping[str, str]:
    return site(complete)
