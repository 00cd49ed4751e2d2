"""Conformance tests for a platform's own repair service or test runner, and for anything put in front of ours.

Either subclass, as one does with the suites of other plugin interfaces::

    from pytest_maestro_healer.adapters.conformance import RepairServiceConformance

    class TestMyService(RepairServiceConformance):
        def make_service(self, config, **parts):
            return MyService(config, **parts)

or name a factory (``module:callable``) and run the package::

    MAESTRO_REPAIR_SERVICE=acme.repairs:MyService pytest --pyargs pytest_maestro_healer.adapters.conformance

Without the variables ``MAESTRO_REPAIR_SERVICE`` and ``MAESTRO_TEST_RUNNER`` our own adapters are held to it. Tests may be added to a subclass, but
none overridden: a suite with a gap in it says nothing.
"""

from __future__ import annotations

from pytest_maestro_healer.adapters.conformance.runner import RunnerConformance
from pytest_maestro_healer.adapters.conformance.service import RepairServiceConformance
from pytest_maestro_healer.adapters.conformance.stage import StubHealer, make_project

__all__ = ["RepairServiceConformance", "RunnerConformance", "StubHealer", "make_project"]
