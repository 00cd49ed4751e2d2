"""Heal many tests from a program; nothing is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pytest_maestro_healer import AutonomousTestHealer


async def main() -> None:
    healer = AutonomousTestHealer({"auto_apply": False})
    await healer.initialize_healer()

    errors = {
        "tests/test_words.py": "name 'Counter' is not defined",
        "tests/test_empty.py": "invalid syntax",
        "tests/test_initials.py": "string index out of range",
    }
    test_failures = [
        {"code": Path(path).read_text(encoding="utf-8"), "error": {"error_message": message, "test_file": path}} for path, message in errors.items()
    ]
    results = await healer.heal_multiple_tests(test_failures)
    for result in results:
        print(result.test_id, "healed" if result.success else f"not healed: {result.decision.rule}")

    success_rate = sum(1 for r in results if r.success) / len(results)
    print(f"Success rate: {success_rate:.1%}")

    found = await healer.auto_heal_test_suite("tests")
    for result in found["successful_heals"]:
        print(result.diff, end="")
    print(f"{len(found['successful_heals'])} healed, {len(found['failed_heals'])} not healed, {len(found['skipped_tests'])} skipped")


if __name__ == "__main__":
    asyncio.run(main())
