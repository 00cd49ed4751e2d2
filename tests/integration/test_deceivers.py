"""Rows of the benchmark of regressions that were written on once, each for a reason of its own: they wait for a person or are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.bench_regressions import HERE, Row

#: What deceives, by the row's name.
ONCE = {
    "api-2/d08_name_back_other_file": "an older name came back, in another module",
    "api-2/t16_patch_moved_module_no_longer_reaches": "the product imports by itself what is patched elsewhere",
    "api-3/b16_beside_root_function_moved": "the module lies beside the folder of the tests",
    "api-3/d08_readme_table_field": "a table of a document says the field",
    "api-3/f06_key_folder_named_test": "a template lies in a folder that is called test",
    "api-3/i03_properties_crossed": "two properties were exchanged, and who uses them followed",
    "api-3/i04_enum_members_crossed": "two members were exchanged, against what the message says",
    "api-3/i07_class_renamed_annotation_changed": "a field that is parsed has another type",
    "api-3/j08_rename_shadows_module_import": "the new name hides an import",
    "api-3/k03_key_po_placeholder_left": "a translation still has the key",
    "env-3/m01_mono_data_relative": "a data file beside the folder of the tests",
    "env-3/m05_old_bug_back_deep": "an old bug that came back, under commits that changed a number",
    "env-3/m06_test_extended_deep": "the same, and the test was extended since",
    "real-1/b09_table_named_by_class": "the class gives a table its name",
    "real-1/d04_status_generated_new": "the document is made from the code",
    "real-1/k01_monorepo_sibling_calls": "another package of the repository uses it",
    "real-1/s03_subscript_open": "the comparison would stand in an index",
    "real-1/s10_stricter_line_extra_bracket": "a stricter line is being written",
    "real-1/w14_alias_promised_in_changelog": "the changelog promises that the old name is kept",
}


def rows() -> dict[str, dict[str, object]]:
    found = (json.loads(line) for path in sorted((HERE / "regressions").glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row for row in found if row["id"] in ONCE}


@pytest.mark.parametrize("name", ONCE)
def test_nothing_is_written(name: str, tmp_path: Path) -> None:
    found = Row(rows()[name], tmp_path, "").judge()
    assert found["outcome"] in ("for review", "regression named"), (ONCE[name], found)
