"""Which new names mean another quantity than the old ones."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.evidence.finished.names.units import another_quantity


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout_ms", "timeout_s"), ("distance_km", "distance_miles"), ("net_total", "gross_total"), ("is_disabled", "is_enabled"),
        ("--max-age-days", "--max-age-hours"), ("total_cents", "total_euros"), ("created_local", "created_utc"), ("OLDEST_FIRST", "NEWEST_FIRST"),
        ("minPrice", "maxPrice"), ("isValid", "isInvalid"), ("is_empty", "is_not_empty"), ("used", "unused"), ("no_cache", "cache"),
        ("SortAscending", "SortDescending"), ("with_tax", "without_tax"), ("size_kb", "size_kib"), ("timeoutMillis", "timeoutSeconds"),
        ("lat", "lng"), ("read_all", "write_all"), ("delay_m", "delay_s"), ("min_wait", "max_wait"),
    ],
)  # fmt: skip
def test_another_unit_or_the_opposite(old: str, new: str) -> None:
    assert another_quantity(old, new)
    assert another_quantity(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total", "amount"), ("timeout_ms", "timeout_millis"), ("timeout_s", "wait_seconds"), ("total_net", "net_sum"), ("getTotal", "get_total"),
        ("first_row", "head"), ("is_disabled", "is_off"), ("timeout", "timeout_ms"), ("max_min", "max_minutes"), ("remove", "delete"),
        ("price", "cost_eur"),
        ("start", "begin"), ("net", "without_tax"), ("notify", "tell"), ("CSVExporter", "CsvExporter"), ("form", "reform"), ("second", "first"),
        ("delay_min", "delay_m"), ("mean", "average"), ("upper", "in_capitals"),
    ],
)  # fmt: skip
def test_only_another_word(old: str, new: str) -> None:
    assert another_quantity(old, new) == ""
