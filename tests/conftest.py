"""What every test needs: that pytest does not import the root, which has an `__init__.py`, as a package of its own."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class RootIsAFolder:
    """Pytest would import the root's `__init__.py` as `main`, or as its folder is called: a second copy of each class.

    A plugin of its own, since a hook of this file is asked only about what lies beneath `tests/`.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path, parent):
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


def pytest_configure(config):
    config.pluginmanager.register(RootIsAFolder())
