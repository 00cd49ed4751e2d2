"""Heal one failed test from a program; nothing is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pytest_maestro_healer import AutonomousTestHealer


async def main() -> int:
    healer = AutonomousTestHealer({"auto_apply": False})
    await healer.initialize_healer()

    test_code = Path("tests/test_basket.py").read_text(encoding="utf-8")
    error_details = {
        "error_type": "NameError",
        "error_message": "name 'Decimal' is not defined",
        "test_file": "tests/test_basket.py",
    }
    result = await healer.heal_failed_test(test_code, error_details)

    if result.success:
        print(f"Test healed successfully! Confidence: {result.confidence_score}")
        print(f"Strategy used: {result.strategy_used}")
        print(f"Healed code:\n{result.healed_code}")
        return 0
    print(f"Healing failed: {result.validation_results}")
    return 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
